import type { RobotConfig } from '../config/robot.ts';
import type { Clock } from '../runtime/clock.ts';
import type { State } from '../state/state.ts';
import { askerOf } from '../turn/conversation.ts';
import { turnIdOf } from '../turn/record.ts';
import type { Turn } from '../turn/turn.ts';

/**
 * How often it is told, in milliseconds: to somebody who is on no list, and to somebody who has asked too much. Who waits
 * for an answer must not wait in vain for long.
 */
const GAP_MS = { list: 600_000, limit: 60_000 } as const;

export interface RefusalOptions {
  config: RobotConfig;
  state: Pick<State, 'claim'>;
  clock: Clock;
  newId: () => string;
}

/**
 * When a refusal is told: once in a while, whichever instance is asked, because what is refused may come in a flood. Who
 * gets the claim tells it. Never rejects: while the store is down each instance tells by itself.
 */
export function createRefusals({ config, state, clock, newId }: RefusalOptions) {
  return {
    claimTelling(why: keyof typeof GAP_MS, { message, conversation }: Pick<Turn, 'message' | 'conversation'>) {
      const nowMs = clock.now();
      const windowMs = why === 'limit' ? (config.access.rateLimit?.windowMs ?? Infinity) : Infinity;
      const window = Math.floor(nowMs / Math.min(GAP_MS[why], windowMs));
      const turnId = turnIdOf([why, askerOf(message), conversation.key, window].join('\n'));
      return state.claim({ turnId, owner: newId(), nowMs });
    },
  };
}
