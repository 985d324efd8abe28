import type { Clock } from '../../runtime/clock.ts';
import type { AcceptRequest, Rating, State, Waiting } from '../state.ts';
import { createExpiringMap, type ExpiringMap } from './expiring-map.ts';
import type { Reserved } from './limits.ts';

/** A turn as this process keeps it. */
export interface MemoryTurn extends Reserved {
  acceptedBy: string;
  owner: string;
  asker: string;
  conversationKey: string;
  state: 'started' | 'queued' | 'full' | 'limited' | 'dropped' | 'done';
  place: number;
  claim: number;
  hop: number;
  /** The owner who was to ask Dify; '' while nobody was. */
  askedBy: string;
  generation: string;
  progress: string | null;
  isFirst: boolean;
  isStopped: boolean;
  receipt: string | null;
  /** What people think of the answer, with the request that said so. */
  ratings: Map<string, { rating: Rating | null; owner: string }>;
  droppedBy: string | null;
  next: string | null;
}

/** A turn that was just accepted. */
export function newTurn(
  { owner, asker, conversationKey }: AcceptRequest,
  accepted: Pick<MemoryTurn, 'state' | 'place' | 'isFirst' | 'generation'> & Reserved,
): MemoryTurn {
  return {
    ...accepted,
    acceptedBy: owner,
    owner,
    asker,
    conversationKey,
    claim: 1,
    hop: 0,
    askedBy: accepted.state === 'started' ? owner : '',
    progress: null,
    isStopped: false,
    receipt: null,
    ratings: new Map(),
    droppedBy: null,
    next: null,
  };
}

/** How a turn stands that has been waiting. */
export function waitingOf(turn: MemoryTurn | undefined): Waiting {
  const state = turn?.state;
  const isKnown = state === 'queued' || state === 'started' || state === 'dropped';
  return { state: isKnown ? state : 'over', progress: turn?.progress ?? null };
}

/** What buttons need to know of turns, running or over. */
export function createMemoryRecords(
  turns: ExpiringMap<MemoryTurn>,
  payloads: ExpiringMap<string>,
  clock: Clock,
): Pick<State, 'lookUp' | 'rate' | 'marks'> {
  const marks = createExpiringMap<true>(clock);
  return {
    async lookUp(turnId) {
      const turn = turns.get(turnId);
      if (!turn || turn.state === 'full' || turn.state === 'limited') return null;
      const { state, asker, conversationKey, progress, isStopped, receipt } = turn;
      const payload = payloads.get(turnId) ?? null;
      return { state, asker, conversationKey, payload, progress, isStopped, receipt };
    },

    async rate({ turnId, person, owner, rating }) {
      const ratings = turns.get(turnId)?.ratings;
      const held = ratings?.get(person);
      if (!ratings || held?.owner === owner) return held?.rating ?? null;
      const now = held?.rating === rating ? null : rating;
      ratings.set(person, { rating: now, owner });
      return now;
    },

    marks: {
      isSet: async (name) => marks.get(name) !== undefined,
      async set(name, ttlMs) {
        marks.set(name, true, ttlMs);
      },
    },
  };
}
