import type { QuestionPorts } from '../ask/question.ts';
import type { RobotConfig } from '../config/robot.ts';
import { createFollowUps, type FollowUps } from '../delivery/follow-ups.ts';
import type { Limiter } from '../delivery/limiter.ts';
import { paceOf, type Pace, type Streaming } from '../delivery/pace.ts';
import { firstThatWorks, type CardSink, type MessageSink } from '../delivery/sink.ts';
import { createWriter } from '../delivery/writer.ts';
import type { DifyClient } from '../dify/ask.ts';
import type { DifyFiles } from '../dify/files.ts';
import { createAiCard, updateCard, writeFrame } from '../dingtalk/ai-card.ts';
import type { Message } from '../dingtalk/callback.ts';
import { watchCard, type CardBreaker } from '../dingtalk/card-breaker.ts';
import type { CardCallback } from '../dingtalk/card-callback.ts';
import { countCalls, type DingTalkClient } from '../dingtalk/client.ts';
import { cardRefusals } from '../dingtalk/failures.ts';
import { createFileMessages } from '../dingtalk/file-message.ts';
import { createRobotMessage } from '../dingtalk/robot-message.ts';
import { downloadAddress } from '../dingtalk/sent-file.ts';
import { createSessionReply } from '../dingtalk/session-reply.ts';
import { createAttachments, type Attachments } from '../files/attachments.ts';
import { createResultFiles } from '../files/outbound.ts';
import type { Download } from '../net/download.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { SpendingLevel } from '../state/budget.ts';
import type { Texts } from '../texts/texts.ts';
import { referenceOf } from './record.ts';
import type { Turn } from './turn.ts';

export interface ChannelOptions {
  config: RobotConfig;
  texts: Texts;
  dingtalk: DingTalkClient;
  dify: DifyClient;
  suggest: (messageId: string, user: string) => Promise<string[]>;
  download: Download;
  /** For the files that people send. */
  difyFiles: DifyFiles;
  callback: CardCallback;
  limiter: Limiter;
  breaker: CardBreaker;
  fetch: Fetch;
  clock: Clock;
  newId: () => string;
  log: Log;
  shutdown: AbortSignal;
}

/** A question as far as its card shows it. */
export type CardOf = Pick<Turn, 'id' | 'message' | 'question' | 'level'>;

/** The ways from a robot into a chat. */
export interface Channels {
  /**
   * Where messages to the asker go: the session's address, else the robot's own messages; `reference` is in the log where
   * one takes another way.
   */
  replyTo(message: Message, reference: string): MessageSink;
  /** Null without a template, or while cards are left alone. `onCall` is told of each call that counts. */
  cardOf(turn: CardOf, onCall: () => void): CardSink | null;
  /** Everything that a turn shows itself by. `onCall` is told of each call that counts. */
  forTurn(turn: Turn, deadlineMs: number | null, onCall: () => void): TurnChannels;
  /** Ends the card of a question that gets no answer. Never rejects. */
  endCard(turnId: string, text: string): Promise<void>;
}

export interface TurnChannels {
  /** Null without a template, or while cards are left alone. */
  card: () => CardSink | null;
  reply: MessageSink;
  pace: Pace;
  /** For the files of the answer; null where nothing may be spent on them. */
  openAttachments: () => Attachments | null;
  sentFiles: QuestionPorts['sentFiles'];
  followUps: FollowUps;
}

/** How often a card is updated at most, as far as the month allows. */
const SPENDING_PACE: Readonly<Record<SpendingLevel, Streaming>> = {
  full: 'smooth',
  few: 'thrifty',
  last: 'off',
  none: 'off',
};

const BY_COST: readonly Streaming[] = ['off', 'thrifty', 'balanced', 'smooth'];

/** Most files of one answer: each costs two calls of the month. */
const MAX_FILES: Readonly<Record<SpendingLevel, number>> = { full: 9, few: 3, last: 0, none: 0 };

/** What remains of an invocation for the end of its turn, once files are given up. */
const FILES_RESERVE_MS = 8_000;

const thriftier = (a: Streaming, b: Streaming): Streaming => (BY_COST.indexOf(a) <= BY_COST.indexOf(b) ? a : b);

export function createChannels(options: ChannelOptions): Channels {
  const { config, texts, dingtalk, clock, newId, log, limiter, breaker, fetch, shutdown } = options;

  const replyTo = (message: Message, reference: string, client = dingtalk): MessageSink =>
    firstThatWorks(
      [
        createSessionReply({ config: config.dingtalk, message, fetch, clock }),
        createRobotMessage({ client, config: config.dingtalk, message }),
      ],
      (error) => log.warn('reply_fallback', { turn: reference, ...errorFields(error) }),
    );

  function cardOf({ id, message, question, level }: CardOf, client: DingTalkClient): CardSink | null {
    const templateId = config.dingtalk.cardTemplateId;
    if (templateId === null || level === 'none') return null;
    if (!breaker.mayOpen()) {
      log.warn('cards_left_alone', { turn: referenceOf(id), code: breaker.reason() });
      return null;
    }
    const card = createAiCard({
      client,
      config: config.dingtalk,
      templateId,
      message,
      cardId: id,
      summary: summaryOf(question),
      routeKey: () => options.callback.routeKey(),
    });
    return watchCard(card, breaker, message.sender.id);
  }

  function openAttachments(
    { message, level, reference }: Turn,
    deadlineMs: number | null,
    client: DingTalkClient,
  ): Attachments | null {
    const limit = MAX_FILES[level];
    if (limit === 0) return null;
    const { filesUrl } = config.dify;
    const results = createResultFiles({ download: options.download, dingtalk: client, filesUrl, clock });
    const messages = createFileMessages({ client, config: config.dingtalk, message, fetch, clock });
    const late = new AbortController();
    // What is not here by then is named, instead of a turn that somebody else would have to end.
    if (deadlineMs !== null)
      clock.schedule(Math.max(0, deadlineMs - clock.now() - FILES_RESERVE_MS), () => late.abort());
    const signal = AbortSignal.any([shutdown, late.signal]);
    return createAttachments({ results, messages, limit, signal, clock, log, reference });
  }

  /** Calls for an answer beside its frames, as far as they are known: it shall not cost more for them. */
  function reservedFor({ level }: Turn): () => number {
    const registering = options.callback.isPending() ? 1 : 0;
    let suggesting = 0;
    if (level === 'full') {
      options.dify.facts().then(
        ({ suggestsQuestions }) => (suggesting = suggestsQuestions ? 1 : 0),
        () => undefined,
      );
    }
    return () => registering + suggesting;
  }

  return {
    replyTo: (message, reference) => replyTo(message, reference),
    cardOf: (turn, onCall) => cardOf(turn, countCalls(dingtalk, onCall)),
    forTurn(turn, deadlineMs, onCall) {
      const client = countCalls(dingtalk, onCall);
      const reply = replyTo(turn.message, turn.reference, client);
      return {
        card: () => cardOf(turn, client),
        reply,
        pace: paceOf(thriftier(config.streaming, SPENDING_PACE[turn.level]), reservedFor(turn)),
        openAttachments: () => openAttachments(turn, deadlineMs, client),
        sentFiles: {
          addressOf: (code) => downloadAddress(client, config.dingtalk.robotCode, code),
          download: options.download,
          dify: options.difyFiles,
        },
        followUps: createFollowUps({
          robot: config,
          texts,
          facts: () => options.dify.facts(),
          suggest: options.suggest,
          amend: (turnId, variables) => updateCard(dingtalk, turnId, { variables }),
          reply,
          log,
        }),
      };
    },
    async endCard(turnId, text) {
      if (config.dingtalk.cardTemplateId === null) return;
      const warn = (error: unknown) => log.warn('frame_failed', { turn: referenceOf(turnId), ...errorFields(error) });
      const writer = createWriter({
        sink: {
          open: async () => undefined,
          write: (frame) => writeFrame(dingtalk, config.dingtalk, turnId, frame),
          ...cardRefusals,
        },
        opened: Promise.resolve(),
        pace: paceOf('off'),
        clock,
        newId,
        settleMs: 0,
        slot: (priority, signal) => limiter.slot('stream', priority, signal),
        onFrameFailed: warn,
        onFrameShown: () => undefined,
      });
      await writer.finish({ text, state: 'finished' }).catch(() => undefined);
    },
  };
}

/** The beginning of the question, for the chat list. */
function summaryOf(question: string): string {
  const line = Array.from(question.replaceAll(/\s+/g, ' '));
  return line.length <= 40 ? line.join('') : `${line.slice(0, 39).join('')}…`;
}
