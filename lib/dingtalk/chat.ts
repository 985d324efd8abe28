import type { DingTalkConfig } from '../config/robot.ts';
import { firstThatWorks, type CardSink, type MessageSink } from '../delivery/sink.ts';
import type { BridgeError } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { createAiCard, openedCard, updateCard, type AiCardOptions } from './ai-card.ts';
import type { Message, Sender } from './callback.ts';
import { watchCard, type CardBreaker } from './card-breaker.ts';
import type { CardExtras } from './card-extras.ts';
import type { CardCallback } from './card-callback.ts';
import { countCalls, type DingTalkClient } from './client.ts';
import { createFileMessages, type FileMessages } from './file-message.ts';
import { createRobotMessage, sendToPeople } from './robot-message.ts';
import { downloadAddress } from './sent-file.ts';
import { createSessionReply } from './session-reply.ts';

/** The message that is answered: its chat, its sender and its reply address. */
export type Addressee = Pick<Message, 'id' | 'chat' | 'sender' | 'session'>;

/** Variables that this person alone sees. */
export interface OwnVariables {
  person: Pick<Sender, 'staffId' | 'unionId'>;
  variables: Readonly<Record<string, string>>;
}

export interface NewCard {
  /** DingTalk's `outTrackId`: ours to choose, at most 100 characters, unique. */
  id: string;
  message: Addressee;
  /** What the chat list shows at first, and to the end where DingTalk does not let it follow the answer. */
  summary: string;
  /** What it answers, for templates that show it. */
  question: string;
  /** The name of the app that answers, as far as it is known when the card is made. */
  app: () => string;
  /** In the log line that says why no card is tried. */
  reference: string;
  onNamed?: AiCardOptions['onNamed'];
}

/** The ways from one robot into its chats. */
export interface Chat {
  /**
   * Messages to the asker: through the session's address, else as messages of the robot.
   *
   * @param reference in the log line that says why a message took the second way.
   */
  replyTo(message: Addressee, reference: string): MessageSink;
  /** Messages through the session's address only: they cost no call of the month, and can mention the asker. */
  sessionReplyTo(message: Addressee): MessageSink;
  /** Null without a template, and while the breaker keeps answers off cards. */
  newCard(card: NewCard): CardSink | null;
  /** A card that was opened before, by this instance or another one; null without a template. */
  openedCard(cardId: string): CardSink | null;
  /**
   * Changes variables of a card, also of one that has ended: for everybody, for one person, or both in one call. A person
   * without ids is left out; where nothing is left to change, there is no call.
   *
   * @throws BridgeError when they were not changed.
   */
  amend(cardId: string, variables: Readonly<Record<string, string>> | null, own?: OwnVariables): Promise<void>;
  /** Sends a notice into the single chats of people. @throws BridgeError when none of them got it, or a call is refused. */
  notify(staffIds: readonly string[], notice: { title: string; text: string }): Promise<void>;
  /** Where a file that a person sent can be fetched, for a short time. @throws BridgeError `file_unavailable`. */
  addressOf(downloadCode: string): Promise<string>;
  /** Gives a file to DingTalk and returns its media id. @throws BridgeError with a `dingtalk_…` code. */
  upload: DingTalkClient['upload'];
  fileMessagesTo(message: Addressee): FileMessages;
  /** Whether the next card may cost a call for the registration of its buttons. */
  mayRegister(): boolean;
  /** The same chat, calling `onCall` with each call that counts for the organisation's month. */
  counting(onCall: () => void): Chat;
}

export interface ChatOptions {
  config: DingTalkConfig;
  client: DingTalkClient;
  callback: CardCallback;
  breaker: CardBreaker;
  extras: CardExtras;
  fetch: Fetch;
  clock: Clock;
  log: Log;
}

export function createChat(options: ChatOptions): Chat {
  const { config, client, callback, breaker, extras, fetch, clock, log } = options;
  const sessionReplyTo = (message: Addressee) => createSessionReply({ config, message, fetch, clock });
  return {
    sessionReplyTo,
    replyTo: (message, reference) =>
      firstThatWorks([sessionReplyTo(message), createRobotMessage({ client, config, message })], (error) =>
        log.warn('reply_fallback', { turn: reference, ...errorFields(error) }),
      ),
    newCard({ id, message, summary, question, app, reference, onNamed }) {
      const templateId = config.cardTemplateId;
      if (templateId === null) return null;
      if (!breaker.mayOpen()) {
        log.warn('cards_left_alone', { turn: reference, code: breaker.reason() });
        return null;
      }
      const routeKey = () => callback.routeKey();
      const onExtrasRefused = (error: BridgeError) =>
        log.warn('card_extras_refused', { turn: reference, ...errorFields(error) });
      const own = { summary, question, app, extras, onExtrasRefused, routeKey, onNamed };
      const card = createAiCard({ client, config, templateId, message, cardId: id, ...own });
      return watchCard(card, breaker, message.sender.id);
    },
    openedCard: (cardId) =>
      config.cardTemplateId === null ? null : { open: async () => undefined, ...openedCard(client, config, cardId) },
    async amend(cardId, variables, own) {
      const { staffId = null, unionId = null } = own?.person ?? {};
      const userId = staffId ?? unionId;
      const change = {
        ...(variables && { variables }),
        ...(own && userId !== null && { own: { userId, isUnionId: staffId === null, variables: own.variables } }),
      };
      if (Object.keys(change).length > 0) await updateCard(client, cardId, change);
    },
    notify: (staffIds, notice) => sendToPeople(client, config, staffIds, notice),
    addressOf: (downloadCode) => downloadAddress(client, config.robotCode, downloadCode),
    upload: (file) => client.upload(file),
    fileMessagesTo: (message) => createFileMessages({ client, config, message, fetch, clock }),
    mayRegister: () => callback.isPending(),
    counting: (onCall) => createChat({ ...options, client: countCalls(client, onCall) }),
  };
}
