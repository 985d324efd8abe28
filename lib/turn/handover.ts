import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { callJson, type Fetch } from '../net/http.ts';
import { pathOf } from '../routes.ts';
import type { Clock } from '../runtime/clock.ts';
import { equalInConstantTime } from '../runtime/secrets.ts';

/** Gets a running turn to a fresh invocation. A queue could do it as well as a request. */
export interface Handover {
  /** The HTTP status of the answer: 200 when it was taken, null when no answer came. Never rejects. */
  resume(turn: HandedOver): Promise<number | null>;
}

/** Everything else comes from the store. */
export interface HandedOver {
  turnId: string;
  /** The holder's fence (`Started`). */
  fence: number;
  /** How many invocations this one is away from DingTalk's callback. */
  hop: number;
}

export interface ReceivedHandover extends HandedOver {
  /** By the store's time. */
  sentAtMs: number;
}

/** Vercel answers a chain of about five self-calls with 508. */
const MAX_HOPS = 4;

const TIMEOUT_MS = 3_000;

const SIGNATURE_HEADER = 'x-bridge-signature';

const TIMESTAMP_HEADER = 'x-bridge-timestamp';

const handoverBody = z.object({
  turnId: z.string().min(1).max(100),
  claim: z.number().int().positive(),
  hop: z.number().int().min(1).max(MAX_HOPS),
});

export interface HandoverOptions {
  /** The function's own address, from the configuration: never from a request. */
  publicUrl: string;
  robotName: string | null;
  secrets: readonly string[];
  /** Opens a protected deployment to its own calls. */
  bypassSecret: string | null;
  fetch: Fetch;
  clock: Clock;
  /** The store's time at this time of the instance: the instance that takes the turn measures the age of the request by it. */
  storeTime: (nowMs: number) => number;
}

/** Hands over by a signed request to the function's own address. */
export function createHandover({
  publicUrl,
  robotName,
  secrets,
  bypassSecret,
  fetch,
  clock,
  storeTime,
}: HandoverOptions): Handover {
  return {
    async resume({ turnId, fence, hop }) {
      // On the wire the fence has its first name: an older version may read it.
      const handover: z.input<typeof handoverBody> = { turnId, claim: fence, hop };
      const timestamp = String(storeTime(clock.now()));
      const text = JSON.stringify(handover);
      try {
        const answer = await callJson(fetch, clock, {
          method: 'POST',
          url: `${publicUrl}${pathOf(robotName)}?resume`,
          headers: {
            [TIMESTAMP_HEADER]: timestamp,
            [SIGNATURE_HEADER]: signature(secrets[0] ?? '', robotName, timestamp, text),
            ...(bypassSecret === null ? {} : { 'x-vercel-protection-bypass': bypassSecret }),
          },
          body: handover,
          timeoutMs: TIMEOUT_MS,
        });
        return answer.status;
      } catch {
        return null;
      }
    },
  };
}

/** What became of a handover. A turn that was not taken stays on record. */
export interface Handed {
  isTaken: boolean;
  /** What the function's own address answered, where that was not 200; null for no answer. */
  status?: number | null;
}

/** Hands a turn on that came here by so many hops, unless these are as many as there may be. Never rejects. */
export async function handOn(handover: Handover, { turnId, fence, hop }: HandedOver): Promise<Handed> {
  if (hop >= MAX_HOPS) return { isTaken: false };
  const status = await handover.resume({ turnId, fence, hop: hop + 1 });
  return status === 200 ? { isTaken: true } : { isTaken: false, status };
}

/**
 * Reads a handover from a request's headers and body, with the time at which it was sent: the store says whether that is too
 * long ago.
 *
 * @throws BridgeError `route_closed` when it is not signed by this function, or not a handover.
 */
export function readHandover(
  headers: Headers,
  body: string,
  { robotName, secrets }: { robotName: string | null; secrets: readonly string[] },
): ReceivedHandover {
  const timestamp = headers.get(TIMESTAMP_HEADER) ?? '';
  const given = headers.get(SIGNATURE_HEADER) ?? '';
  const isSigned = secrets.some((secret) => equalInConstantTime(signature(secret, robotName, timestamp, body), given));
  if (!isSigned || !/^\d{1,15}$/.test(timestamp)) throw new BridgeError('route_closed', 'not authorised');
  try {
    const { turnId, claim, hop } = handoverBody.parse(JSON.parse(body));
    return { turnId, fence: claim, hop, sentAtMs: Number(timestamp) };
  } catch {
    throw new BridgeError('route_closed', 'not authorised');
  }
}

/** Covers the body, unlike DingTalk's. The key is derived, so that DingTalk's own `sign` never opens the route. */
function signature(secret: string, robotName: string | null, timestamp: string, body: string): string {
  const key = createHmac('sha256', secret).update('resume').digest();
  return createHmac('sha256', key)
    .update(`resume\n${robotName ?? ''}\n${timestamp}\n${body}`)
    .digest('base64');
}
