import type { RobotConfig } from '../config/robot.ts';
import type { State } from '../state/state.ts';

/** What an operator sees of a robot; times are ISO 8601. */
export interface StatusReport {
  /** Answers being written now, and questions that wait behind others. */
  running: number;
  waiting: number;
  /** DingTalk calls for answers that ended in this calendar month (UTC+8), and the allowance; null without one. */
  callsThisMonth: number;
  monthlyCalls: number | null;
  lastCallback: string | null;
  /**
   * The last callback by each way in. `clockOffsetMs`: how far the clock of the instance that took it was ahead of
   * DingTalk's, the time of the way included.
   */
  callbacks: readonly { door: 'http' | 'card' | 'stream'; last: string; clockOffsetMs: number | null }[];
  lastSweep: string | null;
  failures: readonly { code: string; count: number; last: string }[];
}

/** What an operator sees of a robot. @throws BridgeError `store_unavailable`. */
export async function reportOf(
  { dingtalk }: RobotConfig,
  state: Pick<State, 'status'>,
  nowMs: number,
): Promise<StatusReport> {
  const { running, waiting, calls, lastAcceptedAtMs, arrivals, failures } = await state.status({ nowMs });
  const callbacks = arrivals.flatMap(({ door, ...rest }) => (door === 'sweep' ? [] : { door, ...rest }));
  return {
    running,
    waiting,
    callsThisMonth: calls,
    monthlyCalls: dingtalk.monthlyCalls || null,
    lastCallback: latest([
      ...callbacks.map(({ atMs }) => atMs),
      ...(lastAcceptedAtMs === null ? [] : [lastAcceptedAtMs]),
    ]),
    callbacks: callbacks.map(({ door, atMs, offsetMs }) => ({ door, last: timeOf(atMs), clockOffsetMs: offsetMs })),
    lastSweep: latest(arrivals.flatMap(({ door, atMs }) => (door === 'sweep' ? atMs : []))),
    failures: failures
      .toSorted((a, b) => b.lastMs - a.lastMs)
      .map(({ code, count, lastMs }) => ({ code, count, last: timeOf(lastMs) })),
  };
}

const latest = (times: readonly number[]) => (times.length > 0 ? timeOf(Math.max(...times)) : null);

const timeOf = (ms: number) => new Date(ms).toISOString();
