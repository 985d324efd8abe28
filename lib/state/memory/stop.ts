import { DROPPED_CALLS } from '../budget.ts';
import type { State } from '../state.ts';
import type { MemoryParts } from './parts.ts';
import type { MemoryTurn } from './turn.ts';

export function createMemoryStop({ turns, lines, payloads, leases, accounts }: MemoryParts): State['stop'] {
  return async ({ conversationKey, owner, asker, turnId: only, leaseUntilMs }) => {
    const isTheirs = (id: string, turn: MemoryTurn | undefined) =>
      turn !== undefined && (only === null || id === only) && (asker === null || turn.asker === asker);
    const dropped: { turnId: string; progress: string | null }[] = [];
    for (const turnId of lines.lineOf(conversationKey)) {
      const turn = turns.get(turnId);
      if (!turn) continue;
      if (turn.state === 'queued' && isTheirs(turnId, turn)) {
        turn.state = 'dropped';
        turn.droppedBy = owner;
        payloads.delete(turnId);
        leases.hold(turnId, leaseUntilMs);
        if (turn.reserved) accounts.settle(turn.reserved, Math.min(turn.reserved.calls, DROPPED_CALLS));
        // An instance that answers it unheard ends it as well, and settles nothing more.
        turn.reserved = null;
      }
      if (turn.droppedBy === owner) dropped.push({ turnId, progress: turn.progress });
    }
    const turnId = lines.runningIn(conversationKey);
    const turn = turns.get(turnId ?? '');
    if (turnId === undefined || turn === undefined || !isTheirs(turnId, turn)) return { dropped, running: null };
    turn.isStopped = true;
    return { dropped, running: { turnId, payload: payloads.get(turnId) ?? '', progress: turn.progress } };
  };
}
