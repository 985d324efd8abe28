import { DROPPED_CALLS } from '../budget.ts';
import type { State } from '../state.ts';
import type { ExpiringMap } from './expiring-map.ts';
import type { createMemoryLeases } from './leases.ts';
import type { createMemoryBudget } from './limits.ts';
import type { MemoryTurn } from './records.ts';

/** What a stop reads and changes. */
interface Stoppable {
  turns: ExpiringMap<MemoryTurn>;
  /** The turns that wait, by conversation. */
  queues: ReadonlyMap<string, readonly string[]>;
  /** The turn that runs, by conversation. */
  running: ReadonlyMap<string, string>;
  payloads: ExpiringMap<string>;
  leases: ReturnType<typeof createMemoryLeases>;
  accounts: ReturnType<typeof createMemoryBudget>;
}

export function createMemoryStop({ turns, queues, running, payloads, leases, accounts }: Stoppable): State['stop'] {
  return async ({ conversationKey, owner, asker, turnId: only, leaseUntilMs }) => {
    const isTheirs = (id: string, turn: MemoryTurn | undefined) =>
      turn !== undefined && (only === null || id === only) && (asker === null || turn.asker === asker);
    const dropped: { turnId: string; progress: string | null }[] = [];
    for (const turnId of queues.get(conversationKey) ?? []) {
      const turn = turns.get(turnId);
      if (!turn) continue;
      if (turn.state === 'queued' && isTheirs(turnId, turn)) {
        turn.state = 'dropped';
        turn.droppedBy = owner;
        payloads.delete(turnId);
        leases.hold(turnId, leaseUntilMs);
        if (turn.reserved) accounts.settle(turn.reserved, Math.min(turn.reserved.calls, DROPPED_CALLS));
      }
      if (turn.droppedBy === owner) dropped.push({ turnId, progress: turn.progress });
    }
    const turnId = running.get(conversationKey);
    const turn = turns.get(turnId ?? '');
    if (turnId === undefined || turn === undefined || !isTheirs(turnId, turn)) return { dropped, running: null };
    turn.isStopped = true;
    return { dropped, running: { turnId, payload: payloads.get(turnId) ?? '', progress: turn.progress } };
  };
}
