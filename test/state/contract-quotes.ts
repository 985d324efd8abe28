import { describe, expect, test } from 'vitest';
import type { State } from '../../lib/state/state.ts';
import type { Makers } from './contract-buttons.ts';

const NOW = 1_800_000_000_000;

/** What quoted cards and other robots need of every store. */
export function describeQuotes(open: () => { state: State; other: State }, { request, finish }: Makers): void {
  describe('a card that is named', () => {
    test('leads to the receipt of its answer, in every instance', async () => {
      const { state, other } = open();
      const asked = request();
      await state.accept(asked);
      expect(await other.receiptOf(`card-${asked.turnId}`)).toBeNull();
      await state.finish(finish(asked, { receipt: 'receipt-1', cardKey: `card-${asked.turnId}` }));
      expect(await other.receiptOf(`card-${asked.turnId}`)).toBe('receipt-1');
      expect(await other.receiptOf('card-of-no-turn')).toBeNull();
    });

    test('by nothing leads nowhere', async () => {
      const { state } = open();
      const asked = request();
      await state.accept(asked);
      await state.finish(finish(asked, { receipt: 'receipt-1' }));
      expect(await state.receiptOf('')).toBeNull();
    });
  });

  describe('robots', () => {
    let serial = 0;
    const rows = (chat = `chat-${(serial += 1)}`) => ({
      robot: { row: { chat, most: 3 } },
      person: { row: { chat, most: null } },
    });
    const kindOf = async (state: State, row: object) => (await state.accept(request(row))).kind;

    test('get three answers in a row, until a person writes in the chat', async () => {
      const { state, other } = open();
      const { robot, person } = rows();
      const elsewhere = rows();
      for (const store of [state, other, state]) expect(await kindOf(store, robot)).toBe('started');
      expect(await kindOf(other, robot)).toBe('silent');
      expect(await kindOf(state, elsewhere.person)).toBe('started');
      expect(await kindOf(state, robot)).toBe('silent');
      expect(await kindOf(state, person)).toBe('started');
      expect(await kindOf(other, robot)).toBe('started');
    });

    test('are heard again after a command of a person, which is claimed only', async () => {
      const { state } = open();
      const { robot, person } = rows();
      for (let times = 0; times < 3; times += 1) await state.accept(request(robot));
      expect(await kindOf(state, robot)).toBe('silent');
      await state.claim({ turnId: `command-${serial}`, owner: 'a', nowMs: NOW, ...person });
      expect(await kindOf(state, robot)).toBe('started');
    });

    test('that are not answered get the same reply when the request is repeated, and another delivery none', async () => {
      const { state, other } = open();
      const { robot, person } = rows();
      for (let times = 0; times < 3; times += 1) await state.accept(request(robot));
      const silent = request(robot);
      expect(await state.accept(silent)).toEqual({ kind: 'silent' });
      await state.accept(request(person));
      expect(await state.accept(silent)).toEqual({ kind: 'silent' });
      expect(await other.accept({ ...silent, owner: 'late' })).toEqual({ kind: 'duplicate' });
      expect(await state.lookUp(silent.turnId)).toBeNull();
    });

    test('whose request is repeated are counted once', async () => {
      const { state } = open();
      const { robot } = rows();
      const first = request(robot);
      for (let times = 0; times < 5; times += 1) expect((await state.accept(first)).kind).toBe('started');
      expect(await kindOf(state, robot)).toBe('started');
    });
  });
}
