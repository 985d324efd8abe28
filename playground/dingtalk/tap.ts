import type { Json } from '../http/shape.ts';
import { takeCardResponse } from './card-response.ts';
import type { Callback, CardActionInput, Tap, TapOverrides } from './types.ts';
import type { World } from './world.ts';

/** protocol 4.8 (confirmed): DingTalk waits so long, by the wall clock and not by the clock of the simulation. */
const deadlineMs = 2000;

const isTimeout = (error: unknown) => error instanceof DOMException && error.name === 'TimeoutError';

/** Taps on cards' buttons, from the action to what its answer changes. */
export function createTaps(world: World, cardAction: (input: CardActionInput, body?: Json, at?: number) => Callback) {
  return async (input: CardActionInput, overrides: TapOverrides = {}): Promise<Tap> => {
    const action = cardAction(input, overrides.body, overrides.at);
    const url = overrides.url ?? world.routeOf(input.outTrackId)?.url;
    if (url === undefined) return { status: 0, body: '', ms: 0, update: null };
    const headers = new Headers(action.headers);
    for (const [name, value] of Object.entries(overrides.headers ?? {}))
      if (value === undefined) headers.delete(name);
      else headers.set(name, value);
    const startedAt = performance.now();
    const ms = () => Math.round(performance.now() - startedAt);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify(action.body),
        redirect: 'manual',
        signal: AbortSignal.timeout(deadlineMs),
      });
      const answer = { status: response.status, body: await response.text(), ms: ms() };
      return { ...answer, update: takeCardResponse(world, action.body, answer) };
    } catch (error) {
      // The address does not answer.
      if (!isTimeout(error)) return { status: 0, body: '', ms: ms(), update: null };
      const message = `no whole response within ${deadlineMs} ms`;
      world.violate({ api: 'cardCallback', code: 'response.late', message, outTrackId: input.outTrackId });
      return { status: 0, body: '', ms: ms(), update: null };
    }
  };
}
