import type { ServerResponse } from 'node:http';
import { refuse, type Refusal } from './refusal.ts';
import type { Behaviour, SampleApp } from './types.ts';

/** protocol 3.4: a slot is taken when a run's request starts and freed when its response is closed. */
export function createSlots(behaviour: Behaviour) {
  const active = new Map<string, number>();

  return (app: SampleApp, key: string, response: ServerResponse): Refusal | undefined => {
    const running = active.get(key) ?? 0;
    const limit = app.maxActiveRequests ?? Infinity;
    if (running >= limit) {
      const message = `Too many requests. Please try again later. The current maximum concurrent requests allowed for ${app.name} is ${limit}.`;
      return behaviour.tooManyRequests === 429
        ? refuse(429, 'too_many_requests', message)
        : refuse(400, 'invalid_param', message);
    }
    active.set(key, running + 1);
    response.once('close', () => active.set(key, (active.get(key) ?? 1) - 1));
    return undefined;
  };
}
