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
  failures: readonly { code: string; count: number; last: string }[];
}

/** What an operator sees of a robot. @throws BridgeError `store_unavailable`. */
export async function reportOf(
  { dingtalk }: RobotConfig,
  state: Pick<State, 'status'>,
  nowMs: number,
): Promise<StatusReport> {
  const { running, waiting, calls, lastAcceptedAtMs, failures } = await state.status({ nowMs });
  return {
    running,
    waiting,
    callsThisMonth: calls,
    monthlyCalls: dingtalk.monthlyCalls || null,
    lastCallback: lastAcceptedAtMs === null ? null : timeOf(lastAcceptedAtMs),
    failures: failures
      .toSorted((a, b) => b.lastMs - a.lastMs)
      .map(({ code, count, lastMs }) => ({ code, count, last: timeOf(lastMs) })),
  };
}

const timeOf = (ms: number) => new Date(ms).toISOString();
