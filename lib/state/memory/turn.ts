import type { Rating } from '../../answer/event.ts';
import type { AcceptRequest } from '../state.ts';
import type { Waiting } from '../told.ts';
import type { Reserved } from './limits.ts';

/** The first delivery of a message that is no turn, and what became of the message. */
export type MemoryClaim = { owner: string } & ({ as: 'claimed' | 'silent' } | { as: 'held'; isFirst: boolean });

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
