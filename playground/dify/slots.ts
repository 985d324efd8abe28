import type { ServerResponse } from 'node:http';
import { isWorkflowBased } from './envelope.ts';
import { refuse, type Refusal } from './refusal.ts';
import type { Behaviour, SampleApp } from './types.ts';

/** protocol 3.4: a slot is taken when a run's request starts and freed when its response is closed. */
export function createSlots(behaviour: Behaviour) {
  const active = new Map<string, number>();

  return (app: SampleApp, key: string, response: ServerResponse): Refusal | undefined => {
    // Recorded on 1.14.2: such a run counts twice while it is admitted, and not at all while it goes on.
    const isFreedEarly = isWorkflowBased(app) && behaviour.slotsFreedEarly;
    const running = isFreedEarly ? 1 : (active.get(key) ?? 0);
    const limit = app.maxActiveRequests ?? Infinity;
    if (running >= limit) {
      const message = `Too many requests. Please try again later. The current maximum concurrent requests allowed for ${app.name} is ${limit}.`;
      return behaviour.tooManyRequests === 429
        ? refuse(429, 'too_many_requests', message)
        : refuse(400, 'invalid_param', message);
    }
    if (isFreedEarly) return undefined;
    active.set(key, running + 1);
    response.once('close', () => active.set(key, (active.get(key) ?? 1) - 1));
    return undefined;
  };
}
