import * as z from 'zod';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { ask } from '../doctor/wire.ts';

export interface Registration {
  /** What the QR code holds; it opens as a link on the phone, too. */
  link: string;
  /** Milliseconds since the epoch: the code is good until then. */
  endsAtMs: number;
  /** Resolves when the scan has led to an end. An aborted `signal` ends it as `left`. */
  result: (signal: AbortSignal) => Promise<RegistrationEnd>;
}

export type RegistrationEnd =
  | { kind: 'done'; clientId: string; clientSecret: string }
  | { kind: 'expired' }
  /** DingTalk's own reason, which is for the person who scanned. */
  | { kind: 'refused'; reason: string }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'left' };

export interface RegistrationPorts {
  fetch: Fetch;
  clock: Clock;
  /** `DINGTALK_OAPI_URL`. */
  oapiUrl: string;
}

/** Failed polls are tolerated for so long (reported practice of other clients). */
const PATIENCE_MS = 120_000;
/** Where DingTalk names no interval (reported practice: 3 s), and the least that is kept. */
const INTERVAL_S = 3;
const LEAST_INTERVAL_S = 1;

const refusedBody = z.looseObject({ errcode: z.number().optional(), errmsg: z.string().optional() });
const initBody = z.object({ nonce: z.string().min(1) });
const beginBody = z.object({
  device_code: z.string().min(1),
  verification_uri_complete: z.url({ protocol: /^https?$/ }),
  expires_in: z.number().positive(),
  interval: z.number().nonnegative().optional(),
});
const pollBody = z.object({
  status: z.string(),
  client_id: z.string().min(1).optional(),
  client_secret: z.string().min(1).optional(),
  fail_reason: z.string().nullish(),
});

type Step<T> = { ok: true; body: T } | { ok: false; end: RegistrationEnd };

/** DingTalk's registration by a scan: `init`, `begin`, and `poll` until the person has decided. */
export async function beginRegistration(
  ports: RegistrationPorts,
): Promise<{ ok: true; registration: Registration } | { ok: false; end: RegistrationEnd }> {
  const init = await step(ports, 'init', {}, initBody);
  if (!init.ok) return init;
  const begin = await step(ports, 'begin', { nonce: init.body.nonce }, beginBody);
  if (!begin.ok) return begin;
  const { device_code: deviceCode, verification_uri_complete: link, expires_in: lifeS, interval } = begin.body;
  const endsAtMs = ports.clock.now() + lifeS * 1_000;
  const pauseMs = Math.max(LEAST_INTERVAL_S, interval ?? INTERVAL_S) * 1_000;
  return {
    ok: true,
    registration: {
      link,
      endsAtMs,
      result: (signal) => pollUntilEnd(ports, { deviceCode, endsAtMs, pauseMs }, signal),
    },
  };
}

async function pollUntilEnd(
  ports: RegistrationPorts,
  { deviceCode, endsAtMs, pauseMs }: { deviceCode: string; endsAtMs: number; pauseMs: number },
  signal: AbortSignal,
): Promise<RegistrationEnd> {
  const { clock } = ports;
  let failingSinceMs: number | null = null;
  for (;;) {
    try {
      await sleep(clock, pauseMs, signal);
    } catch {
      return { kind: 'left' };
    }
    if (clock.now() >= endsAtMs) return { kind: 'expired' };
    const polled = await step(ports, 'poll', { device_code: deviceCode }, pollBody);
    if (signal.aborted) return { kind: 'left' };
    if (polled.ok) {
      failingSinceMs = null;
      const end = endOf(polled.body);
      if (end) return end;
      continue;
    }
    failingSinceMs ??= clock.now();
    if (polled.end.kind !== 'unreachable' || clock.now() - failingSinceMs >= PATIENCE_MS) return polled.end;
  }
}

/** Null while the person has not decided. */
function endOf({
  status,
  client_id: clientId,
  client_secret: clientSecret,
  fail_reason: reason,
}: z.output<typeof pollBody>): RegistrationEnd | null {
  switch (status) {
    case 'WAITING':
      return null;
    case 'SUCCESS':
      // Without credentials there is nothing to go on with.
      return clientId === undefined || clientSecret === undefined
        ? { kind: 'refused', reason: 'SUCCESS without credentials' }
        : { kind: 'done', clientId, clientSecret };
    case 'EXPIRED':
      return { kind: 'expired' };
    default:
      return { kind: 'refused', reason: reason ?? status };
  }
}

/** `errcode` other than 0 is a failure, whatever the HTTP status (protocol 4). */
async function step<T>(
  { fetch, clock, oapiUrl }: RegistrationPorts,
  name: 'init' | 'begin' | 'poll',
  body: object,
  shape: z.ZodType<T>,
): Promise<Step<T>> {
  const answer = await ask(fetch, clock, {
    url: `${oapiUrl}/app/registration/${name}`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.kind === 'none') return { ok: false, end: { kind: 'unreachable', reason: answer.reason } };
  const refused = refusedBody.safeParse(answer.json);
  const { errcode = 0, errmsg = '' } = refused.success ? refused.data : {};
  if (answer.status === 200 && errcode !== 0)
    return { ok: false, end: { kind: 'refused', reason: errmsg || String(errcode) } };
  const read = shape.safeParse(answer.json);
  if (answer.status === 200 && read.success) return { ok: true, body: read.data };
  return { ok: false, end: { kind: 'unreachable', reason: `HTTP ${answer.status}` } };
}
