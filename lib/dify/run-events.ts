import { BridgeError } from '../errors.ts';
import { withTimeout, type Clock } from '../runtime/clock.ts';
import type { DifyConfig } from '../runtime/config.ts';
import type { Fetch } from '../runtime/http.ts';
import { authorizationOf, noAnswer } from './call.ts';
import type { DifyEvent } from './events.ts';
import { readRefusal } from './failures.ts';
import { readEvents } from './stream.ts';

export interface FollowedRun {
  runId: string;
  user: string;
  /** Begins with what has happened so far, instead of with what happens next. */
  withSnapshot?: boolean;
  signal: AbortSignal;
}

/** The route begins with a ping, so that its headers come at once. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Four missed keep-alives of 10 s. */
const IDLE_MS = 45_000;

/**
 * The events of a run from now on; of a finished run its end. Resolved when the stream is open, so that whatever happens
 * after that is in it. Null when the version has no such route (before 1.14) or the run is not this user's: Dify answers
 * both in the same way. Leaving the loop early, or aborting the signal, closes the connection.
 *
 * @throws BridgeError with a `dify_…` code when it was not answered or refused.
 */
export async function followRun(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  { runId, user, withSnapshot = false, signal }: FollowedRun,
): Promise<AsyncGenerator<DifyEvent, void, undefined> | null> {
  const query = new URLSearchParams({ user, ...(withSnapshot ? { include_state_snapshot: 'true' } : {}) });
  const response = await connect(`/workflow/${encodeURIComponent(runId)}/events?${query.toString()}`);
  const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false;
  if (response.status === 200 && isStream && response.body) {
    return readEvents(response.body, { clock, idleMs: IDLE_MS });
  }
  await response.body?.cancel().catch(() => undefined);
  if (response.status === 404) return null;
  if (response.status !== 200) throw readRefusal(response.status, undefined).error;
  throw new BridgeError('dify_not_a_stream', 'Dify answered without a stream', { status: 200 });

  async function connect(path: string): Promise<Response> {
    try {
      return await withTimeout(
        clock,
        HEADERS_TIMEOUT_MS,
        (limited) =>
          fetch(`${config.apiUrl}${path}`, {
            method: 'GET',
            headers: { ...authorizationOf(config), accept: 'text/event-stream' },
            redirect: 'manual',
            signal: limited,
          }),
        signal,
      );
    } catch (error) {
      throw noAnswer(error);
    }
  }
}
