import { FAILED_TTL_MS, HANDOVER_AGE_MS, RECEIPT_TTL_MS, replyTtlMs } from '../lifetimes.ts';
import type { State } from '../state.ts';
import { MOST_TOLD, type StartedTurn } from '../told.ts';
import type { MemoryParts } from './parts.ts';
import { waitingOf, type MemoryTurn } from './turn.ts';

/** Turns that run or wait, within this process. */
export function createMemoryRunning(
  parts: MemoryParts,
): Pick<State, 'renew' | 'finish' | 'takeOver' | 'noteWaiting' | 'noteDropped' | 'peek'> {
  const { turns, payloads, addresses, cards, conversations, lines, leases, forms, accounts, counters } = parts;

  /** All that the next owner of a turn needs. */
  function describe(turnId: string, turn: MemoryTurn, owner: string, nowMs: number): StartedTurn {
    return {
      turnId,
      fence: turn.fence,
      hop: turn.hop,
      mayHaveBeenAsked: turn.askedBy !== '' && turn.askedBy !== owner,
      isStopped: turn.isStopped,
      conversationKey: turn.conversationKey,
      context: forms.contextOf(turn, nowMs),
      payload: payloads.get(turnId) ?? '',
      progress: turn.progress,
      level: turn.level,
    };
  }

  /** Starts the next turn of the conversation and returns its id; null when none waits. */
  function startNext(key: string, owner: string, nowMs: number, leaseUntilMs: number): string | null {
    const next = lines.next(key);
    if (!next) return null;
    const { id, turn } = next;
    turn.state = 'started';
    turn.owner = owner;
    turn.askedBy = leaseUntilMs > nowMs ? owner : '';
    turn.generation = conversations.context(key).generation;
    lines.start(key, id);
    leases.hold(id, leaseUntilMs);
    return id;
  }

  return {
    async renew({ turnId, fence, nowMs, leaseUntilMs, progress, remembered }) {
      const turn = turns.get(turnId);
      if (!turn) return { kind: 'unknown' };
      if (turn.fence !== fence || turn.state === 'done') return { kind: 'lost' };
      if (turn.state === 'queued') {
        turn.state = 'started';
        turn.askedBy = turn.acceptedBy;
      }
      // The owner that renews a dropped turn ends its card, and then the turn.
      if (turn.state !== 'dropped') turn.progress = progress;
      leases.hold(turnId, leaseUntilMs);
      conversations.remember(remembered);
      const isStopped = turn.isStopped || turn.state === 'dropped';
      const load = { running: leases.running(nowMs), overdue: leases.overdue(nowMs, MOST_TOLD) };
      return { kind: 'held', ...load, isStopped, behind: lines.behind(turn) };
    },

    async finish(request) {
      const { turnId, fence, owner, nowMs, failure, remembered, spent, receipt, form, nextLeaseUntilMs, cardKey } =
        request;
      const turn = turns.get(turnId);
      if (turn?.fence !== fence) return { kind: 'lost' };
      if (turn.state !== 'done') {
        conversations.remember(remembered);
        conversations.changeForm(remembered, form);
        forms.finish(request);
        turn.receipt = receipt;
        const { reply } = request;
        if (reply) addresses.set(turnId, reply.text, replyTtlMs(nowMs, reply.untilMs));
        if (cardKey !== undefined) cards.set(cardKey, turnId, RECEIPT_TTL_MS);
        counters.finished(request);
        if (turn.reserved) accounts.settle(turn.reserved, spent);
        turn.state = 'done';
        turn.progress = null;
        turns.set(turnId, turn, RECEIPT_TTL_MS);
        const payload = payloads.get(turnId);
        if (failure !== null && payload !== undefined) payloads.set(turnId, payload, FAILED_TTL_MS);
        else payloads.delete(turnId);
        leases.drop(turnId);
        const isRunning = lines.runningIn(turn.conversationKey) === turnId;
        turn.next = isRunning ? startNext(turn.conversationKey, owner, nowMs, nextLeaseUntilMs) : null;
      }
      const next = turn.next === null ? undefined : turns.get(turn.next);
      // A repeat finds a next turn that another has taken, or ended, since its lease lapsed. It is not told again.
      const isTold = next?.state === 'started' && next.owner === owner;
      return {
        kind: 'finished',
        running: leases.running(nowMs),
        isStopped: turn.isStopped,
        next: turn.next !== null && isTold ? describe(turn.next, next, owner, nowMs) : null,
      };
    },

    async takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver }) {
      if (handedOver && Math.abs(nowMs - handedOver.sentAtMs) > HANDOVER_AGE_MS) return 'late';
      const turn = turns.get(turnId);
      if (turn?.state === 'dropped' && !handedOver) {
        if (!leases.has(turnId)) return null;
        if (turn.owner !== owner) {
          if (!leases.isOverdue(turnId, nowMs)) return null;
          turn.owner = owner;
          leases.hold(turnId, leaseUntilMs);
        }
        return 'dropped';
      }
      if (turn?.state !== 'started') {
        leases.drop(turnId);
        return null;
      }
      if (turn.owner !== owner) {
        if (handedOver && turn.fence !== handedOver.fence) return null;
        if (!handedOver && leases.isHeld(turnId, nowMs)) return null;
        turn.owner = owner;
        turn.fence += 1;
        turn.hop = handedOver?.hop ?? turn.hop;
        leases.hold(turnId, leaseUntilMs);
      }
      const described = describe(turnId, turn, owner, nowMs);
      if (!described.mayHaveBeenAsked) turn.askedBy = owner;
      return described;
    },

    async noteWaiting({ turnId, progress }) {
      const turn = turns.get(turnId);
      if (turn?.state === 'queued' || turn?.state === 'started') turn.progress ??= progress;
      return waitingOf(turn);
    },
    async noteDropped(turnId) {
      if (turns.get(turnId)?.state === 'dropped') leases.drop(turnId);
    },

    peek: async (turnId) => waitingOf(turns.get(turnId)),
  };
}
