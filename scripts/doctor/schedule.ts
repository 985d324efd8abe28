import { ensureSchedule, findSchedules, readAccount, sweepAddress, type SweepTarget } from '../schedule/schedule.ts';
import type { QstashFailure, Schedule } from '../schedule/qstash.ts';
import type { DeploymentContext, Ports } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { isPublicHost } from './hosts.ts';

/** A schedule takes up to a minute until it fires for the first time (schedules page), and the sweep may take its time. */
const LATE_MS = 10 * 60_000;

/** Whether a schedule at QStash calls the sweep. With `--fix` it does afterwards. */
export async function checkSchedule({ ports, config, request }: DeploymentContext, say: Finder): Promise<Finding[]> {
  const [first] = config?.robots ?? [];
  const account = readAccount(ports.env);
  if (!config || !first || account === null) return [say.note('scheduleUnknown')];
  if (config.cronSecret === null) return [say.warning('cronSecretMissing')];
  const { clientId } = first.dingtalk;
  const target: SweepTarget = { clientId, publicUrl: config.publicUrl, cronSecret: config.cronSecret };
  const { hostname } = new URL(target.publicUrl);
  if (!isPublicHost(hostname)) return [say.warning('scheduleNowhere', hostname)];
  const found = await findSchedules(ports, account, target);
  if (!Array.isArray(found)) return [failureOf(found, say)];
  const findings = judge(found, target, ports, say);
  if (!request.isFixing || findings.every(({ level }) => level === 'ok')) return findings;
  const made = await ensureSchedule(ports, account, target);
  if (made.kind === 'failed') return [failureOf(made, say)];
  // Whether it runs can be seen in some minutes. A second schedule is of the operator's making.
  const twice = found.length > 1 ? [say.warning('scheduleTwice', found.length)] : [];
  return [say.ok('scheduleMade', new URL(target.publicUrl).host, made.kind === 'updated'), ...twice];
}

function judge(found: readonly Schedule[], target: SweepTarget, { clock }: Ports, say: Finder): Finding[] {
  const [schedule] = found;
  const { host } = new URL(target.publicUrl);
  if (!schedule) return [say.warning('scheduleMissing', host)];
  const { destination, method, cron, isPaused, createdAt, lastScheduleTime, lastStates, authorization } = schedule;
  const findings: Finding[] = [];
  if (found.length > 1) findings.push(say.warning('scheduleTwice', found.length));
  // The path of another address may be anything, so only its host is shown.
  if (destination !== sweepAddress(target)) {
    findings.push(say.warning('scheduleElsewhere', URL.parse(destination)?.host ?? '', host));
  }
  if (method !== 'GET') findings.push(say.warning('scheduleMethod', method.slice(0, 10)));
  if (!isOften(cron)) findings.push(say.warning('scheduleRare', cron.slice(0, 40)));
  const isRight = authorization === `Bearer ${target.cronSecret}` || authorization?.startsWith('REDACTED:');
  if (!isRight) findings.push(say.warning('scheduleSecret', authorization === null));
  if (isPaused) return [...findings, say.warning('schedulePaused')];
  const isLate = clock.now() - Math.max(createdAt, lastScheduleTime ?? 0) > LATE_MS;
  const last = lastScheduleTime === null ? null : new Date(lastScheduleTime).toISOString();
  if (isLate && isOften(cron)) findings.push(say.warning('scheduleStopped', last));
  else if (lastStates.includes('FAIL')) findings.push(say.warning('scheduleFails', last));
  if (findings.length > 0) return findings;
  return [last === null ? say.ok('scheduleNew') : say.ok('scheduleRuns', last)];
}

/** At least every five minutes, in the forms that are used for that. */
const isOften = (cron: string) => /^(?:CRON_TZ=\S+ )?(?:\*|\*\/[1-5]) \* \* \* \*$/.test(cron.trim());

function failureOf({ why, host, status, reason }: QstashFailure, say: Finder): Finding {
  switch (why) {
    case 'token':
      return say.warning('qstashToken', host, status);
    case 'read-only':
      return say.warning('qstashReadOnly', host, status);
    case 'network':
      return say.warning('qstashUnreachable', host, reason);
    case 'refused':
      return say.warning('qstashRefused', host, status);
  }
}
