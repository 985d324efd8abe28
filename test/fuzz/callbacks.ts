// What DingTalk sends: messages, chat records, and presses on cards.
import * as fc from 'fast-check';
import { readCallback } from '../../lib/dingtalk/callback.ts';
import { BridgeError } from '../../lib/errors.ts';
import { callbackBodies } from './fixtures.ts';
import { Finding, judgeHealth, judgeOutcome } from './judge.ts';
import { bufferOf, byteEdits, edited, editedBytes, jsonEdits, oddValue, toBytes } from './mutate.ts';
import { target } from './target.ts';
import { createFuzzWorld, type FuzzWorld } from './world.ts';

const envelope = callbackBodies.find(({ msgtype, conversationType }) => msgtype === 'text' && conversationType === '1');

/** A body of a whole callback, whichever part of one the fixture holds, to the robot of the fuzzer's world. */
const whole = (body: Record<string, unknown>) => ({
  ...envelope,
  ...body,
  sessionWebhook: 'http://dingtalk.test/robot/sendBySession?session=s1',
  sessionWebhookExpiredTime: 4_000_000_000_000,
});

const body = fc.tuple(fc.constantFrom(...callbackBodies), jsonEdits).map(([base, edits]) => edited(whole(base), edits));

const bytesOfBody = fc
  .tuple(body, fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: byteEdits }))
  .map(([value, edits]) => editedBytes(toBytes(JSON.stringify(value) ?? ''), edits));

export const callbacks = target('callbacks', fc.array(bytesOfBody, { minLength: 1, maxLength: 3 }), async (bodies) => {
  const world = createFuzzWorld();
  const statuses: number[] = [];
  for (const bytes of bodies) statuses.push((await world.message(bytes)).status);
  await world.settle();
  judgeHealth(world, statuses);
  judgeOutcome(world);
});

interface RecordShape {
  /** Fields of one entry each; an entry can hold a record itself. */
  entries: unknown[];
  summary: unknown;
  depth: number;
  isText: boolean;
  name: string;
}

const entry: fc.Arbitrary<unknown> = fc.oneof(
  oddValue,
  fc.record(
    {
      msgType: fc.oneof(
        fc.constantFrom('text', 'picture', 'file', 'richText', 'chatRecord', 'audio', 'unknown'),
        oddValue,
      ),
      senderId: fc.oneof(fc.constantFrom('a', 'b', '$:LWCP_v1:$p1'), oddValue),
      senderName: fc.oneof(fc.constantFrom('王', ''), oddValue),
      content: fc.oneof(fc.string(), oddValue),
      downloadCode: oddValue,
      createAt: oddValue,
    },
    { requiredKeys: [] },
  ),
);

/** A record within a record, again and again, as objects or as JSON texts. */
function nested({ entries, summary, depth, isText, name }: RecordShape): unknown {
  let list: unknown[] = entries;
  for (let level = 0; level < depth; level += 1) {
    const content = { [name]: isText && level < 8 ? JSON.stringify(list) : list, summary };
    list = [{ msgType: 'chatRecord', content }, ...(level === 0 ? entries : [])];
  }
  return { title: 'record', summary, [name]: isText ? JSON.stringify(list) : list };
}

const record = fc
  .record({
    entries: fc.array(entry, { maxLength: 60 }),
    summary: fc.oneof(
      oddValue,
      fc.array(fc.string()).map((lines) => JSON.stringify(lines)),
    ),
    depth: fc.oneof(fc.nat(4), fc.nat(300)),
    isText: fc.boolean(),
    name: fc.constantFrom('chatRecord', 'records', 'messages', 'contents'),
  })
  .map(nested);

/** Reading a record is quick whatever it holds: the acknowledgement waits for it. Ten times what the slowest honest one takes. */
const MOST_READ_MS = 500;

export const records = target('records', fc.record({ content: record, isQuoted: fc.boolean() }), async (given) => {
  const { content, isQuoted } = given;
  const quote = {
    text: { content: 'what is this?', isReplyMsg: true, repliedMsg: { msgType: 'chatRecord', content } },
  };
  const bytes = JSON.stringify(whole(isQuoted ? { msgtype: 'text', ...quote } : { msgtype: 'chatRecord', content }));
  const before = process.cpuUsage();
  try {
    readCallback(bytes);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
  }
  const { user } = process.cpuUsage(before);
  if (user / 1_000 > MOST_READ_MS) throw new Finding(`reading took ${Math.round(user / 1_000)} ms`);
  const world = createFuzzWorld();
  const { status } = await world.message(toBytes(bytes));
  await world.settle();
  judgeHealth(world, [status]);
  judgeOutcome(world);
});

const ACTIONS = ['stop', 'retry', 'like', 'dislike', 'new', 'ask', 'form', 'unknown', 'stop_1', '__proto__'];

const press = fc
  .record({
    action: fc.constantFrom(...ACTIONS),
    params: fc.oneof(
      fc.record(
        { question: fc.oneof(fc.string(), oddValue), action_id: oddValue, form: oddValue },
        { requiredKeys: [] },
      ),
      oddValue,
    ),
    userId: fc.constantFrom('staff-0001', 'staff-0002', '$:LWCP_v1:$sender0001=='),
    isText: fc.boolean(),
    edits: jsonEdits,
    bytes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: byteEdits }),
  })
  .map(({ action, params, userId, isText, edits, bytes }) => {
    const own = typeof params === 'object' && params !== null && !Array.isArray(params) ? params : { params };
    const content = { cardPrivateData: { actionIds: [action], params: { action, ...own } } };
    const base = { type: 'actionCallback', outTrackId: 'CARD', corpId: 'dingcorp0001', userId };
    const value = edited({ ...base, content: isText ? JSON.stringify(content) : content }, edits);
    return editedBytes(toBytes(JSON.stringify(value) ?? ''), bytes);
  });

/** The bytes of a message with these words in a single chat. */
export const words = (content: string, msgId: string): string =>
  toBytes(JSON.stringify(whole({ text: { content }, msgId })));

/** A question with a card; resolves with the id of the card. */
export async function askOnce(world: FuzzWorld): Promise<string> {
  await world.message(words('a question', 'msg-first'));
  return [...world.cards.keys()][0] ?? 'CARD';
}

export const presses = target(
  'presses',
  fc.record({ bodies: fc.array(press, { minLength: 1, maxLength: 4 }), isRunning: fc.boolean() }),
  async ({ bodies, isRunning }) => {
    const world = createFuzzWorld();
    if (isRunning) world.streams.push({ status: 200, type: 'text/event-stream', chunks: [], end: 'hang' });
    const card = await askOnce(world);
    if (!isRunning) await world.settle();
    const statuses: number[] = [];
    for (const bytes of bodies) {
      const { status, body: answer } = await world.press(bytes.replaceAll('CARD', card));
      statuses.push(status);
      // An empty body is the console's probe, which is answered in words.
      if (status === 200 && new TextDecoder().decode(bufferOf(bytes)) !== '') JSON.parse(answer);
    }
    await world.settle();
    judgeHealth(world, statuses);
    judgeOutcome(world);
  },
);
