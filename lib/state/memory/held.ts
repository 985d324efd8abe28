import type { Clock } from '../../runtime/clock.ts';
import { CLAIM_TTL_MS } from '../lifetimes.ts';
import type { AcceptRequest, HoldRequest } from '../state.ts';
import type { Held } from '../told.ts';
import type { createMemoryConversations } from './conversations.ts';
import { createExpiringMap, type ExpiringMap } from './expiring-map.ts';
import type { MemoryClaim } from './turn.ts';

/** Files that wait for the next question of their conversation, within this process. */
export function createMemoryHeld(
  clock: Clock,
  conversations: ReturnType<typeof createMemoryConversations>,
  claims: ExpiringMap<MemoryClaim>,
) {
  const lists = createExpiringMap<{ turnId: string; file: string }[]>(clock);
  /** Outlive the lists: where only the mark is left, files were held for too long. */
  const marks = createExpiringMap<true>(clock);
  const nameOf = (key: string) => `${key}:${conversations.context(key).generation}`;

  function drop(key: string): void {
    lists.delete(nameOf(key));
    marks.delete(nameOf(key));
  }

  return {
    size: () => lists.size() + marks.size(),

    hold(request: HoldRequest, overdue: readonly string[]): Held {
      const { turnId, owner, conversationKey: key, files, limit, holdMs, conversationTtlMs } = request;
      const known = claims.get(turnId);
      if (known && (known.owner !== owner || known.as !== 'held')) return { kind: 'duplicate' };
      const isFirst = known?.isFirst ?? conversations.meet(key, conversationTtlMs);
      if (!known) {
        claims.set(turnId, { owner, as: 'held', isFirst }, CLAIM_TTL_MS);
        const list = lists.get(nameOf(key)) ?? [];
        const entries = [...list, ...files.map((file) => ({ turnId, file }))].slice(0, limit);
        lists.set(nameOf(key), entries, holdMs);
        marks.set(nameOf(key), true, conversationTtlMs);
      }
      const list = lists.get(nameOf(key)) ?? [];
      const end = list.findLastIndex((entry) => entry.turnId === turnId) + 1;
      return {
        kind: 'held',
        // What came after this message is told with a message of its own.
        files: (end === 0 ? list : list.slice(0, end)).map(({ file }) => file),
        added: list.filter((entry) => entry.turnId === turnId).length,
        isFirst,
        overdue,
        context: { ...conversations.context(key), difyConversationId: null, others: [] },
      };
    },

    /**
     * The files of this message are asked about at once after all. Returns whether it is the first of its conversation;
     * undefined for a message that was not held.
     */
    release(key: string, turnId: string): boolean | undefined {
      const known = claims.get(turnId);
      if (known?.as !== 'held') return undefined;
      claims.delete(turnId);
      const list = lists.get(nameOf(key)) ?? [];
      const others = list.filter((entry) => entry.turnId !== turnId);
      if (others.length === 0) drop(key);
      // In place: the list keeps its end.
      else list.splice(0, list.length, ...others);
      return known.isFirst;
    },

    /** Whether a question needs files and none are held. Then no later question learns that they were held for too long. */
    isMissing({ conversationKey: key, heldFiles }: AcceptRequest): boolean {
      if (heldFiles !== 'need' || lists.get(nameOf(key)) !== undefined) return false;
      drop(key);
      return true;
    },

    /** The payload of a question with the files that were held for it, and their number. */
    take({ conversationKey: key, payload, heldFiles }: AcceptRequest): { payload: string; count: number } {
      if (heldFiles === 'leave') return { payload, count: 0 };
      const files = (lists.get(nameOf(key)) ?? []).map(({ file }) => file);
      const isOver = files.length === 0 && marks.get(nameOf(key)) === true;
      drop(key);
      const added = files.length > 0 ? `,"held":[${files.join(',')}]}` : isOver ? ',"heldIsOver":true}' : null;
      return { payload: added === null ? payload : payload.slice(0, -1) + added, count: files.length };
    },

    /** How many files are left behind when the conversation begins anew. */
    leave(key: string, generation: string): number {
      if (conversations.context(key).generation === generation) return 0;
      const { length } = lists.get(nameOf(key)) ?? [];
      drop(key);
      return length;
    },
  };
}
