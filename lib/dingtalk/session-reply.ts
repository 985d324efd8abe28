import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import type { MessageSink } from '../delivery/sink.ts';
import { BridgeError, isUnanswered, isUnsafe, type DeliveryErrorCode } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { digest } from '../runtime/digest.ts';
import { retry } from '../runtime/retry.ts';
import type { Message } from './callback.ts';
import { isUnheard } from './failures.ts';
import { send } from './http.ts';

/** HTTP is 200 also for a refusal: `errcode` says which. One official sample has it as a string. */
const answerBody = z.object({ errcode: z.union([z.number(), z.string().transform(Number)]) });

const ERRCODES: Readonly<Record<number, DeliveryErrorCode>> = {
  300001: 'dingtalk_session_expired',
  130101: 'dingtalk_qps',
  410100: 'dingtalk_qps',
  430101: 'dingtalk_content_unsafe',
  430102: 'dingtalk_content_unsafe',
  430103: 'dingtalk_content_unsafe',
  430104: 'dingtalk_content_unsafe',
  90030: 'dingtalk_month_used_up',
  [-1]: 'dingtalk_server_error',
  // The gateway waited for 3 s (retry page). The message may have been sent.
  15: 'dingtalk_unreachable',
};

const TIMEOUT_MS = 8_000;

/** The gateway's limit, which counts by the second. That of the address, 20 messages a minute, comes as an `errcode`. */
const TOO_MANY = 429;

/** Pauses before each repeat of a message that got no answer, or came too fast for the gateway. */
const RETRY_MS = [1_000, 1_000, 1_000] as const;

export interface SessionReplyOptions {
  config: DingTalkConfig;
  message: Pick<Message, 'id' | 'chat' | 'sender' | 'session'>;
  fetch: Fetch;
  clock: Clock;
}

/** Markdown messages through the reply address of the callback. It takes no access token and needs no permission. */
export function createSessionReply({ config, message, fetch, clock }: SessionReplyOptions): MessageSink {
  async function post(webhook: string, body: object): Promise<void> {
    const answer = await send(fetch, clock, 'sendBySession', {
      method: 'POST',
      url: webhook,
      body,
      timeoutMs: TIMEOUT_MS,
    });
    const errcode = answerBody.safeParse(answer.json).data?.errcode;
    if (answer.status === 200 && errcode === 0) return;
    const code =
      (errcode === undefined ? undefined : ERRCODES[errcode]) ??
      (isUnheard(answer.status) ? 'dingtalk_unreachable' : null) ??
      (answer.status === TOO_MANY ? 'dingtalk_qps' : null) ??
      (answer.status >= 500 ? 'dingtalk_server_error' : 'dingtalk_refused');
    throw new BridgeError(code, 'DingTalk refused the reply', {
      api: 'sendBySession',
      status: answer.status,
      upstreamCode: errcode ?? null,
    });
  }

  /** How often each text was sent: an answer may have the same part twice. A repeat after a refusal is the same part. */
  const sent = new Map<string, number>();

  return {
    async send({ title, text, mentionAsker }) {
      const times = (sent.get(text) ?? 0) + 1;
      const webhook = trustedWebhook(config, message.session, clock);
      const mentioned = mentionAsker && message.chat.isGroup ? message.sender.staffId : null;
      const body = {
        msgtype: 'markdown',
        // Each instance that sends the same message below the same question makes the same id: DingTalk shows it once.
        msgUuid: digest(`${message.id}\n${times}\n${text}`),
        // A mention works only when the id also stands in the text.
        markdown: { title, text: mentioned ? `@${mentioned}  \n\n${text}` : text },
        ...(mentioned ? { at: { atUserIds: [mentioned], isAtAll: false } } : {}),
      };
      let unanswered: unknown = null;
      // After a try without an answer the message may be there. DingTalk knows a repeat by its id (decision 25).
      const mayRetry = (error: unknown) => {
        if (isUnanswered(error)) unanswered = error;
        return (unanswered !== null && !isUnsafe(error)) || isTooFast(error);
      };
      await retry(() => post(webhook, body), { clock, pausesMs: RETRY_MS, mayRetry }).catch((error: unknown) => {
        // A refusal of a repeat proves nothing about the tries before it, and a message that may be there must not be
        // sent by another way.
        throw isUnsafe(error) ? error : (unanswered ?? error);
      });
      sent.set(text, times);
    },
  };
}

const isTooFast = (error: unknown) => error instanceof BridgeError && error.facts['status'] === TOO_MANY;

/**
 * The signature does not cover the body, so the reply address is used only when it is one of DingTalk.
 *
 * @throws BridgeError `dingtalk_session_missing`, `dingtalk_session_untrusted` or `dingtalk_session_expired`.
 */
function trustedWebhook(config: DingTalkConfig, session: Message['session'], clock: Clock): string {
  if (!session) throw new BridgeError('dingtalk_session_missing', 'the callback had no reply address');
  const url = URL.parse(session.webhook);
  const trusted =
    url?.origin === new URL(config.oapiUrl).origin &&
    url.pathname === '/robot/sendBySession' &&
    url.username === '' &&
    url.password === '';
  if (!trusted) throw new BridgeError('dingtalk_session_untrusted', 'the reply address is not of DingTalk');
  if (session.expiresAtMs !== null && clock.now() >= session.expiresAtMs) {
    throw new BridgeError('dingtalk_session_expired', 'the reply address has expired');
  }
  return url.href;
}
