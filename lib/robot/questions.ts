import type { RobotConfig } from '../config/robot.ts';
import { showQueued } from '../delivery/queue-notice.ts';
import type { BackgroundWork, Platform } from '../runtime/platform.ts';
import type { Budget } from '../state/budget.ts';
import type { AcceptRequest } from '../state/state.ts';
import type { Accepted, Load } from '../state/told.ts';
import type { Texts } from '../texts/texts.ts';
import type { Channels } from '../turn/channels.ts';
import { askerOf, groupOf, userOfTurn, type Conversation } from '../turn/conversation.ts';
import { leaseEnd } from '../turn/lease-timing.ts';
import { questionQuote } from '../turn/question-line.ts';
import { noProgress, readPayload, referenceOf, turnIdOf } from '../turn/record.ts';
import type { Runner, RunnerOptions } from '../turn/runner.ts';
import type { Turn, TurnPayload } from '../turn/turn.ts';
import { isAdmin, rowOf } from './access.ts';
import { budgetOf } from './budget.ts';
import { sentence } from './intent.ts';
import type { Refusals } from './refusals.ts';
import { mayGreet, type Replies } from './replies.ts';

/** A question before it is on record. */
export interface AskedQuestion extends Pick<TurnPayload, 'message' | 'question' | 'form' | 'held'> {
  conversation: Conversation;
  /** What becomes of the files that the conversation holds. */
  heldFiles: AcceptRequest['heldFiles'];
  /** The owner that has claimed the message before; a new one where none has. */
  owner?: string;
}

export interface Questions {
  /**
   * Puts a question on record; resolves when it is safe to acknowledge it, with what it asks for after that. `isOurs`: no
   * person has sent it, so that it counts for no limit, and nothing is said where the line is full.
   */
  accept(asked: AskedQuestion, deadlineMs: number | null, isOurs?: boolean): Promise<BackgroundWork | null>;
}

export interface QuestionParts {
  channels: Channels;
  runner: Runner;
  replies: Replies;
  refusals: Refusals;
  /** Work for a message goes on beside what each message does for others (`createRobot`). */
  lookAfterOthers: (
    work: Promise<void>,
    told: { load: Pick<Load, 'overdue' | 'dueForms'>; budget?: Budget },
    platform: Platform,
  ) => Promise<void>;
}

export type QuestionOptions = Pick<
  RunnerOptions,
  'config' | 'texts' | 'chat' | 'state' | 'limiter' | 'leaseTiming' | 'clock' | 'newId' | 'log'
>;

/** A turn before the store has said how it stands. */
type NewTurn = Omit<Turn, 'record' | 'level'>;

/** Most questions that may wait in one conversation. `texts.queueFull` tells it. */
const QUEUE_LIMIT = 5;

/** What a person reads who has asked too often. The store counts by windows of the clock (`AcceptRequest.rate`). */
function rateLimitedText({ access: { rateLimit } }: RobotConfig, texts: Texts, atMs: number): string {
  const { questions, windowMs } = rateLimit ?? { questions: 0, windowMs: 1 };
  return texts.rateLimited(questions, windowMs - (atMs % windowMs));
}

/** A robot is told neither that it asks too much nor that too many questions wait: it would answer that as well. */
const mayAnswerRobot = (kind: Accepted['kind']) => kind === 'started' || kind === 'queued';

/** Accepts questions: each is on record before it is acknowledged. */
export function createQuestions(options: QuestionOptions, parts: QuestionParts): Questions {
  const { config, texts, chat, state, leaseTiming, clock, newId, log } = options;
  const { channels, runner, replies, refusals, lookAfterOthers } = parts;
  /** Each resolves when the greeting of a conversation has been shown and the card behind it is being opened. */
  const greetings = new Map<string, Promise<void>>();

  return {
    async accept(asked, deadlineMs, isOurs = false) {
      const { message, question, form, held, heldFiles, conversation, owner = newId() } = asked;
      const acceptedAtMs = clock.now();
      const id = turnIdOf(message.id);
      const payload: TurnPayload = { message, question, acceptedAtMs, form, held };
      const request: AcceptRequest = {
        turnId: id,
        owner,
        asker: askerOf(message),
        conversationKey: conversation.key,
        conversationTtlMs: config.conversation.ttlMs,
        payload: JSON.stringify(payload),
        heldFiles,
        nowMs: acceptedAtMs,
        leaseUntilMs: leaseEnd(acceptedAtMs, leaseTiming, deadlineMs),
        queueLimit: QUEUE_LIMIT,
        budget: budgetOf(message, config, acceptedAtMs),
        rate: isOurs || isAdmin(message, config.access) ? null : config.access.rateLimit,
        row: rowOf(message),
        formsOf: isAdmin(message, config.access) ? groupOf(message, config.conversation.scope) : null,
      };
      const turn: NewTurn = {
        ...payload,
        id,
        reference: referenceOf(id),
        conversationKey: conversation.key,
        user: userOfTurn(payload, config.conversation.scope),
        progress: null,
        hasWaited: false,
        mayHaveBeenAsked: false,
        isStopped: false,
        acceptMs: null,
      };
      const accepted = await state.accept(request);
      turn.acceptMs = clock.now() - acceptedAtMs;
      if (isOurs && accepted.kind === 'full') return null;
      if (accepted.kind !== 'unrecorded') return begin(accepted, turn, conversation, owner);
      return async (platform) => {
        // The request may have been carried out with only its answer lost: repeated by the same owner it gets the same reply.
        const again = await state.accept(request);
        await begin(again, turn, conversation, owner)?.(platform);
      };
    },
  };

  /** What an accepted question asks for after the acknowledgement; null for a repeated one. */
  function begin(accepted: Accepted, turn: NewTurn, conversation: Conversation, owner: string): BackgroundWork | null {
    if (accepted.kind === 'duplicate') {
      log.info('message_repeated', { robot: config.name });
      return null;
    }
    const { id, reference, message } = turn;
    // Without the store it is not known how many answers robots have got.
    if (accepted.kind === 'silent' || (message.fromRobot && !mayAnswerRobot(accepted.kind))) {
      log.warn('robot_not_answered', { turn: reference, robot: config.name });
      return null;
    }
    log.info('message_accepted', { turn: reference, robot: config.name, kind: `question-${accepted.kind}` });
    if (accepted.kind === 'unrecorded') {
      const record = { fence: 1, owner, hop: 0, context: null };
      return (platform) => runner.run({ ...turn, level: 'full', record }, platform);
    }
    runner.noteRunning(accepted.load.running, accepted.kind === 'started');
    const respond = (text: string) => replies.respond(sentence(text), id, message, conversation);
    switch (accepted.kind) {
      case 'started':
        return start(accepted, turn, owner);
      case 'queued':
        return (platform) => lookAfterOthers(waitInLine(accepted, turn), accepted, platform);
      case 'unheld':
        return (platform) => lookAfterOthers(respond(texts.nothingHeld), accepted, platform);
      case 'full':
        return (platform) => lookAfterOthers(respond(texts.queueFull), accepted, platform);
      case 'limited':
        return async (platform) => {
          const { isNew } = await refusals.claimTelling('limit', message, conversation.key);
          await lookAfterOthers(
            isNew ? respond(rateLimitedText(config, texts, turn.acceptedAtMs)) : Promise.resolve(),
            accepted,
            platform,
          );
        };
    }
  }

  function start(
    { budget, turn: { fence, context }, isFirst, payload, load }: Extract<Accepted, { kind: 'started' }>,
    turn: NewTurn,
    owner: string,
  ): BackgroundWork {
    const { held, heldIsOver } = (payload ? readPayload(payload) : null) ?? turn;
    const record = { fence, context, owner, hop: 0 };
    const started: Turn = { ...turn, held, heldIsOver, level: budget.level, record };
    const isGreeted = isFirst && !turn.message.fromRobot && mayGreet(turn.message, config.conversation.scope);
    return (platform) => {
      const answer = () => runner.run(started, platform);
      const work = isGreeted ? greetBefore(answer, turn) : answer();
      return lookAfterOthers(work, { load, budget }, platform);
    };
  }

  /** The greeting stands before the cards of its conversation, in the order of their questions. Never rejects. */
  async function greetBefore(
    answer: () => Promise<void>,
    { message, reference, conversationKey }: NewTurn,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    greetings.set(conversationKey, promise);
    await replies.greet(message, reference);
    greetings.delete(conversationKey);
    const answering = answer();
    resolve();
    await answering;
  }

  /** Tells the asker that the question waits. Never rejects. */
  async function waitInLine(
    { place, budget }: Extract<Accepted, { kind: 'queued' }>,
    { id, reference, message, question, conversationKey }: NewTurn,
  ): Promise<void> {
    await greetings.get(conversationKey);
    let cardKey: string | undefined;
    await showQueued(
      { reference, place, quote: questionQuote({ message, question }, config, texts) },
      {
        ...options,
        card: (onCall) =>
          channels.cardOf({ id, message, question, level: budget.level }, onCall, (named) => (cardKey = named)),
        reply: chat.replyTo(message, reference),
        endDropped: (hasCard) => channels.endDropped(id, hasCard),
        record: async (card) =>
          (
            await state.noteWaiting({
              turnId: id,
              progress: JSON.stringify({ ...noProgress, ...card, cardKey, isQuoted: true }),
            })
          ).state,
        isWaiting: async () => (await state.peek(id)).state === 'queued',
      },
    );
  }
}
