import type { Clock } from '../../runtime/clock.ts';
import { DROPPED_CALLS } from '../budget.ts';
import { CLAIM_TTL_MS, FAILED_TTL_MS, RECEIPT_TTL_MS } from '../lifetimes.ts';
import type { StartedTurn, State } from '../state.ts';
import { createMemoryConversations } from './conversations.ts';
import { createMemoryTally } from './counters.ts';
import { createExpiringMap } from './expiring-map.ts';
import { createMemoryLeases } from './leases.ts';
import { createMemoryBudget, createMemoryRates } from './limits.ts';
import { createMemoryRecords, newTurn, waitingOf, type MemoryTurn } from './records.ts';

/** With a look inside, for whoever watches how much is kept. */
export interface MemoryState extends State {
  size(): number;
}

/** State within this process: for the playground, and for a single self-hosted server. */
export function createMemoryState(clock: Clock): MemoryState {
  const claims = createExpiringMap<string>(clock);
  const turns = createExpiringMap<MemoryTurn>(clock);
  const payloads = createExpiringMap<string>(clock);
  const conversations = createMemoryConversations(clock);
  const { context } = conversations;
  /** The turn that has the floor, and those that wait, by conversation. */
  const running = new Map<string, string>();
  const queues = new Map<string, string[]>();
  const leases = createMemoryLeases();
  const accounts = createMemoryBudget(clock);
  const tally = createMemoryTally(clock);
  const isLimited = createMemoryRates(clock);

  function describe(turnId: string, turn: MemoryTurn, owner: string): StartedTurn {
    const { generation, difyConversationId, form } = context(turn.conversationKey);
    const isSame = generation === turn.generation;
    return {
      turnId,
      fence: turn.claim,
      hop: turn.hop,
      mayHaveBeenAsked: turn.askedBy !== '' && turn.askedBy !== owner,
      conversationKey: turn.conversationKey,
      context: {
        generation: turn.generation,
        difyConversationId: isSame ? difyConversationId : null,
        form: isSame ? form : null,
      },
      payload: payloads.get(turnId) ?? '',
      progress: turn.progress,
      level: turn.level,
    };
  }

  function startNext(key: string, owner: string, nowMs: number, leaseUntilMs: number): string | null {
    for (;;) {
      const id = queues.get(key)?.shift();
      if (id === undefined) {
        queues.delete(key);
        running.delete(key);
        return null;
      }
      const turn = turns.get(id);
      if (turn?.state !== 'queued') continue;
      turn.state = 'started';
      turn.owner = owner;
      turn.askedBy = leaseUntilMs > nowMs ? owner : '';
      turn.generation = context(key).generation;
      running.set(key, id);
      leases.hold(id, leaseUntilMs);
      return id;
    }
  }

  return {
    isDurable: false,
    tokens: null,
    size: () =>
      claims.size() +
      turns.size() +
      payloads.size() +
      conversations.size() +
      running.size +
      queues.size +
      leases.size(),

    async claim({ turnId, owner, nowMs }) {
      const holder = claims.get(turnId) ?? turns.get(turnId)?.acceptedBy;
      if (holder === undefined) claims.set(turnId, owner, CLAIM_TTL_MS);
      return { isNew: (holder ?? owner) === owner, overdue: leases.overdue(nowMs, 3) };
    },

    async accept(request) {
      const { turnId, owner, conversationKey: key, nowMs } = request;
      let turn = turns.get(turnId);
      const isOver = turn?.state === 'done' || turn?.state === 'dropped';
      if (turn && (turn.acceptedBy !== owner || isOver)) return { kind: 'duplicate' };
      if (!turn) {
        tally.accepted(nowMs);
        const isFirst = conversations.meet(key, request.conversationTtlMs);
        const isBusy = turns.get(running.get(key) ?? '')?.state === 'started';
        const queue = queues.get(key) ?? [];
        const isTooMany = isLimited(request);
        // What was dropped stays in the list until its turn would have come, but nobody waits behind it.
        const ahead = queue.filter((id) => turns.get(id)?.state === 'queued').length;
        const place = isBusy && !isTooMany ? ahead + 1 : 0;
        const state = isTooMany ? 'limited' : place === 0 ? 'started' : place > request.queueLimit ? 'full' : 'queued';
        turn = newTurn(request, {
          state,
          place,
          isFirst,
          generation: context(key).generation,
          ...accounts.reserve(state === 'full' || state === 'limited' ? null : request.budget),
        });
        turns.set(turnId, turn, CLAIM_TTL_MS);
        if (state === 'started' || state === 'queued') payloads.set(turnId, request.payload, CLAIM_TTL_MS);
        if (state === 'queued') queues.set(key, [...queue, turnId]);
        if (state === 'started') {
          running.set(key, turnId);
          leases.hold(turnId, request.leaseUntilMs);
        }
      }
      const load = { running: leases.running(nowMs), overdue: leases.overdue(nowMs, 3) };
      const budget = { level: turn.level, reached: turn.reached };
      // A repeat gets the first reply, also when a turn that waited has been started for somebody else meanwhile.
      if (turn.place > 0 && turn.state !== 'full') return { kind: 'queued', place: turn.place, load, budget };
      if (turn.state === 'full' || turn.state === 'limited') return { kind: turn.state, load };
      return { kind: 'started', turn: { fence: 1, context: context(key) }, isFirst: turn.isFirst, load, budget };
    },

    async renew({ turnId, fence, nowMs, leaseUntilMs, progress, remembered }) {
      const turn = turns.get(turnId);
      if (!turn) return { kind: 'unknown' };
      if (turn.claim !== fence || turn.state === 'done') return { kind: 'lost' };
      if (turn.state === 'queued') {
        turn.state = 'started';
        turn.askedBy = turn.acceptedBy;
      }
      if (turn.state === 'started') {
        turn.progress = progress;
        leases.hold(turnId, leaseUntilMs);
      }
      // Whoever is here ends its card.
      if (turn.state === 'dropped') leases.drop(turnId);
      conversations.remember(remembered);
      const isStopped = turn.isStopped || turn.state === 'dropped';
      return { kind: 'held', running: leases.running(nowMs), isStopped };
    },

    async finish(request) {
      const { turnId, fence, owner, nowMs, failure, remembered, spent, receipt, form, nextLeaseUntilMs } = request;
      const turn = turns.get(turnId);
      if (turn?.claim !== fence) return { kind: 'lost' };
      if (turn.state !== 'done') {
        conversations.remember(remembered);
        conversations.changeForm(remembered, form);
        turn.receipt = receipt;
        tally.finished(request);
        if (turn.reserved) accounts.settle(turn.reserved, spent);
        turn.state = 'done';
        turn.progress = null;
        turns.set(turnId, turn, RECEIPT_TTL_MS);
        const payload = payloads.get(turnId);
        if (failure !== null && payload !== undefined) payloads.set(turnId, payload, FAILED_TTL_MS);
        else payloads.delete(turnId);
        leases.drop(turnId);
        const hasFloor = running.get(turn.conversationKey) === turnId;
        turn.next = hasFloor ? startNext(turn.conversationKey, owner, nowMs, nextLeaseUntilMs) : null;
      }
      const next = turn.next === null ? undefined : turns.get(turn.next);
      return {
        kind: 'finished',
        running: leases.running(nowMs),
        isStopped: turn.isStopped,
        next: turn.next !== null && next ? describe(turn.next, next, owner) : null,
      };
    },

    async takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver }) {
      const turn = turns.get(turnId);
      if (turn?.state === 'dropped' && !handedOver) {
        if (turn.owner !== owner && !leases.isOverdue(turnId, nowMs)) return null;
        leases.drop(turnId);
        turn.owner = owner;
        return 'dropped';
      }
      if (turn?.state !== 'started') {
        leases.drop(turnId);
        return null;
      }
      if (turn.owner !== owner) {
        if (handedOver && turn.claim !== handedOver.fence) return null;
        if (!handedOver && leases.isHeld(turnId, nowMs)) return null;
        turn.owner = owner;
        turn.claim += 1;
        turn.hop = handedOver?.hop ?? turn.hop;
        leases.hold(turnId, leaseUntilMs);
      }
      const described = describe(turnId, turn, owner);
      if (!described.mayHaveBeenAsked) turn.askedBy = owner;
      return described;
    },

    overdue: async ({ nowMs, limit }) => leases.overdue(nowMs, limit),

    async noteWaiting({ turnId, progress }) {
      const turn = turns.get(turnId);
      if (turn?.state === 'queued' || turn?.state === 'started') turn.progress ??= progress;
      // Whoever notes it ends the card.
      if (turn?.state === 'dropped') leases.drop(turnId);
      return waitingOf(turn);
    },

    peek: async (turnId) => waitingOf(turns.get(turnId)),

    async startConversation({ conversationKey, generation, ttlMs }) {
      conversations.start(conversationKey, generation, ttlMs);
    },

    async stop({ conversationKey, owner, asker, turnId: only, leaseUntilMs }) {
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
          if (turn.progress === null) leases.hold(turnId, leaseUntilMs);
          if (turn.reserved) accounts.settle(turn.reserved, Math.min(turn.reserved.calls, DROPPED_CALLS));
        }
        if (turn.droppedBy === owner) dropped.push({ turnId, progress: turn.progress });
      }
      const turnId = running.get(conversationKey);
      const turn = turns.get(turnId ?? '');
      if (turnId === undefined || turn === undefined || !isTheirs(turnId, turn)) return { dropped, running: null };
      turn.isStopped = true;
      return { dropped, running: { turnId, payload: payloads.get(turnId) ?? '', progress: turn.progress } };
    },

    ...createMemoryRecords(turns, payloads, clock),

    status: async ({ month }) => ({
      running: leases.size(),
      waiting: [...queues.values()].flat().filter((id) => turns.get(id)?.state === 'queued').length,
      ...tally.of(month),
    }),
  };
}
