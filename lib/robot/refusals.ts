import type { RobotConfig } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { Clock } from '../runtime/clock.ts';
import type { State } from '../state/state.ts';
import type { Claimed } from '../state/told.ts';
import { askerOf } from '../turn/conversation.ts';
import { turnIdOf } from '../turn/record.ts';
import { rowOf } from './access.ts';

/**
 * How often a person is told, in milliseconds: a person on no list, and a person who has asked too much. The second waits
 * for an answer, so the sentence comes sooner again.
 */
const GAP_MS = { list: 600_000, limit: 60_000 } as const;

export interface RefusalOptions {
  config: RobotConfig;
  state: Pick<State, 'claim'>;
  clock: Clock;
  newId: () => string;
}

/** Refuses a person once in a while, and not once an instance: refused messages may come in large numbers. */
export interface Refusals {
  /** The instance whose claim is new tells it. Never rejects: while the store is down each instance tells by itself. */
  claimTelling(
    why: keyof typeof GAP_MS,
    message: Pick<Message, 'chat' | 'sender' | 'fromRobot'>,
    conversationKey: string,
  ): Promise<Claimed>;
}

export function createRefusals({ config, state, clock, newId }: RefusalOptions): Refusals {
  return {
    claimTelling(why, message, conversationKey) {
      const nowMs = clock.now();
      const windowMs = why === 'limit' ? (config.access.rateLimit?.windowMs ?? Infinity) : Infinity;
      const window = Math.floor(nowMs / Math.min(GAP_MS[why], windowMs));
      const turnId = turnIdOf([why, askerOf(message), conversationKey, window].join('\n'));
      return state.claim({ turnId, owner: newId(), nowMs, row: rowOf(message) });
    },
  };
}
