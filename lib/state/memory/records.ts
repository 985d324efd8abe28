import type { State } from '../state.ts';
import type { MemoryParts } from './parts.ts';

/** Turns that have ended as well as running ones, as buttons need them; and the flags of the robot. */
export function createMemoryRecords({
  turns,
  payloads,
  addresses,
  cards,
  flags,
}: MemoryParts): Pick<State, 'lookUp' | 'receiptOf' | 'rate' | 'noteForm' | 'flags'> {
  return {
    async lookUp(turnId) {
      const turn = turns.get(turnId);
      if (!turn || turn.state === 'full' || turn.state === 'limited' || turn.state === 'unheld') return null;
      const { state, asker, conversationKey, progress, isStopped, receipt, formNote } = turn;
      const payload = payloads.get(turnId) ?? null;
      const reply = addresses.get(turnId) ?? null;
      return { state, asker, conversationKey, payload, progress, isStopped, receipt, reply, formNote };
    },

    receiptOf: async (cardKey) => turns.get(cards.get(cardKey) ?? '')?.receipt ?? null,

    async noteForm({ turnId, note, instead }) {
      const turn = turns.get(turnId);
      if (!turn) return '';
      const held = turn.formNote ?? '';
      if (instead !== null && held !== instead) return held;
      turn.formNote = note;
      return note;
    },

    async rate({ turnId, person, owner, rating, keeps = false }) {
      const ratings = turns.get(turnId)?.ratings;
      const held = ratings?.get(person);
      if (!ratings || held?.owner === owner) return held?.rating ?? null;
      const now = held?.rating === rating && !keeps ? null : rating;
      ratings.set(person, { rating: now, owner });
      return now;
    },

    flags: {
      isSet: async (name) => flags.get(name) !== undefined,
      async set(name, ttlMs) {
        flags.set(name, true, ttlMs);
      },
    },
  };
}
