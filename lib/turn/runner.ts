import type { CallMeter } from './ports.ts';
import type { TurnPayload } from './turn.ts';
import { crashText } from '../answer/ending.ts';
import type { FormPorts } from '../ask/form.ts';
import type { RunningTask } from '../dify/runs.ts';
import type { DifyRecovery } from '../recovery/recover.ts';
import { errorFields, withFields } from '../runtime/log.ts';
import type { Platform } from '../runtime/platform.ts';
import { monthOf } from '../state/budget.ts';
import type { StartedTurn, State } from '../state/state.ts';
import type { ChannelOptions, Channels } from './channels.ts';
import { conversationOf } from './conversation.ts';
import { MAX_HOPS, type Handover } from './handover.ts';
import { leaseEnd, type LeaseTiming } from './lease.ts';
import { readPayload, readProgress, referenceOf } from './record.ts';
import { runTurn } from './run-turn.ts';
import { createStopSwitch, taskOf, type StopSwitch } from './stop.ts';
import type { Turn } from './turn.ts';

export interface RunnerOptions extends ChannelOptions, FormPorts {
  recovery: DifyRecovery;
  stopRun: (task: RunningTask) => Promise<void>;
  rateAnswer: (rated: { messageId: string; user: string; rating: 'like' | 'dislike' | null }) => Promise<void>;
  state: State;
  handover: Handover;
  leaseTiming: LeaseTiming;
  shutdown: AbortSignal;
}

/** Runs turns after the acknowledgement: new ones, those that waited, and those that another invocation left. */
export interface Runner {
  /** Answers a turn and those that wait behind it. Never rejects. */
  run(turn: Turn, platform: Platform): Promise<void>;
  /** Takes a turn over; null when it is not to be had. The work never rejects. */
  takeOver(
    turnId: string,
    handedOver: { fence: number; hop: number } | null,
    platform: Platform,
  ): Promise<(() => Promise<void>) | null>;
  /** Stops the answers of a conversation, also those that another instance writes. False when there were none. */
  stop(order: StopOrder): Promise<boolean>;
  /** Answers being written in all instances, as the store just told. */
  noteRunning(total: number, entering: -1 | 0 | 1): void;
}

/** Whose answers of a conversation are stopped: those of one asker, or of everybody; or one turn only. */
export interface StopOrder {
  conversationKey: string;
  asker: string | null;
  turnId?: string;
}

export function createRunner(options: RunnerOptions, channels: Channels): Runner {
  const { config, state, clock, newId, log, texts, limiter, handover } = options;
  /** Turns that are being answered in this process, with what stops them. */
  const running = new Map<string, StopSwitch>();

  /** Both counts must be of one moment, so `entering` corrects ours by the turn that the reply was about. */
  const noteRunning = (total: number, entering: -1 | 0 | 1) => limiter.noteRunning(running.size + entering, total);

  const difyUserOf = ({ form, message }: TurnPayload) =>
    form?.user ?? conversationOf(message, config.conversation.scope).difyUser;

  async function runOne(turn: Turn, platform: Platform, alongside: (work: Promise<void>) => void) {
    const difyUser = difyUserOf(turn);
    const ownLog = withFields(log, { turn: turn.reference });
    const stopping = createStopSwitch({ difyUser, stopRun: options.stopRun, clock, log: ownLog });
    running.set(turn.id, stopping);
    const meter: CallMeter = { onCall: () => undefined };
    try {
      return await runTurn(turn, {
        ...options,
        ...channels.forTurn(turn, platform.deadlineMs, () => meter.onCall()),
        meter,
        robot: config,
        onRunning: noteRunning,
        deadlineMs: platform.deadlineMs,
        stop: stopping,
        alongside,
      });
    } finally {
      running.delete(turn.id);
    }
  }

  async function run(first: Turn, platform: Platform): Promise<void> {
    const beside: Promise<void>[] = [];
    await runInOrder(first, platform, (work) => beside.push(work));
    await Promise.all(beside);
  }

  async function runInOrder(first: Turn, platform: Platform, alongside: (work: Promise<void>) => void): Promise<void> {
    let turn = first;
    for (;;) {
      const next = await runOne(turn, platform, alongside);
      if (!next) return;
      const { owner, hop } = turn.record;
      if (!next.isOurs) {
        const isTaken =
          hop < MAX_HOPS && (await handover.resume({ turnId: next.turn.turnId, fence: next.turn.fence, hop: hop + 1 }));
        if (!isTaken) log.info('turn_left_on_record', { hop });
        return;
      }
      // The chain of invocations is as long as it was: what follows in this one does not start it anew.
      const waiting = readStarted({ ...next.turn, hop }, owner);
      if (!waiting) return giveUp(next.turn, owner);
      turn = waiting;
    }
  }

  /** A turn from the store; null when it cannot be read any more. */
  function readStarted(started: StartedTurn, owner: string): Turn | null {
    const payload = readPayload(started.payload);
    if (!payload) return null;
    return {
      ...payload,
      id: started.turnId,
      reference: referenceOf(started.turnId),
      conversation: { ...conversationOf(payload.message, config.conversation.scope), key: started.conversationKey },
      record: { fence: started.fence, owner, hop: started.hop, context: started.context },
      progress: readProgress(started.progress),
      // Only a turn that waited can be on record without having been asked.
      hasWaited: !started.mayHaveBeenAsked,
      acceptMs: null,
      mayHaveBeenAsked: started.mayHaveBeenAsked,
      level: started.level,
    };
  }

  /** Ends a turn that cannot be read, so that nothing waits for it. Never rejects. */
  async function giveUp({ turnId, fence, conversationKey, context, progress }: StartedTurn, owner: string) {
    const reference = referenceOf(turnId);
    log.error('turn_unreadable', { turn: reference, code: 'internal' });
    if (readProgress(progress)?.hasCard) await channels.endCard(turnId, crashText(texts, reference));
    const nowMs = clock.now();
    try {
      await state.finish({
        turnId,
        fence,
        owner,
        nowMs,
        failure: 'internal',
        month: monthOf(nowMs),
        spent: 0,
        remembered: { conversationKey, generation: context.generation, difyConversationId: null, ttlMs: null },
        receipt: '',
        form: { kind: 'keep' },
        // Whoever comes by takes the next one over.
        nextLeaseUntilMs: nowMs,
      });
    } catch (error) {
      log.error('turn_not_ended', { turn: reference, ...errorFields(error) });
    }
  }

  async function takeOver(turnId: string, handedOver: { fence: number; hop: number } | null, platform: Platform) {
    const owner = newId();
    const nowMs = clock.now();
    const leaseUntilMs = leaseEnd(nowMs, options.leaseTiming, platform.deadlineMs);
    const started = await state.takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver });
    if (!started) return null;
    if (started === 'dropped') return () => channels.endCard(turnId, texts.stopped);
    const turn = readStarted(started, owner);
    if (!turn) return () => giveUp(started, owner);
    log.info('turn_taken_over', { turn: turn.reference, hop: started.hop, asked: started.mayHaveBeenAsked });
    return () => run(turn, platform);
  }

  async function stop({ conversationKey, asker, turnId: only }: StopOrder): Promise<boolean> {
    const stopped = await state.stop({
      conversationKey,
      owner: newId(),
      asker,
      turnId: only ?? null,
      leaseUntilMs: clock.now() + options.leaseTiming.leaseMs,
    });
    // A card that is not noted yet is ended by whoever opens it.
    const opened = stopped.dropped.filter(({ progress }) => readProgress(progress)?.hasCard === true);
    await Promise.all(opened.map(({ turnId }) => channels.endCard(turnId, texts.stopped)));
    if (!stopped.running) return stopped.dropped.length > 0;
    const { turnId, payload, progress } = stopped.running;
    const here = running.get(turnId);
    if (here) {
      await here.ask();
      return true;
    }
    // Whoever writes it sees its end at Dify, or the mark at the next renewal.
    const asked = readPayload(payload);
    const task = asked && taskOf(readProgress(progress), difyUserOf(asked));
    if (task) {
      const fields = { turn: referenceOf(turnId) };
      await options
        .stopRun(task)
        .catch((error: unknown) => log.warn('stop_failed', { ...fields, ...errorFields(error) }));
    }
    return true;
  }

  return { run, noteRunning, takeOver, stop };
}
