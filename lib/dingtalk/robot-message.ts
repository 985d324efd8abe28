import * as z from 'zod';
import { characterStart, codePointStart } from '../characters.ts';
import type { DingTalkConfig } from '../config/robot.ts';
import type { MessageSink } from '../delivery/sink.ts';
import { BridgeError } from '../errors.ts';
import type { Message } from './callback.ts';
import type { ApiRequest, DingTalkClient } from './client.ts';

export interface RobotMessageOptions {
  client: DingTalkClient;
  config: DingTalkConfig;
  message: Pick<Message, 'chat' | 'sender'>;
}

/** The kind of a robot message, and its parameters as JSON text. */
export interface RobotContent {
  msgKey: string;
  msgParam: string;
}

interface Markdown {
  title: string;
  text: string;
}

/** Most people in one call of `oToMessages/batchSend` (page of the call). */
const MAX_PEOPLE = 20;

/**
 * Most bytes of `msgParam` (page of `groupMessages/send`). The page for single chats names no limit, so it is used
 * there too.
 */
const MAX_PARAM_BYTES = 15_000;

/**
 * Codes by which these two calls refuse for speed: they come with 400 and have no `Qps` in the name (pages of the
 * calls).
 */
const TOO_FAST: ReadonlySet<unknown> = new Set([
  'send.too.fast',
  'send.byToken.tooFast',
  'too.many.group',
  'too.many.people',
]);

/** The people who did not get the message although DingTalk accepted the call: unknown ones, and those who got too many. */
const sentToPeople = z.object({
  invalidStaffIdList: z.array(z.unknown()).nullish(),
  flowControlledStaffIdList: z.array(z.unknown()).nullish(),
});

/**
 * Markdown messages of the robot, which need no reply address: the second way to an asker. Each costs one call of the
 * month and needs the permission `qyapi_robot_sendmsg`. They mention no one: neither call takes an `at` (page of the
 * robot's abilities).
 */
export function createRobotMessage(options: RobotMessageOptions): MessageSink {
  return {
    async send({ title, text }) {
      for (const part of partsOf({ title, text })) await sendByRobot(options, markdown(part));
    },
  };
}

/** Sends one message of any kind to the chat of a message. @throws BridgeError when it was not sent. */
export async function sendByRobot(
  { client, config, message: { chat, sender } }: RobotMessageOptions,
  content: RobotContent,
): Promise<void> {
  if (!chat.isGroup) {
    // Unlike the call that makes a card, this one takes no union ids.
    if (sender.staffId === null) throw new BridgeError('dingtalk_card_no_target', 'the asker has no staff id');
    const failure = await sendToSome(client, config, [sender.staffId], content);
    if (failure) throw failure;
    return;
  }
  await call(client, 'sendToGroup', '/v1.0/robot/groupMessages/send', {
    robotCode: config.robotCode,
    openConversationId: chat.id,
    ...content,
  });
}

/**
 * Sends a notice into the single chats of people, for example administrators.
 *
 * @throws BridgeError when a call is refused, or when none of them got the notice. The people in the calls before a refused
 * one, 20 in each, have got it.
 */
export async function sendToPeople(
  client: DingTalkClient,
  config: DingTalkConfig,
  staffIds: readonly string[],
  notice: Markdown,
): Promise<void> {
  const people = [...new Set(staffIds)];
  const outcomes: (BridgeError | null)[] = [];
  for (let from = 0; from < people.length; from += MAX_PEOPLE) {
    for (const part of partsOf(notice)) {
      outcomes.push(await sendToSome(client, config, people.slice(from, from + MAX_PEOPLE), markdown(part)));
    }
  }
  const [failure] = outcomes;
  if (failure && !outcomes.includes(null)) throw failure;
}

/** One call, for at most `MAX_PEOPLE`. Returns why none of them got the message; null where one did. */
async function sendToSome(
  client: DingTalkClient,
  config: DingTalkConfig,
  userIds: readonly string[],
  content: RobotContent,
): Promise<BridgeError | null> {
  const answer = await call(client, 'sendToPeople', '/v1.0/robot/oToMessages/batchSend', {
    robotCode: config.robotCode,
    userIds,
    ...content,
  });
  const lists = sentToPeople.safeParse(answer).data;
  const throttled = lists?.flowControlledStaffIdList ?? [];
  const missed = new Set([...(lists?.invalidStaffIdList ?? []), ...throttled]);
  if (missed.size < userIds.length) return null;
  const facts = { api: 'sendToPeople', status: 200 };
  return throttled.length === 0
    ? new BridgeError('dingtalk_refused', 'DingTalk does not know whom the message is for', facts)
    : new BridgeError('dingtalk_qps', 'whom the message is for got too many', facts);
}

async function call(client: DingTalkClient, api: string, path: string, body: object): Promise<unknown> {
  const request: ApiRequest = { method: 'POST', path, body };
  try {
    return await client.call(api, request);
  } catch (error) {
    if (!(error instanceof BridgeError) || !TOO_FAST.has(error.facts['upstreamCode'])) throw error;
    throw new BridgeError('dingtalk_qps', error.message, error.facts, error);
  }
}

const markdown = (part: Markdown): RobotContent => ({ msgKey: 'sampleMarkdown', msgParam: paramOf(part) });

const paramOf = ({ title, text }: Markdown) => JSON.stringify({ title, text });

/**
 * The message, in parts where it is too long for one call. A page of an answer is short enough, except when it is full
 * of characters that JSON escapes with up to six bytes each. No other way is left, so the text is cut, not refused.
 */
function partsOf({ title, text }: Markdown): Markdown[] {
  if (Buffer.byteLength(paramOf({ title, text })) <= MAX_PARAM_BYTES || text.length < 2) return [{ title, text }];
  const middle = Math.ceil(text.length / 2);
  const lineEnd = text.lastIndexOf('\n', middle);
  const cut = lineEnd > 0 ? lineEnd : characterStart(text, middle) || codePointStart(text, middle) || middle;
  return [text.slice(0, cut), text.slice(cut)].flatMap((half) => partsOf({ title, text: half }));
}
