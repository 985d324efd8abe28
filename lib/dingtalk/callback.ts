import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { parseJson } from '../runtime/json.ts';
import type { Content, LeftOut, Quoted } from './message-kinds.ts';
import { readMessage } from './read-message.ts';

/** A message that a person sent to the robot. */
export interface Message {
  kind: 'message';
  /** DingTalk's id of the message: the same in every redelivery. */
  id: string;
  chat: { id: string; isGroup: boolean; title: string | null };
  sender: Sender;
  /**
   * The address for replies without a permission, and when it closes (milliseconds since the epoch); null where the
   * callback has no time.
   */
  session: { webhook: string; expiresAtMs: number | null } | null;
  corpId: string | null;
  content: Content;
  /** The message that this one refers to. */
  quoted: Quoted | null;
  /** What of the message, and of what it refers to, cannot be fetched; absent where nothing is missing. */
  leftOut?: LeftOut;
  /** Another robot sent it. */
  fromRobot?: true;
}

export interface Sender {
  /** The userId within the organisation. Absent for external members and before the app is published. */
  staffId: string | null;
  unionId: string | null;
  /** Encrypted id. It is always there, but no other call takes it. */
  id: string;
  nick: string;
  isAdmin: boolean;
}

/** A callback without content: DingTalk says that the organisation's monthly message allowance is used up. */
export interface QuotaNotice {
  kind: 'quota-notice';
  robotCode: string | null;
}

export type Callback = (Message & { robotCode: string | null }) | QuotaNotice;

/** `errorCode` of the notice (robot message types page). */
const QUOTA_ERROR_CODE = '20001';

const id = z.string().min(1).max(512);

const numeric = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);

/** A field that is left out where it cannot be read: no message is refused for it. */
const optional = <T extends z.ZodType>(field: T) => field.nullish().catch(null);

// Wire schemas name only the fields that are used and accept null, because DingTalk adds and omits fields freely.
const envelope = z.looseObject({
  msgId: id,
  msgtype: z.string().nullish(),
  conversationId: id,
  conversationType: z.union([z.literal('1'), z.literal('2'), z.literal(1), z.literal(2)]),
  conversationTitle: optional(z.string()),
  senderId: id,
  senderStaffId: z.string().nullish(),
  senderUnionId: z.string().nullish(),
  senderNick: optional(z.string()),
  isAdmin: optional(z.boolean()),
  chatbotCorpId: optional(z.string()),
  robotCode: z.string().nullish(),
  sessionWebhook: z.string().nullish(),
  sessionWebhookExpiredTime: optional(numeric),
});

const notice = z.looseObject({ errorCode: z.union([z.string(), z.number()]), robotCode: z.string().nullish() });

/**
 * Reads the body of a robot callback.
 *
 * @throws BridgeError `body_invalid` with a one-line reason that names fields, never values.
 */
export function readCallback(body: string): Callback {
  const json = parseJson(body);
  if (json === undefined) throw new BridgeError('body_invalid', 'the body is not JSON');
  const quota = notice.safeParse(json);
  if (quota.success && String(quota.data.errorCode) === QUOTA_ERROR_CODE) {
    return { kind: 'quota-notice', robotCode: quota.data.robotCode || null };
  }
  const parsed = envelope.safeParse(json);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
    throw new BridgeError('body_invalid', `missing or malformed: ${fields.join(', ')}`);
  }
  const wire = parsed.data;
  return {
    kind: 'message',
    id: wire.msgId,
    chat: {
      id: wire.conversationId,
      isGroup: String(wire.conversationType) === '2',
      title: wire.conversationTitle || null,
    },
    sender: {
      staffId: wire.senderStaffId || null,
      unionId: wire.senderUnionId || null,
      id: wire.senderId,
      nick: wire.senderNick ?? '',
      isAdmin: wire.isAdmin ?? false,
    },
    session: wire.sessionWebhook
      ? { webhook: wire.sessionWebhook, expiresAtMs: wire.sessionWebhookExpiredTime ?? null }
      : null,
    corpId: wire.chatbotCorpId || null,
    robotCode: wire.robotCode || null,
    ...readMessage(wire.msgtype ?? '', wire),
  };
}
