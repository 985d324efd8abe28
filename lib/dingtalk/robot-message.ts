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

/** People who did not get a message although DingTalk accepted the call. */
export interface NotReached {
  /** DingTalk does not know these ids, or they may not use the app. */
  unknown: readonly string[];
  /** These got too many messages lately. A later message may reach them. */
  throttled: readonly string[];
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

const sentToPeople = z.object({
  invalidStaffIdList: z.array(z.string()).nullish(),
  flowControlledStaffIdList: z.array(z.string()).nullish(),
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
  if (!chat.isGroup) return sendToPerson(client, config, sender.staffId, content);
  await call(client, 'sendToGroup', '/v1.0/robot/groupMessages/send', {
    robotCode: config.robotCode,
    openConversationId: chat.id,
    ...content,
  });
}

/**
 * Sends a notice into the single chats of people, for example administrators.
 *
 * @throws BridgeError when a call is refused. The people in the calls before it, 20 in each, have got the notice.
 */
export async function sendToPeople(
  client: DingTalkClient,
  config: DingTalkConfig,
  staffIds: readonly string[],
  notice: Markdown,
): Promise<NotReached> {
  const people = [...new Set(staffIds)];
  const unknown: string[] = [];
  const throttled: string[] = [];
  for (let from = 0; from < people.length; from += MAX_PEOPLE) {
    for (const part of partsOf(notice)) {
      const missed = await sendToSome(client, config, people.slice(from, from + MAX_PEOPLE), markdown(part));
      unknown.push(...missed.unknown);
      throttled.push(...missed.throttled);
    }
  }
  return { unknown, throttled };
}

/** One call, for at most `MAX_PEOPLE`. */
async function sendToSome(
  client: DingTalkClient,
  config: DingTalkConfig,
  userIds: readonly string[],
  content: RobotContent,
): Promise<NotReached> {
  const answer = await call(client, 'sendToPeople', '/v1.0/robot/oToMessages/batchSend', {
    robotCode: config.robotCode,
    userIds,
    ...content,
  });
  const lists = sentToPeople.safeParse(answer).data;
  return { unknown: lists?.invalidStaffIdList ?? [], throttled: lists?.flowControlledStaffIdList ?? [] };
}

async function sendToPerson(
  client: DingTalkClient,
  config: DingTalkConfig,
  staffId: string | null,
  content: RobotContent,
): Promise<void> {
  // Unlike the call that makes a card, this one takes no union ids.
  if (staffId === null) throw new BridgeError('dingtalk_card_no_target', 'the asker has no staff id');
  const { unknown, throttled } = await sendToSome(client, config, [staffId], content);
  const facts = { api: 'sendToPeople', status: 200 };
  if (unknown.length > 0) throw new BridgeError('dingtalk_refused', 'DingTalk does not know the asker', facts);
  if (throttled.length > 0) throw new BridgeError('dingtalk_qps', 'the asker got too many messages', facts);
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
