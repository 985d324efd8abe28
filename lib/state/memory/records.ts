import type { Rating } from '../../answer/event.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AcceptRequest, State, Waiting } from '../state.ts';
import { createExpiringMap, type ExpiringMap } from './expiring-map.ts';
import type { Reserved } from './limits.ts';

/** A turn as this process keeps it. */
export interface MemoryTurn extends Reserved {
  acceptedBy: string;
  owner: string;
  asker: string;
  conversationKey: string;
  state: 'started' | 'queued' | 'full' | 'limited' | 'unheld' | 'dropped' | 'done';
  /** In line, when it was accepted: 1 for the next, 0 when it could start at once. */
  place: number;
  fence: number;
  hop: number;
  /** The owner that was to ask Dify; '' as long as none was. */
  askedBy: string;
  generation: string;
  progress: string | null;
  isFirst: boolean;
  /** Held files were added to its payload. */
  isChanged: boolean;
  isStopped: boolean;
  /** The group whose waiting forms the asker is told of. */
  toldOf: string | null;
  receipt: string | null;
  formNote: string | null;
  /** The rating of each person, with the request that set it. */
  ratings: Map<string, { rating: Rating | null; owner: string }>;
  /** The stop request that dropped the turn. */
  droppedBy: string | null;
  /** The turn that was started when this one ended. */
  next: string | null;
}

/** A turn as it is accepted. */
export function newTurn(
  { owner, asker, conversationKey, formsOf = null }: AcceptRequest,
  accepted: Pick<MemoryTurn, 'state' | 'place' | 'isFirst' | 'isChanged' | 'generation'> & Reserved,
): MemoryTurn {
  return {
    ...accepted,
    acceptedBy: owner,
    owner,
    asker,
    conversationKey,
    fence: 1,
    hop: 0,
    askedBy: accepted.state === 'started' ? owner : '',
    progress: null,
    isStopped: false,
    toldOf: formsOf,
    receipt: null,
    formNote: null,
    ratings: new Map(),
    droppedBy: null,
    next: null,
  };
}

/** How a turn stands that was put in line. */
export function waitingOf(turn: MemoryTurn | undefined): Waiting {
  const state = turn?.state;
  const isKnown = state === 'queued' || state === 'started' || state === 'dropped';
  return { state: isKnown ? state : 'over', progress: turn?.progress ?? null };
}

/** Turns that have ended as well as running ones, as buttons need them; and the flags of the robot. */
export function createMemoryRecords(
  turns: ExpiringMap<MemoryTurn>,
  payloads: ExpiringMap<string>,
  addresses: ExpiringMap<string>,
  clock: Clock,
): Pick<State, 'lookUp' | 'rate' | 'noteForm' | 'flags'> {
  const flags = createExpiringMap<true>(clock);
  return {
    async lookUp(turnId) {
      const turn = turns.get(turnId);
      if (!turn || turn.state === 'full' || turn.state === 'limited' || turn.state === 'unheld') return null;
      const { state, asker, conversationKey, progress, isStopped, receipt, formNote } = turn;
      const payload = payloads.get(turnId) ?? null;
      const reply = addresses.get(turnId) ?? null;
      return { state, asker, conversationKey, payload, progress, isStopped, receipt, reply, formNote };
    },

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
