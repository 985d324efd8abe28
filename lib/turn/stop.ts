import type { Dify } from '../dify/dify.ts';
import type { RunningTask } from '../dify/runs.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { State } from '../state/state.ts';
import type { Stopped } from '../state/told.ts';
import type { Lease } from './lease.ts';
import type { LeaseTiming } from './lease-timing.ts';
import { readPayload, readProgress, referenceOf, userOfRun } from './record.ts';
import type { Turn, TurnPayload, TurnProgress } from './turn.ts';

/** How an answer that is written here is stopped. */
export interface StopSwitch {
  readonly isAsked: boolean;
  /** Aborts a while after the stop was asked for, when Dify has not ended the answer by itself. */
  readonly signal: AbortSignal;
  /** Tells Dify, once however often it is asked. Never rejects. */
  ask(): Promise<void>;
}

/** Whose answers of a conversation are stopped: those of one asker, or of all askers; or one turn only. */
export interface StopOrder {
  conversationKey: string;
  asker: string | null;
  turnId?: string;
}

/** Stops answers, those that are written here and those that another instance writes. */
export interface Stops {
  /** How many answers are written here. */
  readonly running: number;
  /** An answer begins here. */
  begin(turn: Pick<Turn, 'id' | 'reference' | 'user'>, lease: Pick<Lease, 'progress' | 'stopAsked'>): StopSwitch;
  /** It ends. A turn that this instance has handed to itself may run here again by now: that run stays. */
  end(turnId: string, stop: StopSwitch): void;
  /** Whether an answer is written here. */
  isHere(turnId: string): boolean;
  /** Stops the answers of a conversation. False when there were none. @throws BridgeError `store_unavailable`. */
  stop(order: StopOrder): Promise<boolean>;
}

export interface StopsOptions {
  state: Pick<State, 'stop'>;
  dify: Pick<Dify, 'stop'>;
  /** Whom Dify knows the asker of a turn as. */
  userOf: (asked: TurnPayload) => string;
  /** Ends the card of a question that was given up while it waited, where it has one, and reports it. Never rejects. */
  endDropped: (turnId: string, hasCard: boolean) => Promise<void>;
  leaseTiming: LeaseTiming;
  clock: Clock;
  newId: () => string;
  log: Log;
}

/**
 * How long a stopped answer is still read, so that Dify's own end is seen: Dify notices within one or two seconds. After
 * that the text so far is the answer.
 */
const STOP_PATIENCE_MS = 3_000;

export function createStops(options: StopsOptions): Stops {
  const { state, dify, userOf, endDropped, leaseTiming, clock, newId, log } = options;
  const running = new Map<string, StopSwitch>();

  async function tellDify(task: RunningTask, reference: string): Promise<void> {
    await dify
      .stop(task)
      .catch((error: unknown) => log.warn('stop_failed', { turn: reference, ...errorFields(error) }));
  }

  /** Ends the card of a question that was given up. One that is not on record yet is ended by the instance that opens it. */
  async function endWaiting({ turnId, progress }: Stopped['dropped'][number]): Promise<void> {
    if (progress !== null) await endDropped(turnId, readProgress(progress)?.hasCard === true);
  }

  return {
    get running() {
      return running.size;
    },
    begin({ id, reference, user }, lease) {
      const controller = new AbortController();
      const abort = () => controller.abort(new Error('stopped by the asker'));
      let isAsked = false;
      const stopping: StopSwitch = {
        get isAsked() {
          return isAsked;
        },
        signal: controller.signal,
        async ask() {
          if (isAsked) return;
          isAsked = true;
          const task = taskOf(lease.progress, user);
          // Dify has not named a run yet, so there is none to stop.
          if (!task) {
            abort();
            return;
          }
          clock.schedule(STOP_PATIENCE_MS, abort);
          await tellDify(task, reference);
        },
      };
      lease.stopAsked.addEventListener('abort', () => void stopping.ask(), { once: true });
      running.set(id, stopping);
      return stopping;
    },
    end(turnId, stop) {
      if (running.get(turnId) === stop) running.delete(turnId);
    },
    isHere: (turnId) => running.has(turnId),
    async stop({ conversationKey, asker, turnId: only }) {
      const nowMs = clock.now();
      const stopped = await state.stop({
        conversationKey,
        owner: newId(),
        asker,
        turnId: only ?? null,
        nowMs,
        leaseUntilMs: nowMs + leaseTiming.leaseMs,
      });
      await Promise.all(stopped.dropped.map(endWaiting));
      if (!stopped.running) return stopped.dropped.length > 0;
      const { turnId, payload, progress } = stopped.running;
      const here = running.get(turnId);
      if (here) {
        await here.ask();
        return true;
      }
      // The instance that writes it sees its end at Dify, or the mark at its next renewal.
      const asked = readPayload(payload);
      const task = asked && taskOf(readProgress(progress), userOf(asked));
      if (task) await tellDify(task, referenceOf(turnId));
      return true;
    },
  };
}

/** What Dify is told to stop; null while that is not known. */
function taskOf(progress: TurnProgress | null, user: string): RunningTask | null {
  const { appType, ids } = progress ?? {};
  return appType && ids?.taskId ? { type: appType, user: userOfRun(user, progress), taskId: ids.taskId } : null;
}
