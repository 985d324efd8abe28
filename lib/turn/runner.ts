import { crashText } from '../answer/ending.ts';
import type { Dify } from '../dify/dify.ts';
import { BridgeError } from '../errors.ts';
import type { Recovery } from '../recovery/recover.ts';
import { errorFields } from '../runtime/log.ts';
import type { Platform } from '../runtime/platform.ts';
import type { State } from '../state/state.ts';
import type { StartedTurn } from '../state/told.ts';
import type { ChannelOptions, Channels } from './channels.ts';
import { userOfTurn } from './conversation.ts';
import { openDeadline } from './deadline.ts';
import { handOn, type Handover, type ReceivedHandover } from './handover.ts';
import { openLease, type NextTurn } from './lease.ts';
import { leaseEnd, type LeaseTiming } from './lease-timing.ts';
import { createQuotedAnswers } from './quoted-answers.ts';
import { readPayload, readProgress, referenceOf } from './record.ts';
import { runTurn } from './run-turn.ts';
import { createStops, type StopOrder } from './stop.ts';
import type { Turn, TurnPayload } from './turn.ts';
import { createWatch } from './watch.ts';

export interface RunnerOptions extends ChannelOptions {
  dify: Dify;
  recovery: Recovery;
  state: State;
  handover: Handover;
  leaseTiming: LeaseTiming;
}

/** Runs turns after the acknowledgement: new ones, those that waited, and those that another invocation left. */
export interface Runner {
  /** Answers a turn and those that wait behind it. Never rejects. */
  run(turn: Turn, platform: Platform): Promise<void>;
  /**
   * Takes a turn over; null when it is not to be had. The work never rejects.
   *
   * @throws BridgeError `route_closed` when it was handed over too long ago.
   */
  takeOver(
    turnId: string,
    handedOver: Omit<ReceivedHandover, 'turnId'> | null,
    platform: Platform,
  ): Promise<(() => Promise<void>) | null>;
  /** Goes on with a turn whose function died. Never rejects. */
  rescue(turnId: string, platform: Platform): Promise<void>;
  /** Stops the answers of a conversation, also those that another instance writes. False when there were none. */
  stop(order: StopOrder): Promise<boolean>;
  /** The store has just told how many answers are being written in all instances; `isStarting`: one begins here now. */
  noteRunning(total: number, isStarting: boolean): void;
}

export function createRunner(options: RunnerOptions, channels: Channels): Runner {
  const { config, state, clock, newId, log, texts, limiter, handover, leaseTiming, shutdown } = options;
  const userOf = (asked: TurnPayload) => userOfTurn(asked, config.conversation.scope);
  const quotedAnswers = createQuotedAnswers(options);
  const stops = createStops({
    ...options,
    userOf,
    endDropped: (turnId, hasCard) => channels.endDropped(turnId, hasCard),
  });
  const watch = createWatch(clock);

  function noteRunning(here: number, total: number): void {
    limiter.noteRunning(here, total);
    watch.noteRunning(here, total);
  }

  async function runOne(turn: Turn, platform: Platform, background: (work: Promise<void>) => void) {
    const { deadlineMs } = platform;
    const deadline = openDeadline(clock, deadlineMs, shutdown);
    const lease = openLease({
      state,
      clock,
      log,
      timing: leaseTiming,
      turn,
      conversationTtlMs: config.conversation.ttlMs,
      deadlineMs,
      // The store counts a finished answer no more; here it is counted until it has left `stops`.
      onRunning: (total, isOver) => noteRunning(stops.running - (isOver ? 1 : 0), total),
      watch,
      onOverdue: (turnIds) => {
        for (const turnId of turnIds) platform.waitUntil(rescue(turnId, platform));
      },
      shutdown,
    });
    const stop = stops.begin(turn, lease);
    // The stop may not have reached Dify: the instance that was pressed knows the run only from the record.
    if (turn.isStopped) void stop.ask();
    try {
      return await runTurn(turn, {
        ...options,
        robot: config,
        channels: channels.forTurn(turn, lease, deadline),
        quotedAnswers,
        lease,
        stop,
        deadline,
        background,
      });
    } catch (error) {
      // The turn stays on record: the next callback or sweep after its lease ends it.
      log.error('turn_crashed', { turn: turn.reference, ...errorFields(error) });
      return null;
    } finally {
      // A lease that went on by itself would keep every other instance away.
      lease.stop();
      stops.end(turn.id, stop);
      deadline.close();
    }
  }

  async function rescue(turnId: string, platform: Platform): Promise<void> {
    try {
      const work = await takeOver(turnId, null, platform);
      await work?.();
    } catch (error) {
      log.warn('recovery_failed', { turn: referenceOf(turnId), ...errorFields(error) });
    }
  }

  async function run(first: Turn, platform: Platform): Promise<void> {
    const background: Promise<void>[] = [];
    let turn: Turn | null = first;
    while (turn) {
      const next: NextTurn | null = await runOne(turn, platform, (work) => background.push(work));
      turn = next && (await take(next, turn));
    }
    await Promise.all(background);
  }

  /** The next turn of the conversation, where it is answered here. */
  async function take({ turn: next, isOurs }: NextTurn, { record: { owner, hop } }: Turn): Promise<Turn | null> {
    if (!isOurs) {
      const { turnId, fence } = next;
      const { isTaken, ...why } = await handOn(handover, { turnId, fence, hop });
      if (!isTaken) log.info('turn_left_on_record', { hop, ...why });
      return null;
    }
    // The chain of invocations is as long as it was: a turn that follows in this one does not start it anew.
    const turn = readStarted({ ...next, hop }, owner);
    if (!turn) await giveUp(next, owner);
    return turn;
  }

  /** A turn from the store; null when it cannot be read any more. */
  function readStarted(started: StartedTurn, owner: string): Turn | null {
    const payload = readPayload(started.payload);
    if (!payload) return null;
    const { turnId, conversationKey, fence, hop, context, progress, level } = started;
    const { mayHaveBeenAsked, isStopped } = started;
    return {
      ...payload,
      id: turnId,
      reference: referenceOf(turnId),
      conversationKey,
      user: userOf(payload),
      record: { fence, owner, hop, context },
      progress: readProgress(progress),
      // Only a turn that waited can be on record without having been asked.
      hasWaited: !mayHaveBeenAsked,
      acceptMs: null,
      mayHaveBeenAsked,
      isStopped,
      level,
    };
  }

  /** Ends a turn that cannot be read, so that no other one waits for it. Never rejects. */
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
        spent: 0,
        remembered: { conversationKey, generation: context.generation, difyConversationId: null, ttlMs: null },
        receipt: '',
        form: { kind: 'keep' },
        // The next callback or sweep takes the next turn over.
        nextLeaseUntilMs: nowMs,
      });
    } catch (error) {
      log.error('turn_not_ended', { turn: reference, ...errorFields(error) });
    }
  }

  async function takeOver(
    turnId: string,
    handedOver: Omit<ReceivedHandover, 'turnId'> | null,
    platform: Platform,
  ): ReturnType<Runner['takeOver']> {
    // Its lease may have lapsed while this process stood still. It is renewed here, or another instance takes it over.
    if (handedOver === null && stops.isHere(turnId)) return null;
    const owner = newId();
    const nowMs = clock.now();
    const leaseUntilMs = leaseEnd(nowMs, leaseTiming, platform.deadlineMs);
    const started = await state.takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver });
    if (!started) return null;
    if (started === 'late') throw new BridgeError('route_closed', 'not authorised');
    if (started === 'dropped') return () => channels.endDropped(turnId, true);
    const turn = readStarted(started, owner);
    if (!turn) return () => giveUp(started, owner);
    log.info('turn_taken_over', { turn: turn.reference, hop: started.hop, asked: started.mayHaveBeenAsked });
    return () => run(turn, platform);
  }

  return {
    run,
    noteRunning: (total, isStarting) => noteRunning(stops.running + (isStarting ? 1 : 0), total),
    takeOver,
    rescue,
    stop: (order) => stops.stop(order),
  };
}
