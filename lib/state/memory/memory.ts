import type { Clock } from '../../runtime/clock.ts';
import { CLAIM_TTL_MS, FAILED_TTL_MS, HANDOVER_AGE_MS, RECEIPT_TTL_MS, REPLY_TTL_MS } from '../lifetimes.ts';
import type { AcceptRequest, Behind, StartedTurn, State } from '../state.ts';
import { createMemoryConversations } from './conversations.ts';
import { createMemoryCounters } from './counters.ts';
import { createExpiringMap } from './expiring-map.ts';
import { createMemoryForms } from './forms.ts';
import { createMemoryHeld } from './held.ts';
import { createMemoryLeases } from './leases.ts';
import { createMemoryBudget, createMemoryRates } from './limits.ts';
import { createMemoryRobotRows } from './robot-rows.ts';
import { createMemoryStop } from './stop.ts';
import { createMemoryRecords, newTurn, waitingOf, type MemoryTurn } from './records.ts';

export interface MemoryState extends State {
  /** How many entries are kept, so that a test can see that they do not pile up. */
  size(): number;
}

/** State within this process, for the playground and for a server of one process. A host hands it to `createApp`. */
export function createMemoryState(clock: Clock): MemoryState {
  const claims = createExpiringMap<string>(clock);
  const turns = createExpiringMap<MemoryTurn>(clock);
  const payloads = createExpiringMap<string>(clock);
  /** The reply addresses of answered turns. */
  const addresses = createExpiringMap<string>(clock);
  const conversations = createMemoryConversations(clock);
  /** The turn whose answer a card shows, by what DingTalk calls the card. */
  const cards = createExpiringMap<string>(clock);
  const robots = createMemoryRobotRows(clock);
  const { context } = conversations;
  const held = createMemoryHeld(clock, conversations);
  /** The turn that runs, by conversation. */
  const running = new Map<string, string>();
  /** The turns that wait, by conversation, and those that were dropped since. */
  const queues = new Map<string, string[]>();
  const leases = createMemoryLeases();
  const accounts = createMemoryBudget(clock);
  const counters = createMemoryCounters(clock);
  const forms = createMemoryForms(conversations, (turnId) => turns.get(turnId)?.receipt ?? null);
  const isLimited = createMemoryRates(clock);

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

  /** Whose questions wait behind a turn. */
  function behind({ conversationKey, asker }: MemoryTurn): Behind {
    const waiting = (queues.get(conversationKey) ?? []).map((id) => turns.get(id));
    const askers = waiting.flatMap((turn) => (turn?.state === 'queued' ? turn.asker : []));
    if (askers.includes(asker)) return 'asker';
    return askers.length > 0 ? 'others' : 'nothing';
  }

  /** A new turn, which starts, waits in line, or is refused. */
  function putOnRecord(request: AcceptRequest): MemoryTurn {
    const { turnId, conversationKey: key, nowMs } = request;
    counters.accepted(nowMs);
    const isMet = conversations.meet(key, request.conversationTtlMs);
    const isFirst = held.release(key, turnId) ?? isMet;
    const isBusy = turns.get(running.get(key) ?? '')?.state === 'started';
    const queue = queues.get(key) ?? [];
    const isUnheld = held.isMissing(request);
    const isTooMany = !isUnheld && isLimited(request);
    // A dropped turn stays in the list until it would have been started. It takes no place in line.
    const ahead = queue.filter((id) => turns.get(id)?.state === 'queued').length;
    const place = isBusy && !isTooMany && !isUnheld ? ahead + 1 : 0;
    let state: 'started' | 'queued' | 'full' | 'limited' | 'unheld' = place > 0 ? 'queued' : 'started';
    if (place > request.queueLimit) state = 'full';
    if (isTooMany) state = 'limited';
    if (isUnheld) state = 'unheld';
    const isAccepted = state === 'started' || state === 'queued';
    const taken = isAccepted ? held.take(request) : { payload: request.payload, count: 0 };
    const reserved = accounts.reserve(isAccepted ? request.budget : null, taken.count);
    const isChanged = taken.payload !== request.payload;
    const { generation } = context(key);
    const turn = newTurn(request, { state, place, isFirst, isChanged, generation, ...reserved });
    turns.set(turnId, turn, CLAIM_TTL_MS);
    if (isAccepted) payloads.set(turnId, taken.payload, CLAIM_TTL_MS);
    if (isAccepted) robots.count(request.row);
    if (state === 'queued') queues.set(key, [...queue, turnId]);
    if (state === 'started') {
      running.set(key, turnId);
      leases.hold(turnId, request.leaseUntilMs);
    }
    return turn;
  }

  /** Starts the turn at the head of the queue and returns its id; null when none waits. */
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
    storeTime: (nowMs) => nowMs,
    size: () =>
      claims.size() +
      addresses.size() +
      cards.size() +
      robots.size() +
      turns.size() +
      payloads.size() +
      conversations.size() +
      held.size() +
      running.size +
      queues.size +
      leases.size() +
      forms.size(),

    async claim({ turnId, owner, nowMs, row }) {
      const holder = claims.get(turnId) ?? turns.get(turnId)?.acceptedBy;
      if (holder === undefined) claims.set(turnId, owner, CLAIM_TTL_MS);
      if (holder === undefined) robots.note(row);
      return { isNew: (holder ?? owner) === owner, overdue: leases.overdue(nowMs, 3) };
    },

    async accept(request) {
      const { turnId, owner, nowMs } = request;
      const known = turns.get(turnId);
      const isOver = known?.state === 'done' || known?.state === 'dropped';
      if (held.isOfAnother(turnId, owner)) return { kind: 'duplicate' };
      const silent = robots.silencedBy(turnId);
      if (silent !== undefined) return { kind: silent === owner ? 'silent' : 'duplicate' };
      if (known && (known.acceptedBy !== owner || isOver)) return { kind: 'duplicate' };
      if (!known) robots.note(request.row);
      if (!known && robots.isSilent(request)) return { kind: 'silent' };
      const turn = known ?? putOnRecord(request);
      const dueForms = forms.due(nowMs, 3);
      const load = { running: leases.running(nowMs), overdue: leases.overdue(nowMs, 3), dueForms };
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
      turns.get(request.turnId) ? { kind: 'duplicate' } : held.hold(request, leases.overdue(request.nowMs, 3)),

    async renew({ turnId, fence, nowMs, leaseUntilMs, progress, remembered }) {
      const turn = turns.get(turnId);
      if (!turn) return { kind: 'unknown' };
      if (turn.fence !== fence || turn.state === 'done') return { kind: 'lost' };
      if (turn.state === 'queued') {
        turn.state = 'started';
        turn.askedBy = turn.acceptedBy;
      }
      if (turn.state === 'started') {
        turn.progress = progress;
        leases.hold(turnId, leaseUntilMs);
      }
      // The owner that renews a dropped turn ends its card.
      if (turn.state === 'dropped') leases.drop(turnId);
      conversations.remember(remembered);
      const isStopped = turn.isStopped || turn.state === 'dropped';
      const load = { running: leases.running(nowMs), overdue: leases.overdue(nowMs, 3) };
      return { kind: 'held', ...load, isStopped, behind: behind(turn) };
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
        const { text, untilMs } = request.reply ?? { text: null, untilMs: null };
        if (text !== null) addresses.set(turnId, text, Math.min((untilMs ?? Infinity) - nowMs, REPLY_TTL_MS));
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
        const isRunning = running.get(turn.conversationKey) === turnId;
        turn.next = isRunning ? startNext(turn.conversationKey, owner, nowMs, nextLeaseUntilMs) : null;
      }
      const next = turn.next === null ? undefined : turns.get(turn.next);
      return {
        kind: 'finished',
        running: leases.running(nowMs),
        isStopped: turn.isStopped,
        next: turn.next !== null && next ? describe(turn.next, next, owner, nowMs) : null,
      };
    },

    async takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver }) {
      if (handedOver && Math.abs(nowMs - handedOver.sentAtMs) > HANDOVER_AGE_MS) return 'late';
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

    overdue: async ({ nowMs, limit }) => leases.overdue(nowMs, limit),

    ...forms.operations,

    async noteWaiting({ turnId, progress }) {
      const turn = turns.get(turnId);
      if (turn?.state === 'queued' || turn?.state === 'started') turn.progress ??= progress;
      // The instance that keeps the progress of a dropped turn ends its card.
      if (turn?.state === 'dropped') leases.drop(turnId);
      return waitingOf(turn);
    },

    peek: async (turnId) => waitingOf(turns.get(turnId)),

    async startConversation({ conversationKey, generation, ttlMs }) {
      const dropped = held.leave(conversationKey, generation);
      conversations.start(conversationKey, generation, ttlMs);
      return dropped;
    },

    stop: createMemoryStop({ turns, queues, running, payloads, leases, accounts }),

    receiptOf: async (cardKey) => turns.get(cards.get(cardKey) ?? '')?.receipt ?? null,

    ...createMemoryRecords(turns, payloads, addresses, clock),

    noteArrival: counters.arrived,

    status: async ({ nowMs }) => ({
      running: leases.size(),
      waiting: [...queues.values()].flat().filter((id) => turns.get(id)?.state === 'queued').length,
      ...counters.read(nowMs),
    }),
  };
}
