import { readCallback } from '../../lib/dingtalk/callback.ts';
import { openStream } from '../../lib/dingtalk/stream/open-stream.ts';
import { createLog } from '../../lib/runtime/log.ts';
import type { RobotContext } from '../doctor/check.ts';

export interface Person {
  staffId: string;
  nick: string;
}

/** Holds a Stream connection until the first person writes to the robot. Null: `signal` came first. */
export async function waitForPerson({ robot, ports }: RobotContext, signal: AbortSignal): Promise<Person | null> {
  const { fetch, clock } = ports;
  const { promise, resolve } = Promise.withResolvers<Person | null>();
  signal.addEventListener('abort', () => resolve(null), { once: true });
  const stream = openStream({
    config: robot.dingtalk,
    callbacks: {
      async message(body) {
        const callback = readCallback(body);
        const sender = callback.kind === 'message' ? callback.sender : null;
        if (sender?.staffId) resolve({ staffId: sender.staffId, nick: sender.nick });
        return 200;
      },
      press: async () => ({ code: 200, response: {} }),
    },
    fetch,
    clock,
    log: createLog(clock, 'error', () => undefined),
  });
  const person = await promise;
  await stream.close();
  return person;
}
