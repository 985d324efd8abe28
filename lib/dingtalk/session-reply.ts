import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import type { MessageSink } from '../delivery/sink.ts';
import { BridgeError, isUnanswered, isUnsafe, type DeliveryErrorCode } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import type { Message } from './callback.ts';
import { send } from './http.ts';

/** HTTP is 200 even on failure; `errcode` decides, and one official sample has it as a string. */
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
};

const TIMEOUT_MS = 8_000;

/** Tries of one message, while they have no answer; and the pause between them. */
const MAX_TRIES = 4;

const RETRY_MS = 1_000;

export interface SessionReplyOptions {
  config: DingTalkConfig;
  message: Pick<Message, 'id' | 'chat' | 'sender' | 'session'>;
  fetch: Fetch;
  clock: Clock;
}

/** Markdown messages through the callback's own reply address: no access token, no permission. */
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
      (answer.status >= 500 ? 'dingtalk_server_error' : 'dingtalk_refused');
    throw new BridgeError(code, 'DingTalk refused the reply', {
      api: 'sendBySession',
      status: answer.status,
      upstreamCode: errcode ?? null,
    });
  }

  /** Texts that were sent, with how often: an answer may have the same part twice. */
  const sent = new Map<string, number>();

  return {
    async send({ title, text, mentionAsker }) {
      const times = (sent.get(text) ?? 0) + 1;
      sent.set(text, times);
      const webhook = trustedWebhook(config, message.session, clock);
      const mentioned = mentionAsker && message.chat.isGroup ? message.sender.staffId : null;
      const body = {
        msgtype: 'markdown',
        msgUuid: uuidOf(message.id, times, text),
        // A mention works only when the id also stands in the text.
        markdown: { title, text: mentioned ? `@${mentioned}  \n\n${text}` : text },
        ...(mentioned ? { at: { atUserIds: [mentioned], isAtAll: false } } : {}),
      };
      let unanswered: unknown = null;
      for (let tries = 1; ; tries += 1) {
        try {
          await post(webhook, body);
          return;
        } catch (error) {
          // Without an answer it may have been sent, or not at all: its id lets DingTalk tell (decision 25).
          if (isUnsafe(error)) throw error;
          if (isUnanswered(error)) unanswered = error;
          // What is refused now may be there from a try before: then it must not go another way.
          if (tries === MAX_TRIES || unanswered === null) throw unanswered ?? error;
          await sleep(clock, RETRY_MS);
        }
      }
    },
  };
}

/** The same for the same message below the same question, whoever sends it: DingTalk then shows it once. */
function uuidOf(messageId: string, times: number, text: string): string {
  return createHash('sha256').update(`${messageId}\n${times}\n${text}`).digest('hex').slice(0, 32);
}

/**
 * The body is not covered by the signature, so its address is only believed when it is DingTalk's own.
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
