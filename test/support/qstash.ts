// QStash as its pages and its own client describe it, on loopback and strict: what the real one would ignore is refused here.
import { createHash } from 'node:crypto';
import { readBody, reply } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import type { Clock } from '../../lib/runtime/clock.ts';

/** A schedule as it is kept: `forwarded` are the real headers, `redacted` those that lists hide. */
export interface KeptSchedule {
  scheduleId: string;
  destination: string;
  cron: string;
  method: string;
  retries: number;
  createdAt: number;
  isPaused: boolean;
  forwarded: Record<string, string>;
  redacted: readonly string[];
  lastScheduleTime?: number;
  lastScheduleStates?: Record<string, 'SUCCESS' | 'FAIL'>;
}

export interface QstashSimulator {
  origin: string;
  schedules: Map<string, KeptSchedule>;
  /** Method and path of each request, and its `Upstash-` headers. */
  requests: { method: string; path: string; headers: Record<string, string> }[];
  /** Sends what all schedules that are not paused send when they are due. */
  fire(): Promise<void>;
  /** Answers everything with this status. */
  refuseWith: number | null;
  close(): Promise<void>;
}

export interface QstashOptions {
  token: string;
  readOnlyToken?: string;
  clock: Clock;
  /** How the simulator reaches a destination: a test maps public addresses to loopback. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Messages of a day that are left; the free plan has 1,000. */
  messages?: number;
}

const KNOWN = /^upstash-(?:cron|method|retries|schedule-id|redact-fields|forward-[a-z-]+|telemetry-[a-z]+)$/;
/** The free plan. */
const MOST_SCHEDULES = 10;

export async function createQstashSimulator(options: QstashOptions): Promise<QstashSimulator> {
  const { token, readOnlyToken, clock, fetch } = options;
  const schedules = new Map<string, KeptSchedule>();
  const requests: QstashSimulator['requests'] = [];
  let left = options.messages ?? 1_000;
  let serial = 0;

  const server = await startServer(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      void reply(response, status, 'application/json', JSON.stringify(body));
    const refuse = (status: number, error: string) => answer(status, { error });
    await readBody(request);
    const { method = '', url: path = '' } = request;
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    );
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('upstash-')));
    requests.push({ method, path, headers: own });
    const mayRead = [token, readOnlyToken].some((known) => known && headers['authorization'] === `Bearer ${known}`);
    if (simulator.refuseWith !== null) return refuse(simulator.refuseWith, 'on purpose');
    if (!mayRead) return refuse(401, 'invalid token');
    if (method === 'GET' && path === '/v2/schedules') return answer(200, [...schedules.values()].map(listed));
    if (method !== 'POST' || !path.startsWith('/v2/schedules/')) return refuse(404, 'not found');
    if (headers['authorization'] !== `Bearer ${token}`) return refuse(403, 'the token may only read');
    // The rest of the line is the destination, its query included.
    const made = schedule(path.slice('/v2/schedules/'.length), own);
    if (typeof made === 'string') return refuse(400, made);
    if (!schedules.has(made.scheduleId) && schedules.size >= MOST_SCHEDULES) return refuse(400, 'too many schedules');
    schedules.set(made.scheduleId, made);
    return answer(200, { scheduleId: made.scheduleId });
  });

  /** What is wrong with a request, or the schedule that it makes. */
  function schedule(destination: string, headers: Record<string, string>): KeptSchedule | string {
    const unknown = Object.keys(headers).find((name) => !KNOWN.test(name));
    if (unknown !== undefined) return `unknown header ${unknown}`;
    const url = URL.parse(destination);
    if (!url || !/^https?:$/.test(url.protocol)) {
      return 'invalid destination url: endpoint has invalid scheme, add http:// or https://';
    }
    if (/^(?:localhost|127\.|10\.|192\.168\.)/.test(url.hostname)) {
      return 'invalid destination url: endpoint resolves to a loopback address';
    }
    const { 'upstash-cron': cron = '', 'upstash-method': method = 'POST', 'upstash-retries': retries = '3' } = headers;
    if (cron.trim().split(/\s+/).length !== 5) return 'invalid cron';
    if (!/^(?:GET|POST|PUT|DELETE|PATCH)$/.test(method)) return 'invalid method';
    if (!/^\d$/.test(retries)) return 'invalid retries';
    const redacted = (headers['upstash-redact-fields'] ?? '').split(',').filter(Boolean);
    const fields = redacted.map((field) => /^header\[([A-Za-z-]+)\]$/.exec(field)?.[1]?.toLowerCase());
    if (fields.includes(undefined)) return 'invalid redact fields';
    const scheduleId = headers['upstash-schedule-id'] ?? `scd_${(serial += 1)}`;
    if (!/^[\w.-]+$/.test(scheduleId)) return 'invalid schedule id';
    const forwarded = Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('upstash-forward-') ? [[name.slice('upstash-forward-'.length), value]] : [],
    );
    return {
      scheduleId,
      destination,
      cron: cron.trim(),
      method,
      retries: Number(retries),
      createdAt: clock.now(),
      isPaused: false,
      forwarded: Object.fromEntries(forwarded) as Record<string, string>,
      redacted: fields.flatMap((field) => field ?? []),
    };
  }

  async function send(kept: KeptSchedule): Promise<void> {
    let state: 'SUCCESS' | 'FAIL' = 'FAIL';
    for (let attempt = 0; attempt <= kept.retries && state === 'FAIL'; attempt += 1) {
      if (left === 0) return;
      left -= 1;
      kept.lastScheduleTime = clock.now();
      const init = { method: kept.method, headers: kept.forwarded };
      const response = await fetch(kept.destination, init).catch(() => null);
      await response?.text();
      state = response?.ok ? 'SUCCESS' : 'FAIL';
    }
    kept.lastScheduleStates = { [`msg_${(serial += 1)}`]: state };
  }

  const simulator: QstashSimulator = {
    origin: server.origin,
    schedules,
    requests,
    refuseWith: null,
    async fire() {
      for (const kept of schedules.values()) if (!kept.isPaused) await send(kept);
    },
    close: () => server.close(),
  };
  return simulator;
}

/** As lists show it: names of headers as Go writes them, hidden values by their hash. */
function listed({ forwarded, redacted, ...kept }: KeptSchedule) {
  const shown = Object.entries(forwarded).map(([name, value]) => [
    name.replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase()),
    [redacted.includes(name) ? `REDACTED:${createHash('sha256').update(value).digest('hex')}` : value],
  ]);
  return { ...kept, header: Object.fromEntries(shown) as Record<string, string[]> };
}
