// DingTalk's registration by a scan (protocol notes, second page, section 4), played strictly.
import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../../../lib/runtime/clock.ts';
import { parseObject, readBody, reply } from '../../../playground/http/exchange.ts';
import type { Json } from '../../../playground/http/shape.ts';

/** What the person with the phone does. */
export type Scan =
  { kind: 'app'; clientId: string; clientSecret: string } | { kind: 'refuse'; reason: string } | { kind: 'nothing' };

export interface RegistrationOptions {
  /** For each code in its turn; the last one stays. */
  scans: Scan[];
  clock?: Clock;
  /** Polls that are answered WAITING before the person has decided. */
  waits?: number;
  /** Seconds. Default: 7,200. */
  expiresIn?: number;
  interval?: number;
}

const NONCE_MS = 300_000;

export interface Registration {
  handle(path: string, body: Json | undefined): { status: number; body: Json };
  /** What a client did that DingTalk would not have understood, or that was too fast. */
  readonly violations: string[];
  readonly codes: number;
}

export function createRegistration({
  scans,
  clock = systemClock,
  waits = 1,
  expiresIn = 7_200,
  interval = 1,
}: RegistrationOptions): Registration {
  const nonces = new Map<string, number>();
  const codes = new Map<string, { scan: Scan; polls: number; endsAt: number; lastAt: number; isTold: boolean }>();
  const violations: string[] = [];
  const refuse = (errcode: number, errmsg: string) => {
    violations.push(errmsg);
    return { status: 200, body: { errcode, errmsg } };
  };
  const fine = (body: Json) => ({ status: 200, body: { errcode: 0, errmsg: 'ok', ...body } });
  return {
    violations,
    get codes() {
      return codes.size;
    },
    handle(path, body) {
      if (!body) return refuse(40_035, 'the body is not a JSON object');
      if (path.endsWith('/init')) {
        const nonce = randomUUID();
        nonces.set(nonce, clock.now() + NONCE_MS);
        return fine({ nonce, expires_in: NONCE_MS / 1_000 });
      }
      if (path.endsWith('/begin')) {
        const nonce = String(body['nonce']);
        const endsAt = nonces.get(nonce) ?? 0;
        // Single use.
        nonces.delete(nonce);
        if (endsAt <= clock.now()) return refuse(40_001, 'nonce invalid');
        const device = randomUUID();
        const scan = scans[Math.min(codes.size, scans.length - 1)] ?? { kind: 'nothing' };
        codes.set(device, {
          scan,
          polls: 0,
          endsAt: clock.now() + expiresIn * 1_000,
          lastAt: -Infinity,
          isTold: false,
        });
        const user = 'ABCD-EFGH-JKLM';
        const uri = 'https://open-dev.dingtalk.com/openapp/registration';
        return fine({
          device_code: device,
          user_code: user,
          verification_uri: uri,
          verification_uri_complete: `${uri}?user_code=${user}`,
          expires_in: expiresIn,
          interval,
        });
      }
      if (!path.endsWith('/poll')) return refuse(404, `no such step: ${path}`);
      const code = codes.get(String(body['device_code']));
      if (!code) return refuse(40_002, 'device_code invalid');
      if (code.isTold) return refuse(40_003, 'polled after the end');
      if (clock.now() - code.lastAt < interval * 1_000 - 50) violations.push('polled faster than the interval');
      code.lastAt = clock.now();
      code.polls += 1;
      if (clock.now() >= code.endsAt) return fine({ status: 'EXPIRED' });
      if (code.polls <= waits || code.scan.kind === 'nothing') return fine({ status: 'WAITING' });
      code.isTold = true;
      return code.scan.kind === 'app'
        ? fine({ status: 'SUCCESS', client_id: code.scan.clientId, client_secret: code.scan.clientSecret })
        : fine({ status: 'FAIL', fail_reason: code.scan.reason });
    },
  };
}

/** In front of a simulated DingTalk: the registration here, everything else there. */
export async function startRegistrationServer(registration: Registration, origin: string) {
  const { startServer } = await import('../../../playground/http/server.ts');
  return startServer(async (incoming, response) => {
    const body = await readBody(incoming);
    const path = incoming.url ?? '/';
    if (path.startsWith('/app/registration/')) {
      if (incoming.method !== 'POST' || !incoming.headers['content-type']?.startsWith('application/json')) {
        registration.violations.push(`${incoming.method} ${path} is no JSON request`);
      }
      const answer = registration.handle(path, parseObject(body));
      reply(response, answer.status, 'application/json', JSON.stringify(answer.body));
      return;
    }
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(
        ([name]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name),
      ),
    ) as Record<string, string>;
    const method = incoming.method ?? 'GET';
    const passed = await fetch(`${origin}${path}`, {
      method,
      headers,
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(body) }),
    });
    reply(response, passed.status, passed.headers.get('content-type') ?? 'application/json', await passed.text());
  });
}
