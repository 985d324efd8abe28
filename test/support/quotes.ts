// Callbacks written by hand, delivered through the simulated DingTalk, and what Dify gets of them.
import type { Bridge } from './bridge.ts';
import { amr, pdf, png, taking } from './files.ts';

export const takingAll = taking('image', 'document', 'audio', 'video', 'custom');

/** All download codes in a body, also those within JSON texts. */
function codesIn(body: object): string[] {
  return [...JSON.stringify(body).matchAll(/[dD]ownloadCode\\*":\s*\\*"([^"\\]+)/g)].map(([, code = '']) => code);
}

/** Fields that belong to the message, and not to the chat and people that a test has. */
const CONTENT = [
  'msgtype',
  'text',
  'content',
  'originalMsgId',
  'originalProcessQueryKey',
  'quoteMessage',
  'isForwardMsg',
  'biz_custom_action_url',
];

/** Delivers the message of a body, in the chat of a person of the simulated DingTalk. */
export async function askAs(
  bridge: Bridge,
  body: Readonly<Record<string, unknown>>,
  from = 'staff-1',
  conversation?: string,
) {
  for (const code of codesIn(body)) bridge.dingtalk.keepFile(code, fileFor(code, body));
  const fields = Object.fromEntries(CONTENT.map((name) => [name, body[name]]));
  return bridge.ask({ from, text: '', ...(conversation === undefined ? {} : { conversation }) }, fields);
}

/** A file of the kind that the body calls it, named by its code. */
function fileFor(code: string, body: object) {
  const before = JSON.stringify(body).split(code, 1)[0] ?? '';
  const kind = [...before.matchAll(/(?:msgType|type|msgtype)\\*":\s*\\*"(audio|file|video|picture)/g)].at(-1)?.[1];
  const whole = kind ?? (/"msgtype":"(audio|file|video)"/.exec(JSON.stringify(body))?.[1] || 'picture');
  if (whole === 'audio') return { name: `${code}.amr`, bytes: amr() };
  if (whole === 'file') return { name: `${code}.pdf`, bytes: pdf() };
  return whole === 'video' ? { name: `${code}.mp4`, bytes: mp4() } : { name: `${code}.png`, bytes: png() };
}

const mp4 = () => Buffer.concat([Buffer.from([0, 0, 0, 20]), Buffer.from('ftypisom\0\0\x02\0mp42', 'latin1')]);

/** The codes that were fetched, in order. */
export const fetched = ({ dingtalk }: Bridge) =>
  dingtalk.calls.filter(({ api }) => api === 'downloadFile').map(({ request }) => request['downloadCode']);

/** Everything that the chat sees. */
export const shownIn = (bridge: Bridge) =>
  [...bridge.cards().map(({ content }) => content), ...bridge.dingtalk.messages.map(({ text }) => text)].join('\n');
