import { monthOf } from './budget.ts';
import type { StatusReport } from './receiver.ts';
import type { RobotConfig } from './runtime/config.ts';
import type { State } from './state/state.ts';

/** What an operator sees of a robot. @throws BridgeError `store_unavailable`. */
export async function reportOf(
  { dingtalk }: RobotConfig,
  state: Pick<State, 'status'>,
  nowMs: number,
): Promise<StatusReport> {
  const { running, waiting, calls, lastAcceptedAtMs, failures } = await state.status({ nowMs, month: monthOf(nowMs) });
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
