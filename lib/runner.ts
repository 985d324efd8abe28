import type { Traffic } from './card/traffic.ts';
import { paceOf, type Streaming } from './card/pace.ts';
import { firstThatWorks, type CardSink, type FailureRules, type MessageSink } from './card/sink.ts';
import { createWriter } from './card/writer.ts';
import { conversationOf } from './conversation.ts';
import { MAX_HOPS, type Courier } from './courier.ts';
import { errorFields } from './delivery.ts';
import type { DifyClient } from './dify/client.ts';
import type { RunningTask } from './dify/stop.ts';
import { createAiCard, writeFrame } from './dingtalk/ai-card.ts';
import type { Message } from './dingtalk/callback.ts';
import { watchCard, type CardBreaker } from './dingtalk/card-breaker.ts';
import { countCalls, type DingTalkClient } from './dingtalk/client.ts';
import { createRobotMessage } from './dingtalk/robot-message.ts';
import { createSessionReply } from './dingtalk/session-reply.ts';
import { leaseEnd, type LeaseTiming, type NextTurn } from './lease.ts';
import type { Platform } from './receiver.ts';
import type { DifyRecovery } from './recover-answer.ts';
import type { Clock } from './runtime/clock.ts';
import type { RobotConfig } from './runtime/config.ts';
import type { Fetch } from './runtime/http.ts';
import type { Log } from './runtime/log.ts';
import type { SpendingLevel, StartedTurn, State } from './state/state.ts';
import type { Texts } from './texts/index.ts';
import { readPayload, readProgress } from './turn-record.ts';
import { runTurn, type Turn } from './turn.ts';

export interface RunnerOptions {
  config: RobotConfig;
  texts: Texts;
  dingtalk: DingTalkClient;
  dify: DifyClient;
  recovery: DifyRecovery;
  stopRun: (task: RunningTask) => Promise<void>;
  state: State;
  courier: Courier;
  traffic: Traffic;
  breaker: CardBreaker;
  leaseTiming: LeaseTiming;
  failures: FailureRules;
  fetch: Fetch;
  clock: Clock;
  newId: () => string;
  log: Log;
  shutdown: AbortSignal;
}

/** Runs turns after the acknowledgement: new ones, those that waited, and those that another invocation left. */
export interface Runner {
  /** Answers a turn and those that wait behind it. Never rejects. */
  run(turn: Turn, platform: Platform): Promise<void>;
  /** Takes a turn over; null when it is not to be had. The work never rejects. */
  takeOver(
    turnId: string,
    handedOver: { claim: number; hop: number } | null,
    platform: Platform,
  ): Promise<(() => Promise<void>) | null>;
  /** Stops the answers of a conversation, also those that another instance writes. False when there were none. */
  stop(request: { conversationKey: string; asker: string | null }): Promise<boolean>;
  /** Where messages to the asker go: the session's address, else the robot's own messages. */
  replyTo(message: Message): MessageSink;
  cardOf(turn: Pick<Turn, 'id' | 'message' | 'question' | 'level'>, onCall: () => void): CardSink | null;
  /** Ends the card of a question that will not be asked any more. Never rejects. */
  endDropped(turnId: string): Promise<void>;
  /** Answers being written in all instances, as the store just told. */
  noteRunning(total: number, entering: -1 | 0 | 1): void;
}

/** How often a card is updated at most, as far as the month allows. */
const SPENDING_PACE: Readonly<Record<SpendingLevel, Streaming>> = {
  full: 'smooth',
  few: 'thrifty',
  last: 'off',
  none: 'off',
};
const BY_COST: readonly Streaming[] = ['off', 'thrifty', 'balanced', 'smooth'];

const thriftier = (a: Streaming, b: Streaming): Streaming => (BY_COST.indexOf(a) <= BY_COST.indexOf(b) ? a : b);

/** How long a stopped answer is still read, so that Dify's own end is seen. */
const STOP_PATIENCE_MS = 5_000;

export function createRunner(options: RunnerOptions): Runner {
  const { config, state, clock, newId, log, traffic, breaker, failures, texts, courier } = options;
  /** Turns that are being answered in this process, with what stops them. */
  const running = new Map<string, { isAsked: boolean; signal: AbortSignal; abort: () => void }>();

  /** Both counts must be of one moment, so `entering` corrects ours by the turn that the reply was about. */
  const noteRunning = (total: number, entering: -1 | 0 | 1) => traffic.noteRunning(running.size + entering, total);

  const replyTo = (message: Message): MessageSink =>
    firstThatWorks(
      [
        createSessionReply({ config: config.dingtalk, message, fetch: options.fetch, clock }),
        createRobotMessage({ client: options.dingtalk, config: config.dingtalk, message }),
      ],
      failures,
      (error) => log.warn('reply_fallback', errorFields(error)),
    );

  function cardOf(
    { id, message, question, level }: Pick<Turn, 'id' | 'message' | 'question' | 'level'>,
    onCall: () => void,
  ) {
    const templateId = config.dingtalk.cardTemplateId;
    if (templateId === null || level === 'none') return null;
    if (!breaker.mayOpen()) {
      log.warn('cards_left_alone', { turn: referenceOf(id), code: breaker.reason() });
      return null;
    }
    const card = createAiCard({
      client: countCalls(options.dingtalk, onCall),
      config: config.dingtalk,
      templateId,
      message,
      cardId: id,
      summary: summaryOf(question),
    });
    return watchCard(card, breaker, message.sender.id);
  }

  async function runOne(turn: Turn, platform: Platform): Promise<NextTurn | null> {
    const controller = new AbortController();
    const abort = () => controller.abort(new Error('stopped by the asker'));
    const stopping = { isAsked: false, signal: controller.signal, abort };
    running.set(turn.id, stopping);
    try {
      return await runTurn(turn, {
        ...options,
        robot: config,
        card: (onCall) => cardOf(turn, onCall),
        reply: replyTo(turn.message),
        pace: paceOf(thriftier(config.streaming, SPENDING_PACE[turn.level])),
        onRunning: noteRunning,
        deadlineMs: platform.deadlineMs,
        stop: stopping,
      });
    } finally {
      running.delete(turn.id);
    }
  }

  async function run(first: Turn, platform: Platform): Promise<void> {
    let turn = first;
    for (;;) {
      const next = await runOne(turn, platform);
      if (!next) return;
      const { owner, hop } = turn.record;
      if (!next.isOurs) {
        const isTaken =
          hop < MAX_HOPS && (await courier.resume({ turnId: next.turn.turnId, claim: next.turn.claim, hop: hop + 1 }));
        if (!isTaken) log.info('turn_left_on_record', { hop });
        return;
      }
      // The chain of invocations is as long as it was: what follows in this one does not start it anew.
      const waiting = readStarted({ ...next.turn, hop }, owner);
      if (!waiting) return;
      turn = waiting;
    }
  }

  /** A turn from the store; null when it cannot be read any more. */
  function readStarted(started: StartedTurn, owner: string): Turn | null {
    const payload = readPayload(started.payload);
    if (!payload) {
      log.error('turn_unreadable', { code: 'internal' });
      return null;
    }
    return {
      ...payload,
      id: started.turnId,
      reference: referenceOf(started.turnId),
      conversation: { ...conversationOf(payload.message, config.conversation.scope), key: started.conversationKey },
      record: { claim: started.claim, owner, hop: started.hop, context: started.context },
      progress: readProgress(started.progress),
      // Only a turn that waited can be on record without having been asked.
      hasWaited: !started.mayHaveBeenAsked,
      mayHaveBeenAsked: started.mayHaveBeenAsked,
      level: started.level,
    };
  }

  async function takeOver(turnId: string, handedOver: { claim: number; hop: number } | null, platform: Platform) {
    const owner = newId();
    const nowMs = clock.now();
    const leaseUntilMs = leaseEnd(nowMs, options.leaseTiming, platform.deadlineMs);
    const started = await state.takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver });
    const turn = started && readStarted(started, owner);
    if (!turn) return null;
    log.info('turn_taken_over', { turn: turn.reference, hop: started.hop, asked: started.mayHaveBeenAsked });
    return () => run(turn, platform);
  }

  async function stop({ conversationKey, asker }: { conversationKey: string; asker: string | null }): Promise<boolean> {
    const stopped = await state.stop({ conversationKey, owner: newId(), asker });
    // A card that is not noted yet is ended by whoever opens it.
    const opened = stopped.dropped.filter(({ progress }) => readProgress(progress)?.hasCard === true);
    await Promise.all(opened.map(({ turnId }) => endDropped(turnId)));
    if (!stopped.running) return stopped.dropped.length > 0;
    const { turnId, payload, progress } = stopped.running;
    const here = running.get(turnId);
    // What Dify still sends within this time belongs to the answer; then it ends here in any case.
    if (here) {
      here.isAsked = true;
      clock.schedule(STOP_PATIENCE_MS, here.abort);
    }
    const asked = readPayload(payload);
    const { ids, appType } = readProgress(progress) ?? {};
    if (asked && appType && ids?.taskId) {
      const { difyUser } = conversationOf(asked.message, config.conversation.scope);
      await options
        .stopRun({ type: appType, user: difyUser, taskId: ids.taskId })
        .catch((error: unknown) => log.warn('stop_failed', errorFields(error)));
    } else here?.abort();
    return true;
  }

  /** Ends the card of a question that will not be asked any more. Never rejects. */
  async function endDropped(turnId: string): Promise<void> {
    const warn = (error: unknown) => log.warn('frame_failed', { turn: referenceOf(turnId), ...errorFields(error) });
    const writer = createWriter({
      sink: {
        open: async () => undefined,
        write: (frame) => writeFrame(options.dingtalk, config.dingtalk, turnId, frame),
      },
      opened: Promise.resolve(),
      pace: paceOf('off'),
      clock,
      newId,
      settleMs: 0,
      failures,
      slot: (priority, signal) => traffic.slot('stream', priority, signal),
      onFrameFailed: warn,
      onFrameShown: () => undefined,
    });
    await writer.finish({ text: texts.stopped, state: 'finished' }).catch(() => undefined);
  }

  return { run, replyTo, cardOf, noteRunning, takeOver, stop, endDropped };
}

/** The short name of a turn, for users and logs. */
export function referenceOf(turnId: string): string {
  return turnId.slice(0, 8);
}

/** The beginning of the question, for the chat list. */
function summaryOf(question: string): string {
  const line = Array.from(question.replaceAll(/\s+/g, ' '));
  return line.length <= 40 ? line.join('') : `${line.slice(0, 39).join('')}…`;
}
