import type { TurnPayload } from '../turn/turn.ts';
import type { FormSubmission } from '../ask/form.ts';
import type { RobotConfig } from '../config/robot.ts';
import { showQueued } from '../delivery/queue-notice.ts';
import type { Callback, Message } from '../dingtalk/callback.ts';
import type { CardAction } from '../dingtalk/card-action.ts';
import { errorFields } from '../runtime/log.ts';
import type { BackgroundWork, Platform } from '../runtime/platform.ts';
import type { Budget } from '../state/budget.ts';
import type { AcceptRequest, Accepted, Load } from '../state/state.ts';
import { createChannels } from '../turn/channels.ts';
import { askerOf, conversationOf } from '../turn/conversation.ts';
import { readHandover } from '../turn/handover.ts';
import { leaseEnd } from '../turn/lease.ts';
import { noProgress, referenceOf, turnIdOf } from '../turn/record.ts';
import { createRunner, type RunnerOptions } from '../turn/runner.ts';
import type { Turn } from '../turn/turn.ts';
import { isAdmin, mayAsk } from './access.ts';
import { budgetOf, tellOfMonth } from './budget.ts';
import type { Reaction } from './buttons.ts';
import { readFormAnswer, readIntent, sentence } from './intent.ts';
import { createButtons } from './press.ts';
import { createRefusals } from './refusals.ts';
import { createReplies, mayGreet } from './replies.ts';
import { reportOf, type StatusReport } from './status.ts';

/** The side of a robot that the receiver sees. */
export interface ReceivingRobot {
  config: RobotConfig;
  /** Takes a message over; resolves when it is safe to acknowledge it, with the work that remains, if any. */
  accept(message: Extract<Callback, { kind: 'message' }>, platform: Platform): Promise<BackgroundWork | null>;
  /** Does what a button asks for; what it returns is for the one who pressed. Never rejects. */
  act(action: CardAction, platform: Platform): Promise<Reaction>;
  /**
   * Takes over a turn that another invocation hands on; null when it is not to be had any more.
   *
   * @throws BridgeError `route_closed` when the request is not signed by this function.
   */
  resume(headers: Headers, body: string, platform: Platform): Promise<Promise<void>[]>;
  /** @throws BridgeError `store_unavailable`. */
  status(nowMs: number): Promise<StatusReport>;
  /** Takes over the turns whose function died, and goes on with them in the background. */
  sweep(platform: Platform): Promise<SweepCounts>;
}

/** What a sweep found. */
export interface SweepCounts {
  overdue: number;
  takenOver: number;
}

/** A turn before the store has said how it stands. */
type NewTurn = Omit<Turn, 'record' | 'level'>;

/** Most questions that may wait in one conversation. */
const QUEUE_LIMIT = 5;

/** Most turns that one sweep takes over. */
const SWEEP_LIMIT = 50;

/** One robot: claims a message, and does what it asks for after the acknowledgement. */
export function createRobot(options: RunnerOptions): ReceivingRobot {
  const { config, state, clock, newId, log, texts } = options;
  const channels = createChannels(options);
  const runner = createRunner(options, channels);
  const buttons = createButtons(options, runner);
  const refusals = createRefusals(options);
  const { greet, respond } = createReplies(options, channels, runner);

  return {
    config,

    accept: (message, { deadlineMs }) => take(message, deadlineMs, null),

    act: (action, { deadlineMs }) => buttons.press(action, (message, form) => take(message, deadlineMs, form)),

    async resume(headers, body, platform) {
      const secrets = config.dingtalk.clientSecrets;
      const handover = readHandover(headers, body, { robotName: config.name, secrets, nowMs: clock.now() });
      const { turnId, fence, hop } = handover;
      const work = await runner.takeOver(turnId, { fence, hop }, platform);
      // In an array, because a promise that is returned is waited for.
      return work ? [work()] : [];
    },

    status: (nowMs) => reportOf(config, state, nowMs),

    async sweep(platform) {
      const turnIds = await state.overdue({ nowMs: clock.now(), limit: SWEEP_LIMIT });
      const counts: SweepCounts = { overdue: turnIds.length, takenOver: 0 };
      for (const turnId of turnIds) {
        const work = await runner.takeOver(turnId, null, platform);
        if (!work) continue;
        counts.takenOver += 1;
        platform.waitUntil(work());
      }
      return counts;
    },
  };

  async function take(
    message: Message,
    deadlineMs: number | null,
    form: FormSubmission | null,
  ): Promise<BackgroundWork | null> {
    const conversation = conversationOf(message, config.conversation.scope);
    const request = form ? readFormAnswer(message, form) : readIntent(message, texts);
    const isRefused = !(request.kind === 'command' && request.command.open) && !mayAsk(message, config.access);
    if (isRefused) log.info('message_refused', { robot: config.name });
    if (request.kind === 'question' && !isRefused) {
      return acceptQuestion({ message, conversation, question: request.text, form }, deadlineMs);
    }
    const turnId = turnIdOf(message.id);
    const claim = () => state.claim({ turnId, owner: newId(), nowMs: clock.now() });
    const claimed = await (isRefused ? refusals.claimTelling('list', { message, conversation }) : claim());
    if (!claimed.isNew) return isRefused ? null : logRepeated();
    log.info('message_accepted', { turn: referenceOf(turnId), robot: config.name, kind: request.kind });
    // A question that is still here was refused.
    const answered = isRefused || request.kind === 'question' ? sentence(texts.refused) : request;
    return (platform) => beside(respond(answered, turnId, message, conversation), { load: claimed }, platform);
  }

  async function acceptQuestion(
    { message, conversation, question, form }: Pick<Turn, 'message' | 'conversation' | 'question' | 'form'>,
    deadlineMs: number | null,
  ): Promise<BackgroundWork | null> {
    const acceptedAtMs = clock.now();
    const id = turnIdOf(message.id);
    const owner = newId();
    const request: AcceptRequest = {
      turnId: id,
      owner,
      asker: askerOf(message),
      conversationKey: conversation.key,
      conversationTtlMs: config.conversation.ttlMs,
      payload: JSON.stringify({ message, question, acceptedAtMs, form } satisfies TurnPayload),
      nowMs: acceptedAtMs,
      leaseUntilMs: leaseEnd(acceptedAtMs, options.leaseTiming, deadlineMs),
      queueLimit: QUEUE_LIMIT,
      budget: budgetOf(message, config, acceptedAtMs),
      rate: isAdmin(message, config.access) ? null : config.access.rateLimit,
    };
    const turn: NewTurn = {
      message,
      question,
      acceptedAtMs,
      form,
      id,
      reference: referenceOf(id),
      conversation,
      progress: null,
      hasWaited: false,
      mayHaveBeenAsked: false,
      acceptMs: null,
    };
    const accepted = await state.accept(request);
    turn.acceptMs = clock.now() - acceptedAtMs;
    if (accepted.kind !== 'unrecorded') return begin(accepted, turn, owner);
    return async (platform) => {
      // The claim may have been carried out with only its answer lost; the same claim gets the same reply.
      const again = await state.accept(request);
      const work = begin(again, turn, owner);
      await work?.(platform);
    };
  }

  /** What an accepted question asks for after the acknowledgement; null for a repeated one. */
  function begin(accepted: Accepted, turn: NewTurn, owner: string): BackgroundWork | null {
    if (accepted.kind === 'duplicate') return logRepeated();
    const { id, reference, message, question, conversation } = turn;
    log.info('message_accepted', { turn: reference, robot: config.name, kind: `question-${accepted.kind}` });
    if (accepted.kind === 'unrecorded') {
      const record = { fence: 1, owner, hop: 0, context: null };
      return (platform) => runner.run({ ...turn, level: 'full', record }, platform);
    }
    // This one is in the store's count, but not yet among those that run here.
    runner.noteRunning(accepted.load.running, accepted.kind === 'started' ? 1 : 0);
    switch (accepted.kind) {
      case 'started': {
        const { level } = accepted.budget;
        const started: Turn = { ...turn, level, record: { ...accepted.turn, owner, hop: 0 } };
        const isGreeted = accepted.isFirst && mayGreet(message, config.conversation.scope);
        return async (platform) => {
          const greeting = isGreeted ? greet(message, reference) : null;
          await Promise.all([beside(runner.run(started, platform), accepted, platform), greeting]);
        };
      }
      case 'queued': {
        const { place, budget } = accepted;
        const card = (onCall: () => void) => channels.cardOf({ id, message, question, level: budget.level }, onCall);
        const ports = {
          ...options,
          card,
          reply: channels.replyTo(message, reference),
          endDropped: () => channels.endCard(id, texts.stopped),
          note: async (noted: { hasCard: boolean; calls: number }) =>
            (await state.noteWaiting({ turnId: id, progress: JSON.stringify({ ...noProgress, ...noted }) })).state,
          isWaiting: async () => (await state.peek(id)).state === 'queued',
        };
        return (platform) => beside(showQueued({ reference, place }, ports), accepted, platform);
      }
      case 'full':
        return (platform) => beside(respond(sentence(texts.queueFull), id, message, conversation), accepted, platform);
      case 'limited':
        return async (platform) => {
          const tell = () => respond(sentence(texts.rateLimited), id, message, conversation);
          const { isNew } = await refusals.claimTelling('limit', turn);
          await beside(isNew ? tell() : Promise.resolve(), accepted, platform);
        };
    }
  }

  /** Whatever comes in also looks after answers whose function died, and after the month. Never rejects. */
  async function beside(
    work: Promise<void>,
    { load, budget }: { load: Pick<Load, 'overdue'>; budget?: Budget },
    platform: Platform,
  ): Promise<void> {
    const reached = budget?.reached ?? null;
    const notice = reached === null ? null : tellOfMonth(reached, options);
    await Promise.all([work, notice, ...load.overdue.map((turnId) => recover(turnId, platform))]);
  }

  async function recover(turnId: string, platform: Platform): Promise<void> {
    try {
      const work = await runner.takeOver(turnId, null, platform);
      await work?.();
    } catch (error) {
      log.warn('recovery_failed', { turn: referenceOf(turnId), ...errorFields(error) });
    }
  }

  function logRepeated(): null {
    log.info('message_repeated', { robot: config.name });
    return null;
  }
}
