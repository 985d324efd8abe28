// The sweep on plans whose cron runs once a day: a schedule at QStash calls it every two minutes.
import { createHash } from 'node:crypto';
import type { Environment } from '../../lib/config/config.ts';
import { deploymentSettings } from '../../lib/config/deployment-settings.ts';
import { pathOf } from '../../lib/routes.ts';
import {
  listSchedules,
  putSchedule,
  type QstashAccount,
  type QstashFailure,
  type QstashPorts,
  type Schedule,
} from './qstash.ts';

/** 720 messages a day of the 1,000 that are free (upstash.com/pricing/qstash). */
const SWEEP_CRON = '*/2 * * * *';

/** The deployment whose sweep is called. */
export interface SweepTarget {
  /** Of the deployment's first robot. The schedule is named after it, so that it is found again under a new address. */
  clientId: string;
  /** `PUBLIC_URL`: reachable from the internet. */
  publicUrl: string;
  cronSecret: string;
}

/** The account of `QSTASH_TOKEN` and `QSTASH_URL`; null without a token. */
export function readAccount(env: Environment): QstashAccount | null {
  const token = env['QSTASH_TOKEN']?.trim();
  return token ? { token, url: env['QSTASH_URL']?.trim() || deploymentSettings.QSTASH_URL.default } : null;
}

/** The path without a name sweeps all robots of the deployment. */
export const sweepAddress = ({ publicUrl }: Pick<SweepTarget, 'publicUrl'>) =>
  `${publicUrl.replace(/\/+$/, '')}${pathOf(null)}?sweep`;

const scheduleIdOf = ({ clientId }: SweepTarget) =>
  `dify-on-dingtalk-${createHash('sha256').update(clientId).digest('hex').slice(0, 12)}`;

/** The schedules of this deployment: the one that was made here, and those that others made for its address. */
export async function findSchedules(
  ports: QstashPorts,
  account: QstashAccount,
  target: SweepTarget,
): Promise<Schedule[] | QstashFailure> {
  const all = await listSchedules(ports, account);
  if (!Array.isArray(all)) return all;
  const id = scheduleIdOf(target);
  const address = sweepAddress(target);
  const own = all.filter(({ scheduleId, destination }) => scheduleId === id || destination === address);
  return own.toSorted((a, b) => Number(b.scheduleId === id) - Number(a.scheduleId === id));
}

/**
 * Creates the schedule, or sets right the one that is there: every two minutes, GET of the sweep with the bearer. Reads it
 * back: `refused` also where QStash has kept another address than it was given.
 */
export async function ensureSchedule(
  ports: QstashPorts,
  account: QstashAccount,
  target: SweepTarget,
): Promise<{ kind: 'created' | 'updated'; schedule: Schedule } | QstashFailure> {
  const before = await findSchedules(ports, account, target);
  if (!Array.isArray(before)) return before;
  const scheduleId = before[0]?.scheduleId ?? scheduleIdOf(target);
  const destination = sweepAddress(target);
  const authorization = `Bearer ${target.cronSecret}`;
  const failed = await putSchedule(ports, account, { scheduleId, destination, cron: SWEEP_CRON, authorization });
  if (failed) return failed;
  const after = await findSchedules(ports, account, target);
  if (!Array.isArray(after)) return after;
  const schedule = after.find((each) => each.scheduleId === scheduleId && each.destination === destination);
  const host = URL.parse(account.url)?.host ?? '';
  if (!schedule) return { kind: 'failed', why: 'refused', host, status: 200, reason: '' };
  return { kind: before.length > 0 ? 'updated' : 'created', schedule };
}
