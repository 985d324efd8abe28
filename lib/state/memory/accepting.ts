import { CLAIM_TTL_MS } from '../lifetimes.ts';
import type { AcceptRequest, State } from '../state.ts';
import { MOST_TOLD } from '../told.ts';
import type { MemoryParts } from './parts.ts';
import { newTurn, type MemoryTurn } from './turn.ts';

/** Messages that come in, within this process. */
export function createMemoryAccepting(parts: MemoryParts): Pick<State, 'claim' | 'accept' | 'hold'> {
  const { claims, turns, payloads, conversations, held, robots, lines, leases, forms, accounts, counters, isLimited } =
    parts;

  const ownerOf = (turnId: string) => turns.get(turnId)?.acceptedBy ?? claims.get(turnId)?.owner;

  /** Whether a new turn starts, waits in line, or is refused. */
  function standingOf(request: AcceptRequest): Pick<MemoryTurn, 'state' | 'place'> {
    const { conversationKey: key, queueLimit } = request;
    if (held.isMissing(request)) return { state: 'unheld', place: 0 };
    if (isLimited(request)) return { state: 'limited', place: 0 };
    if (!lines.isBusy(key)) return { state: 'started', place: 0 };
    const place = lines.waiting(key) + 1;
    return { state: place > queueLimit ? 'full' : 'queued', place };
  }

  function putOnRecord(request: AcceptRequest): MemoryTurn {
    const { turnId, conversationKey: key, nowMs } = request;
    counters.accepted(nowMs);
    const isMet = conversations.meet(key, request.conversationTtlMs);
    const isFirst = held.release(key, turnId) ?? isMet;
    const standing = standingOf(request);
    const { state } = standing;
    const isAccepted = state === 'started' || state === 'queued';
    const taken = isAccepted ? held.take(request) : { payload: request.payload, count: 0 };
    const reserved = accounts.reserve(isAccepted ? request.budget : null, taken.count);
    const isChanged = taken.payload !== request.payload;
    const { generation } = conversations.context(key);
    const turn = newTurn(request, { ...standing, isFirst, isChanged, generation, ...reserved });
    turns.set(turnId, turn, CLAIM_TTL_MS);
    if (isAccepted) {
      payloads.set(turnId, taken.payload, CLAIM_TTL_MS);
      robots.count(request.row);
    }
    if (state === 'queued') lines.enter(key, turnId);
    if (state === 'started') {
      lines.start(key, turnId);
      leases.hold(turnId, request.leaseUntilMs);
    }
    return turn;
  }

  return {
    async claim({ turnId, owner, nowMs, row }) {
      const holder = ownerOf(turnId);
      if (holder === undefined) {
        claims.set(turnId, { owner, as: 'claimed' }, CLAIM_TTL_MS);
        robots.note(row);
      }
      return { isNew: (holder ?? owner) === owner, overdue: leases.overdue(nowMs, MOST_TOLD) };
    },

    async accept(request) {
      const { turnId, owner, nowMs, row } = request;
      const known = turns.get(turnId);
      const claim = claims.get(turnId);
      const isOver = known?.state === 'done' || known?.state === 'dropped' || claim?.as === 'claimed';
      if (isOver || (ownerOf(turnId) ?? owner) !== owner) return { kind: 'duplicate' };
      if (!known) robots.note(row);
      if (claim?.as === 'silent' || (!known && robots.isSilent(row))) {
        claims.set(turnId, { owner, as: 'silent' }, CLAIM_TTL_MS);
        return { kind: 'silent' };
      }
      const turn = known ?? putOnRecord(request);
      const dueForms = forms.due(nowMs, MOST_TOLD);
      const load = { running: leases.running(nowMs), overdue: leases.overdue(nowMs, MOST_TOLD), dueForms };
      const budget = { level: turn.level, reached: turn.reached };
      // A repeat gets the first reply, even if the turn waited and has been started for another owner since.
      if (turn.place > 0 && turn.state !== 'full') return { kind: 'queued', place: turn.place, load, budget };
      if (turn.state === 'full' || turn.state === 'limited' || turn.state === 'unheld')
        return { kind: turn.state, load };
      const started = { fence: 1, context: forms.contextOf(turn, nowMs) };
      const payload = turn.isChanged ? (payloads.get(turnId) ?? null) : null;
      return { kind: 'started', turn: started, isFirst: turn.isFirst, payload, load, budget };
    },

    hold: async (request) =>
      turns.get(request.turnId) ? { kind: 'duplicate' } : held.hold(request, leases.overdue(request.nowMs, MOST_TOLD)),
  };
}
