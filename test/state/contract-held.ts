import { describe, expect, test } from 'vitest';
import type { HoldRequest, State } from '../../lib/state/state.ts';
import type { Makers } from './contract-buttons.ts';

const NOW = 1_800_000_000_000;
const HOLD_MS = 900_000;
const file = (name: string) => JSON.stringify({ name, note: '} "], ' });

/** Files that wait for the next question of their conversation. */
export function describeHeld(
  open: () => { state: State; other: State; pass: (ms: number) => Promise<unknown> },
  { request, finish }: Makers,
): void {
  let serial = 0;
  const holdOf = (conversationKey: string, names: readonly string[], over: Partial<HoldRequest> = {}): HoldRequest => {
    serial += 1;
    return {
      turnId: `held-${serial}`,
      owner: `holder-${serial}`,
      conversationKey,
      conversationTtlMs: 3_600_000,
      files: names.map(file),
      nowMs: NOW,
      limit: 10,
      holdMs: HOLD_MS,
      ...over,
    };
  };
  const keyOf = () => `holding-${(serial += 1)}`;
  const question = (conversationKey: string, over: Parameters<Makers['request']>[0] = {}) =>
    request({ conversationKey, conversationTtlMs: 3_600_000, payload: '{"question":"what?"}', ...over });
  const withHeld = (...names: string[]) => `{"question":"what?","held":[${names.map(file).join(',')}]}`;

  describe('a file that is held', () => {
    test('is held once, however often it is delivered, and its own request gets the same reply again', async () => {
      const { state, other } = open();
      const key = keyOf();
      const first = holdOf(key, ['a']);
      const reply = await state.hold(first);
      const context = { generation: '', difyConversationId: null, form: null, forms: null, others: [] };
      expect(reply).toEqual({ kind: 'held', files: [file('a')], added: 1, isFirst: true, overdue: [], context });
      expect(await state.hold(first)).toEqual(reply);
      expect(await other.hold({ ...first, owner: 'elsewhere' })).toEqual({ kind: 'duplicate' });
      expect(await other.hold(holdOf(key, ['b', 'c']))).toMatchObject({
        files: [file('a'), file('b'), file('c')],
        added: 2,
        isFirst: false,
      });
      expect(await state.hold(first)).toEqual(reply);
      const asked = question(key);
      expect(await state.accept(asked)).toMatchObject({ kind: 'started', payload: withHeld('a', 'b', 'c') });
      expect(await state.hold(first)).toMatchObject({ files: [], added: 0 });
    });

    test('is taken by the next question, in the order in which it came, and by no other', async () => {
      const { state, other } = open();
      const key = keyOf();
      await state.hold(holdOf(key, ['a']));
      await other.hold(holdOf(key, ['b']));
      const asked = question(key);
      const accepted = await other.accept(asked);
      expect(accepted).toMatchObject({ kind: 'started', isFirst: false, payload: withHeld('a', 'b') });
      expect(await other.accept(asked)).toEqual(accepted);
      expect(await state.lookUp(asked.turnId)).toMatchObject({ payload: withHeld('a', 'b') });
      await state.finish(finish(asked));
      expect(await state.accept(question(key))).toMatchObject({ kind: 'started', payload: null });
    });

    test('goes with a question that has to wait, also when another instance starts it', async () => {
      const { state, other } = open();
      const key = keyOf();
      const running = question(key);
      await state.accept(running);
      await state.hold(holdOf(key, ['a']));
      const waiting = question(key);
      const queued = await state.accept(waiting);
      expect(queued).toMatchObject({ kind: 'queued', place: 1 });
      await state.hold(holdOf(key, ['b']));
      expect(await state.accept(waiting)).toEqual(queued);
      expect(await other.finish(finish(running))).toMatchObject({
        next: { turnId: waiting.turnId, payload: withHeld('a') },
      });
      expect(await state.accept(question(key))).toMatchObject({ kind: 'queued' });
    });

    test('stays for a question that is refused, and for one that leaves it', async () => {
      const { state } = open();
      const key = keyOf();
      const rate = { questions: 1, windowMs: 60_000 };
      const running = question(key, { asker: 'hasty-holder', rate });
      await state.accept(running);
      await state.hold(holdOf(key, ['a']));
      expect(await state.accept(question(key, { asker: 'hasty-holder', rate }))).toMatchObject({ kind: 'limited' });
      expect(await state.accept(question(key, { queueLimit: 0 }))).toMatchObject({ kind: 'full' });
      await state.finish(finish(running));
      const leaving = question(key, { heldFiles: 'leave' });
      expect(await state.accept(leaving)).toMatchObject({ kind: 'started', payload: null });
      await state.finish(finish(leaving));
      expect(await state.accept(question(key))).toMatchObject({ payload: withHeld('a') });
    });

    test('is one of at most so many', async () => {
      const { state } = open();
      const key = keyOf();
      await state.hold(holdOf(key, ['a', 'b'], { limit: 3 }));
      expect(await state.hold(holdOf(key, ['c', 'd'], { limit: 3 }))).toMatchObject({ added: 1 });
      const beyond = holdOf(key, ['e'], { limit: 3 });
      const full = { kind: 'held', files: ['a', 'b', 'c'].map(file), added: 0 };
      expect(await state.hold(beyond)).toMatchObject(full);
      expect(await state.hold(beyond)).toMatchObject(full);
      expect(await state.accept(question(key))).toMatchObject({ payload: withHeld('a', 'b', 'c') });
    });

    test('is dropped when the conversation begins anew, which tells how many there were', async () => {
      const { state, other } = open();
      const key = keyOf();
      const anew = (generation: string) =>
        other.startConversation({ conversationKey: key, generation, ttlMs: 3_600_000 });
      await state.hold(holdOf(key, ['a', 'b']));
      expect(await anew('g-1')).toBe(2);
      expect(await anew('g-2')).toBe(0);
      expect(await state.accept(question(key))).toMatchObject({ kind: 'started', payload: null });
      await state.hold(holdOf(key, ['c']));
      expect(await state.accept(question(key))).toMatchObject({ kind: 'queued' });
    });

    test('is needed by a question that asks for nothing else', async () => {
      const { state } = open();
      const key = keyOf();
      await state.hold(holdOf(key, ['a']));
      const rate = { questions: 1, windowMs: 60_000 };
      const tap = question(key, { heldFiles: 'need', asker: 'tapper', rate });
      expect(await state.accept(tap)).toMatchObject({ kind: 'started', payload: withHeld('a') });
      const again = question(key, { heldFiles: 'need', asker: 'tapper', rate });
      const reply = await state.accept(again);
      expect(reply).toMatchObject({ kind: 'unheld' });
      expect(await state.accept(again)).toEqual(reply);
      expect(await state.lookUp(again.turnId)).toBeNull();
      await state.finish(finish(tap));
      expect(await state.accept(question(key))).toMatchObject({ kind: 'started', payload: null });
    });

    test('can be asked about at once after all, by the same owner: the others stay', async () => {
      const { state, other } = open();
      const key = keyOf();
      await state.hold(holdOf(key, ['a']));
      const refused = holdOf(key, ['b', 'b']);
      await state.hold(refused);
      const { turnId, owner } = refused;
      const asked = question(key, { turnId, owner, heldFiles: 'leave' });
      expect(await other.accept({ ...asked, owner: 'elsewhere' })).toEqual({ kind: 'duplicate' });
      const accepted = await state.accept(asked);
      expect(accepted).toMatchObject({ kind: 'started', payload: null, isFirst: false });
      expect(await state.accept(asked)).toEqual(accepted);
      expect(await state.hold(refused)).toEqual({ kind: 'duplicate' });
      await state.finish(finish(asked));
      expect(await state.accept(question(key))).toMatchObject({ payload: withHeld('a') });
    });

    test('that is asked about at once as the first message is still the first', async () => {
      const { state } = open();
      const key = keyOf();
      const alone = holdOf(key, ['a']);
      await state.hold(alone);
      const { turnId, owner } = alone;
      const asked = question(key, { turnId, owner, heldFiles: 'leave' });
      expect(await state.accept(asked)).toMatchObject({ kind: 'started', isFirst: true });
      await state.finish(finish(asked));
      // No file waited for too long.
      expect(await state.accept(question(key))).toMatchObject({ payload: null });
    });

    test('is claimed by its message, and none is held, or asked about, of a message that was claimed', async () => {
      const { state, other } = open();
      const key = keyOf();
      const kept = holdOf(key, ['a']);
      const claim = { turnId: kept.turnId, owner: 'elsewhere', nowMs: NOW };
      await state.hold(kept);
      expect(await other.claim(claim)).toMatchObject({ isNew: false });
      const { turnId, owner } = holdOf(key, ['b']);
      await state.claim({ ...claim, turnId });
      for (const by of [owner, claim.owner]) {
        expect(await other.hold(holdOf(key, ['b'], { turnId, owner: by }))).toEqual({ kind: 'duplicate' });
        expect(await other.accept(question(key, { turnId, owner: by }))).toEqual({ kind: 'duplicate' });
      }
    });

    test('costs a call of the month more when it is asked about', async () => {
      const { state } = open();
      const key = keyOf();
      const account = `org:${key}`;
      const budgetOf = (full: number) => ({ account, limit: 10, reserve: { full, few: full, last: full } });
      await state.hold(holdOf(key, ['a', 'b']));
      const asked = question(key, { budget: budgetOf(4) });
      await state.accept(asked);
      // 4 and 2 of 10 are set aside: 5 more do not fit, 4 do.
      expect(await state.accept(question(keyOf(), { budget: budgetOf(5) }))).toMatchObject({
        budget: { level: 'none' },
      });
      expect(await state.accept(question(keyOf(), { budget: budgetOf(4) }))).toMatchObject({
        budget: { level: 'full' },
      });
    });

    test('waits for some time after the last one', async () => {
      const { state, pass } = open();
      const key = keyOf();
      await state.hold(holdOf(key, ['a']));
      await pass(HOLD_MS - 60_000);
      await state.hold(holdOf(key, ['b']));
      await pass(HOLD_MS - 60_000);
      expect(await state.accept(question(key))).toMatchObject({ payload: withHeld('a', 'b') });
    });

    test('is no longer held after that time, of which the next question learns, and no other', async () => {
      const { state, pass } = open();
      const key = keyOf();
      await state.hold(holdOf(key, ['c']));
      await pass(HOLD_MS);
      const after = question(key);
      const isOver = '{"question":"what?","heldIsOver":true}';
      expect(await state.accept(after)).toMatchObject({ kind: 'started', payload: isOver });
      await state.finish(finish(after));
      expect(await state.accept(question(key))).toMatchObject({ payload: null });
    });
  });
}
