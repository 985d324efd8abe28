import type { Json } from '../http/shape.ts';
import type { DingTalkApi, DingTalkCall } from './types.ts';
import type { World } from './world.ts';

export interface OpenCall {
  readonly call: DingTalkCall;
  finish(result: Partial<Omit<DingTalkCall, 'id' | 'at' | 'durationMs'>>): void;
}

/** Every request, in order of arrival; filled in when it is over. */
export function openCall(
  world: World,
  start: { api: DingTalkApi; method: string; path: string; bytes: number; request: Json },
): OpenCall {
  const call: DingTalkCall = {
    id: world.createId(),
    api: start.api,
    method: start.method,
    path: start.path,
    at: world.clock.now(),
    durationMs: null,
    status: null,
    code: null,
    requestBytes: start.bytes,
    responseBytes: 0,
    counted: false,
    fault: null,
    outcome: 'running',
    // Secrets do not belong in a log that a page shows.
    request: start.api === 'accessToken' ? {} : start.request,
    response: {},
  };
  world.calls.push(call);
  return {
    call,
    finish(result) {
      Object.assign(call, result, { durationMs: world.clock.now() - call.at });
      world.emit({ type: 'call', call });
    },
  };
}
