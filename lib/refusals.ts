import { askerOf } from './access.ts';
import type { Clock } from './runtime/clock.ts';
import type { RobotConfig } from './runtime/config.ts';
import type { State } from './state/state.ts';
import { turnIdOf } from './turn-record.ts';
import type { Turn } from './turn.ts';

/** How often somebody who is on no list is told so, in milliseconds. */
const LIST_GAP_MS = 600_000;
/** How often somebody who has asked too much is: who waits for an answer must not wait in vain for long. */
const LIMIT_GAP_MS = 60_000;

export interface RefusalOptions {
  config: RobotConfig;
  state: Pick<State, 'claim'>;
  clock: Clock;
  newId: () => string;
}

type Refused = Pick<Turn, 'message' | 'conversation'>;

/**
 * When a refusal is told: once in a while, whichever instance is asked, because what is refused may come in a flood.
 * Never reject: while the store is down each instance tells by itself.
 */
export function createRefusals({ config, state, clock, newId }: RefusalOptions) {
  async function isTime(what: string, { message, conversation }: Refused, gapMs: number): Promise<boolean> {
    const nowMs = clock.now();
    const name = [what, askerOf(message), conversation.key, Math.floor(nowMs / gapMs)].join('\n');
    return (await state.claim({ turnId: turnIdOf(name), owner: newId(), nowMs })).isNew;
  }

  return {
    isTimeForList: (refused: Refused) => isTime('list', refused, LIST_GAP_MS),
    isTimeForLimit: (refused: Refused) =>
      isTime('limit', refused, Math.min(LIMIT_GAP_MS, config.access.rateLimit?.windowMs ?? LIMIT_GAP_MS)),
  };
}
