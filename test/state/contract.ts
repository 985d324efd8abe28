import { describe, expect, test } from 'vitest';
import { CLAIM_TTL_MS } from '../../lib/state/lifetimes.ts';
import type { AcceptRequest, FinishRequest, Remembered, State } from '../../lib/state/state.ts';
import type { Accepted } from '../../lib/state/told.ts';
import { describeButtons } from './contract-buttons.ts';
import { describeHeld } from './contract-held.ts';
import { describeLimits } from './contract-limits.ts';
import { describeRenewals } from './contract-renewals.ts';
import { describeQuotes } from './contract-quotes.ts';
import { describeUnheard } from './contract-unheard.ts';

const noForms = { form: null, forms: null, others: [] };

export interface StateUnderTest {
  state: State;
  /** Another instance that shares the same store. */
  other: State;
  /** Lets time pass for what the store holds. */
  pass: (ms: number) => Promise<unknown>;
}

const NOW = 1_800_000_000_000;
const LEASE_MS = 40_000;
const noLoad = { running: 1, overdue: [] };

const held = { nowMs: NOW, leaseUntilMs: NOW + LEASE_MS };
const stopOf = (conversationKey: string) => ({ conversationKey, owner: 'stop', asker: null, turnId: null, ...held });

/** What every store must do. Run against each implementation. */
export function describeState(open: () => StateUnderTest): void {
  let serial = 0;
  const request = (over: Partial<AcceptRequest> = {}): AcceptRequest => {
    serial += 1;
    return {
      turnId: `turn-${serial}`,
      owner: `owner-${serial}`,
      asker: 'asker-1',
      conversationKey: `conversation-${serial}`,
      conversationTtlMs: 60_000,
      payload: `payload-${serial}`,
      nowMs: NOW,
      leaseUntilMs: NOW + LEASE_MS,
      queueLimit: 5,
      heldFiles: 'take',
      budget: null,
      rate: null,
      ...over,
    };
  };
  const remembered = (conversationKey: string, over: Partial<Remembered> = {}): Remembered => ({
    conversationKey,
    generation: '',
    difyConversationId: null,
    ttlMs: 60_000,
    ...over,
  });
  const finish = (of: AcceptRequest, over: Partial<FinishRequest> = {}): FinishRequest => ({
    turnId: of.turnId,
    fence: 1,
    owner: of.owner,
    nowMs: NOW + 1_000,
    failure: null,
    remembered: remembered(of.conversationKey),
    spent: 0,
    receipt: '{}',
    form: { kind: 'keep' },
    nextLeaseUntilMs: NOW + 1_000 + LEASE_MS,
    ...over,
  });
  const contextOf = (accepted: Accepted) => (accepted.kind === 'started' ? accepted.turn.context : accepted.kind);
  /** The context of a conversation, as a new message finds it. */
  const look = async (state: State, conversationKey: string, conversationTtlMs: number | null = 60_000) => {
    const asked = request({ conversationKey, conversationTtlMs });
    const context = contextOf(await state.accept(asked));
    await state.finish(finish(asked, { remembered: remembered(conversationKey, { ttlMs: conversationTtlMs }) }));
    return context;
  };
  const remember = async (state: State, over: Partial<Remembered> & { conversationKey: string }) => {
    const asked = request({ conversationKey: over.conversationKey, conversationTtlMs: over.ttlMs ?? null });
    await state.accept(asked);
    await state.finish(finish(asked, { remembered: remembered(over.conversationKey, over) }));
  };

  describe('a message', () => {
    test('is accepted once, by whichever instance comes first', async () => {
      const { state, other } = open();
      const first = request();
      expect(await state.accept(first)).toMatchObject({ kind: 'started', turn: { fence: 1 }, load: noLoad });
      expect(await state.accept({ ...first, owner: 'late' })).toEqual({ kind: 'duplicate' });
      expect(await other.accept({ ...first, owner: 'elsewhere' })).toEqual({ kind: 'duplicate' });
    });

    test('is still accepted when its own request is repeated, with the same reply', async () => {
      const { state } = open();
      const first = request();
      const reply = await state.accept(first);
      expect(await state.accept(first)).toEqual(reply);
      const second = request({ conversationKey: first.conversationKey });
      const queued = await state.accept(second);
      expect(await state.accept(second)).toEqual(queued);
    });

    test('is accepted by exactly one of five at once', async () => {
      const { state, other } = open();
      const message = request();
      const kinds = await Promise.all(
        Array.from({ length: 5 }, async (_, index) => {
          const accepted = await (index % 2 ? state : other).accept({ ...message, owner: `owner-${index}` });
          return accepted.kind;
        }),
      );
      expect(kinds.filter((kind) => kind === 'started')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(4);
    });

    test('that needs no turn is claimed once, and its own claim may be repeated', async () => {
      const { state, other } = open();
      const claim = { turnId: 'command', owner: 'a', nowMs: NOW };
      expect(await state.claim(claim)).toEqual({ isNew: true, overdue: [] });
      expect(await state.claim(claim)).toEqual({ isNew: true, overdue: [] });
      expect(await other.claim({ ...claim, owner: 'b' })).toMatchObject({ isNew: false });
    });

    test('is remembered for a day after it was answered', async () => {
      const { state, pass } = open();
      const message = request();
      await state.accept(message);
      await state.finish(finish(message));
      await pass(CLAIM_TTL_MS - 60_000);
      expect((await state.accept({ ...message, owner: 'late' })).kind).toBe('duplicate');
    });
  });

  describe('a conversation', () => {
    test('has one turn at a time: others wait in order, and each is started when the one before ends', async () => {
      const { state, other } = open();
      const first = request();
      const second = request({ conversationKey: first.conversationKey });
      const third = request({ conversationKey: first.conversationKey });
      await state.accept(first);
      expect(await other.accept(second)).toMatchObject({ kind: 'queued', place: 1 });
      expect(await state.accept(third)).toMatchObject({ kind: 'queued', place: 2 });
      expect(await state.peek(second.turnId)).toEqual({ state: 'queued', progress: null });
      const noted = { turnId: second.turnId, progress: 'card' };
      expect(await other.noteWaiting(noted)).toEqual({ state: 'queued', progress: 'card' });
      const ended = await state.finish(finish(first));
      expect(ended).toMatchObject({
        kind: 'finished',
        next: { turnId: second.turnId, payload: second.payload, fence: 1, mayHaveBeenAsked: false, progress: 'card' },
      });
      expect(await state.noteWaiting({ ...noted, progress: 'late' })).toEqual({ state: 'started', progress: 'card' });
      const next = await state.finish(finish(second, { owner: first.owner }));
      expect(next).toMatchObject({ next: { turnId: third.turnId } });
      expect(await state.finish(finish(third))).toMatchObject({ next: null });
      expect((await state.accept(request({ conversationKey: first.conversationKey }))).kind).toBe('started');
    });

    test('does not hold up another one', async () => {
      const { state } = open();
      await state.accept(request());
      expect(await state.accept(request())).toMatchObject({ kind: 'started', load: { running: 2 } });
    });

    test('refuses more than may wait', async () => {
      const { state } = open();
      const conversationKey = 'full';
      const kinds: string[] = [];
      for (let count = 0; count < 4; count += 1) {
        kinds.push((await state.accept(request({ conversationKey, queueLimit: 2 }))).kind);
      }
      expect(kinds).toEqual(['started', 'queued', 'queued', 'full']);
    });

    test('has room again for as many as were dropped while they waited', async () => {
      const { state } = open();
      const first = request({ queueLimit: 2 });
      const { conversationKey } = first;
      await state.accept(first);
      for (let count = 0; count < 2; count += 1) await state.accept(request({ conversationKey, queueLimit: 2 }));
      await state.stop(stopOf(conversationKey));
      const next = await state.accept(request({ conversationKey, queueLimit: 2 }));
      expect(next).toMatchObject({ kind: 'queued', place: 1 });
    });

    test("keeps Dify's id, also for other instances, and from a renewal on", async () => {
      const { state, other } = open();
      expect(await look(state, 'kept')).toEqual({ generation: '', difyConversationId: null, ...noForms });
      const running = request({ conversationKey: 'kept' });
      await state.accept(running);
      const kept = remembered('kept', { difyConversationId: 'dify-1' });
      const renewal = { turnId: running.turnId, fence: 1, nowMs: NOW, leaseUntilMs: NOW + LEASE_MS, progress: '{}' };
      expect(await state.renew({ ...renewal, remembered: kept })).toEqual({
        kind: 'held',
        running: 1,
        isStopped: false,
        overdue: [],
        behind: 'nothing',
      });
      await state.finish(finish(running));
      expect(await look(other, 'kept')).toEqual({ generation: '', difyConversationId: 'dify-1', ...noForms });
      expect(await look(other, 'another')).toEqual({ generation: '', difyConversationId: null, ...noForms });
    });

    test('started anew forgets the id, and an answer that still runs does not bring it back', async () => {
      const { state } = open();
      const running = request({ conversationKey: 'renewed' });
      await state.accept(running);
      const waiting = request({ conversationKey: 'renewed' });
      await state.accept(waiting);
      await state.startConversation({ conversationKey: 'renewed', generation: 'g1', ttlMs: 60_000 });
      const old = remembered('renewed', { difyConversationId: 'dify-old' });
      const ended = await state.finish(finish(running, { remembered: old }));
      // What waited starts in the new conversation.
      expect(ended).toMatchObject({ next: { context: { generation: 'g1', difyConversationId: null, ...noForms } } });
      const own = remembered('renewed', { generation: 'g1', difyConversationId: 'dify-new' });
      await state.finish(finish(waiting, { remembered: own }));
      expect(await look(state, 'renewed')).toEqual({ generation: 'g1', difyConversationId: 'dify-new', ...noForms });
    });

    test('started anew twice by the same request keeps what came in between', async () => {
      const { state } = open();
      const start = { conversationKey: 'repeated', generation: 'g1', ttlMs: 60_000 };
      await state.startConversation(start);
      await remember(state, {
        conversationKey: 'repeated',
        generation: 'g1',
        difyConversationId: 'dify-2',
        ttlMs: 60_000,
      });
      await state.startConversation(start);
      expect(await look(state, 'repeated')).toEqual({ generation: 'g1', difyConversationId: 'dify-2', ...noForms });
    });

    test('that never expires is kept so', async () => {
      const { state, pass } = open();
      await remember(state, { conversationKey: 'ever', difyConversationId: 'dify-3', ttlMs: null });
      await pass(10 * CLAIM_TTL_MS);
      expect(await look(state, 'ever', null)).toEqual({ generation: '', difyConversationId: 'dify-3', ...noForms });
    });

    test('expires when nobody asks, and lives on while somebody does', async () => {
      const { state, pass } = open();
      const ttlMs = 60_000;
      await remember(state, { conversationKey: 'slides', difyConversationId: 'dify-4', ttlMs });
      for (let count = 0; count < 3; count += 1) {
        await pass(ttlMs * 0.6);
        expect(await look(state, 'slides', ttlMs)).toMatchObject({ difyConversationId: 'dify-4' });
      }
      await pass(ttlMs * 1.2);
      expect(await look(state, 'slides', ttlMs)).toMatchObject({ difyConversationId: null });
    });
  });

  describe('a running turn', () => {
    const takeOver = (
      turnId: string,
      owner: string,
      nowMs: number,
      given: { fence: number; hop: number } | null = null,
    ) => ({
      turnId,
      owner,
      nowMs,
      leaseUntilMs: nowMs + LEASE_MS,
      handedOver: given && { ...given, sentAtMs: nowMs },
    });
    const renewal = (of: AcceptRequest, nowMs: number, over: object = {}) => ({
      turnId: of.turnId,
      fence: 1,
      nowMs,
      leaseUntilMs: nowMs + LEASE_MS,
      progress: '{"text":"so far"}',
      remembered: remembered(of.conversationKey),
      ...over,
    });

    test('belongs to its holder until the lease lapses, and then to one other', async () => {
      const { state, other } = open();
      const turn = request();
      await state.accept(turn);
      await state.renew(renewal(turn, NOW + 25_000));
      expect(await other.takeOver(takeOver(turn.turnId, 'new', NOW + LEASE_MS + 1))).toBeNull();
      const lapsed = NOW + 25_000 + LEASE_MS;
      expect(await other.overdue({ nowMs: lapsed - 1, limit: 9 })).not.toContain(turn.turnId);
      expect(await other.overdue({ nowMs: lapsed, limit: 9 })).toContain(turn.turnId);
      const taken = await other.takeOver(takeOver(turn.turnId, 'new', lapsed));
      expect(taken).toMatchObject({
        turnId: turn.turnId,
        fence: 2,
        payload: turn.payload,
        progress: '{"text":"so far"}',
        mayHaveBeenAsked: true,
      });
      expect(await state.takeOver(takeOver(turn.turnId, 'third', lapsed))).toBeNull();
      // A repeat of the same request is still its own.
      expect(await other.takeOver(takeOver(turn.turnId, 'new', lapsed))).toEqual(taken);
    });

    test('that was taken over is lost to its old holder, who can change nothing', async () => {
      const { state, other } = open();
      const turn = request();
      await state.accept(turn);
      await other.takeOver(takeOver(turn.turnId, 'new', NOW + LEASE_MS));
      expect(await state.renew(renewal(turn, NOW + LEASE_MS, { progress: 'old' }))).toEqual({ kind: 'lost' });
      expect(await state.finish(finish(turn))).toEqual({ kind: 'lost' });
      expect(await other.finish(finish(turn, { fence: 2, owner: 'new' }))).toMatchObject({ kind: 'finished' });
    });

    test('is handed over to who knows its claim, once', async () => {
      const { state, other } = open();
      const turn = request();
      await state.accept(turn);
      const hop = takeOver(turn.turnId, 'fresh', NOW + 1, { fence: 1, hop: 1 });
      expect(await other.takeOver(hop)).toMatchObject({ fence: 2, hop: 1, mayHaveBeenAsked: true });
      expect(await other.takeOver({ ...hop, owner: 'replayed' })).toBeNull();
      expect(await state.renew(renewal(turn, NOW + 2))).toEqual({ kind: 'lost' });
    });

    test('that ended cannot be taken over, and its text is gone', async () => {
      const { state } = open();
      const turn = request();
      await state.accept(turn);
      await state.finish(finish(turn));
      expect(await state.takeOver(takeOver(turn.turnId, 'new', NOW + 2 * LEASE_MS))).toBeNull();
      expect(await state.overdue({ nowMs: NOW + 2 * LEASE_MS, limit: 9 })).toEqual([]);
    });

    test('whose end is reported twice starts the next one once', async () => {
      const { state } = open();
      const first = request();
      const second = request({ conversationKey: first.conversationKey });
      const third = request({ conversationKey: first.conversationKey });
      for (const turn of [first, second, third]) await state.accept(turn);
      const reply = await state.finish(finish(first));
      expect(await state.finish(finish(first))).toEqual(reply);
      expect(await state.peek(third.turnId)).toMatchObject({ state: 'queued' });
    });

    test('started for somebody else was never asked, until that one takes it', async () => {
      const { state, other } = open();
      const first = request();
      const second = request({ conversationKey: first.conversationKey });
      await state.accept(first);
      await state.accept(second);
      const ended = await state.finish(finish(first, { nextLeaseUntilMs: NOW + 1_000 }));
      expect(ended).toMatchObject({ next: { turnId: second.turnId, mayHaveBeenAsked: false } });
      expect(await other.overdue({ nowMs: NOW + 1_000, limit: 9 })).toContain(second.turnId);
      const taken = await other.takeOver(takeOver(second.turnId, 'fresh', NOW + 1_000));
      expect(taken).toMatchObject({ mayHaveBeenAsked: false });
      const again = await state.takeOver(takeOver(second.turnId, 'later', NOW + 1_000 + LEASE_MS));
      expect(again).toMatchObject({ mayHaveBeenAsked: true });
    });

    test('overdue is told to whoever comes by', async () => {
      const { state } = open();
      const turn = request();
      await state.accept(turn);
      const later = NOW + LEASE_MS;
      const reply = await state.accept(request({ nowMs: later, leaseUntilMs: later + LEASE_MS }));
      expect(reply).toMatchObject({ kind: 'started', load: { running: 1, overdue: [turn.turnId] } });
      const claimed = await state.claim({ turnId: 'any command', owner: 'a', nowMs: later });
      expect(claimed).toEqual({ isNew: true, overdue: [turn.turnId] });
    });
  });

  describeLimits(open, { request, finish });
  describeButtons(open, { request, finish, remembered, contextOf });
  describeHeld(open, { request, finish, remembered, contextOf });
  describeRenewals(open, { request, finish, remembered });
  describeUnheard(open, { request, finish, remembered, contextOf });
  describeQuotes(open, { request, finish, remembered, contextOf });
}
