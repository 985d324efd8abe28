import * as z from 'zod';
import type { Fetch } from '../../lib/net/http.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { ask, type Answer, type Asked } from '../doctor/wire.ts';

/** An account at QStash, as Upstash's console shows it. */
export interface QstashAccount {
  url: string;
  token: string;
}

export interface QstashPorts {
  fetch: Fetch;
  clock: Clock;
}

/** A schedule as QStash lists it, as far as it is looked at. Times are milliseconds. */
export interface Schedule {
  scheduleId: string;
  cron: string;
  destination: string;
  method: string;
  isPaused: boolean;
  createdAt: number;
  /** When it last fired; null when it has not yet. */
  lastScheduleTime: number | null;
  /** How the last requests ended: `IN_PROGRESS`, `SUCCESS` or `FAIL`. */
  lastStates: readonly string[];
  /** The header that goes to the destination; null without one. `REDACTED:…` where QStash hides it. */
  authorization: string | null;
}

/** Why QStash did not do what it was asked for. */
export interface QstashFailure {
  kind: 'failed';
  /** `token`: it does not know the token. `read-only`: the token may not write. `network`: it did not answer. */
  why: 'token' | 'read-only' | 'network' | 'refused';
  host: string;
  /** 0 without an answer. */
  status: number;
  /** A code such as `ECONNREFUSED`; empty with an answer. */
  reason: string;
}

const wire = z.object({
  scheduleId: z.string(),
  cron: z.string(),
  destination: z.string(),
  method: z.string(),
  isPaused: z.boolean().nullish(),
  createdAt: z.number(),
  lastScheduleTime: z.number().nullish(),
  lastScheduleStates: z.record(z.string(), z.string()).nullish(),
  header: z.record(z.string(), z.array(z.string())).nullish(),
});

const list = z.array(wire);

/** All schedules of the account. */
export async function listSchedules(ports: QstashPorts, account: QstashAccount): Promise<Schedule[] | QstashFailure> {
  const answer = await call(ports, account, { url: '/v2/schedules' });
  if ('why' in answer) return answer;
  const listed = list.safeParse(answer.json).data;
  if (!listed) return failure(account, 'refused', answer.status);
  return listed.map(({ isPaused, lastScheduleTime, lastScheduleStates, header, ...schedule }) => ({
    ...schedule,
    isPaused: isPaused ?? false,
    // Zero, too, means never.
    lastScheduleTime: lastScheduleTime || null,
    lastStates: Object.values(lastScheduleStates ?? {}),
    authorization: authorizationOf(header ?? {}),
  }));
}

const authorizationOf = (header: Record<string, string[]>): string | null =>
  Object.entries(header).find(([name]) => name.toLowerCase() === 'authorization')?.[1][0] ?? null;

export interface NewSchedule {
  /** A schedule with this id is replaced. */
  scheduleId: string;
  destination: string;
  cron: string;
  /** What the destination gets as `Authorization`. QStash hides it in its console, its log and its lists. */
  authorization: string;
}

/**
 * Creates a schedule of GET requests, or replaces the one with its id. A failed request is not sent again: that would count
 * as a message of the day, and the next one comes anyway.
 */
export async function putSchedule(
  ports: QstashPorts,
  account: QstashAccount,
  { scheduleId, destination, cron, authorization }: NewSchedule,
): Promise<QstashFailure | null> {
  const answer = await call(ports, account, {
    // As Upstash's own client sends it: the address as it is, with its query.
    url: `/v2/schedules/${destination}`,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'upstash-cron': cron,
      'upstash-method': 'GET',
      'upstash-retries': '0',
      'upstash-schedule-id': scheduleId,
      'upstash-forward-authorization': authorization,
      'upstash-redact-fields': 'header[Authorization]',
    },
  });
  if (!('why' in answer)) return null;
  // It could list before. The pages do not say how a token that may only read is refused.
  return answer.why === 'token' ? { ...answer, why: 'read-only' } : answer;
}

async function call(
  { fetch, clock }: QstashPorts,
  account: QstashAccount,
  { url, headers = {}, ...asked }: Asked,
): Promise<Answer | QstashFailure> {
  const answer = await ask(fetch, clock, {
    ...asked,
    url: `${account.url.replace(/\/+$/, '')}${url}`,
    headers: { ...headers, authorization: `Bearer ${account.token}` },
  });
  if (answer.kind === 'none') return failure(account, 'network', 0, answer.reason);
  if (answer.status === 401 || answer.status === 403) return failure(account, 'token', answer.status);
  return answer.status >= 200 && answer.status < 300 ? answer : failure(account, 'refused', answer.status);
}

const failure = ({ url }: QstashAccount, why: QstashFailure['why'], status: number, reason = ''): QstashFailure => ({
  kind: 'failed',
  why,
  host: URL.parse(url)?.host ?? 'QSTASH_URL',
  status,
  reason,
});
