import { describe, expect, test } from 'vitest';
import type { State } from '../../lib/state/state.ts';
import type { Makers } from './contract-buttons.ts';

const NOW = 1_800_000_000_000;
const LEASE_MS = 40_000;

/** What is counted: the calls of the month, and the questions of a person. */
export function describeLimits(
  open: () => { state: State; other: State },
  { request, finish }: Pick<Makers, 'request' | 'finish'>,
): void {
  describe('a budget', () => {
    let accounts = 0;
    const account = () => `corp-${(accounts += 1)}:202611`;
    const reserve = { full: 40, few: 5, last: 2 };
    const spend = async (state: State, name: string, limit: number, spent: number) => {
      const asked = request({ budget: { account: name, limit, reserve } });
      const accepted = await state.accept(asked);
      // A repeat reserves nothing more.
      expect(await state.accept(asked)).toEqual(accepted);
      await state.finish(finish(asked, { spent }));
      await state.finish(finish(asked, { spent }));
      return accepted.kind === 'started' ? accepted.budget : null;
    };

    test('gives back what was reserved and not spent', async () => {
      const { state } = open();
      const name = account();
      for (let count = 0; count < 6; count += 1) {
        expect(await spend(state, name, 100, 7)).toEqual({ level: 'full', reached: null });
      }
    });

    test('narrows from 80 %, more from 95 %, and ends before the limit; each step is told once', async () => {
      const { state, other } = open();
      const name = account();
      expect(await spend(state, name, 100, 40)).toEqual({ level: 'full', reached: null });
      expect(await spend(other, name, 100, 40)).toEqual({ level: 'full', reached: null });
      expect(await spend(state, name, 100, 5)).toEqual({ level: 'few', reached: 80 });
      expect(await spend(state, name, 100, 5)).toEqual({ level: 'few', reached: null });
      expect(await spend(other, name, 100, 5)).toEqual({ level: 'few', reached: null });
      expect(await spend(state, name, 100, 2)).toEqual({ level: 'last', reached: 95 });
      expect(await spend(state, name, 100, 2)).toEqual({ level: 'last', reached: null });
      expect(await spend(state, name, 100, 0)).toEqual({ level: 'none', reached: 100 });
      expect(await spend(other, name, 100, 0)).toEqual({ level: 'none', reached: null });
    });

    test('knows also what was spent by an answer that could reserve nothing', async () => {
      const { state } = open();
      const name = account();
      const asked = request({ budget: { account: name, limit: 1, reserve } });
      expect(await state.accept(asked)).toMatchObject({ budget: { level: 'none' } });
      await state.finish(finish(asked, { spent: 61 }));
      expect(await spend(state, name, 100, 5)).toEqual({ level: 'few', reached: null });
    });

    test('gets back what waiting questions reserved that are dropped', async () => {
      const { state } = open();
      const budget = { account: account(), limit: 100, reserve };
      const conversationKey = 'dropping';
      const [running, waiting] = [request({ conversationKey, budget }), request({ conversationKey, budget })];
      await state.accept(running);
      await state.accept(waiting);
      const held = { nowMs: NOW, leaseUntilMs: NOW + LEASE_MS };
      const stop = { conversationKey, owner: 'stop', asker: null, turnId: null, ...held };
      await state.stop(stop);
      await state.stop(stop);
      await state.finish(finish(running, { spent: 2 }));
      // 2 for the one that ran and 3 for the dropped one: as many as fit are left.
      const levels: string[] = [];
      for (let count = 0; count < 3; count += 1) {
        const accepted = await state.accept(request({ budget }));
        levels.push(accepted.kind === 'started' ? accepted.budget.level : accepted.kind);
      }
      expect(levels).toEqual(['full', 'full', 'few']);
    });

    test('that is too small for an answer as configured leaves it fewer updates, not only the last', async () => {
      const { state } = open();
      const name = account();
      expect(await spend(state, name, 60, 30)).toEqual({ level: 'full', reached: null });
      expect(await spend(state, name, 60, 5)).toEqual({ level: 'few', reached: null });
    });

    test('is not told to have reached a step by what is only reserved', async () => {
      const { state } = open();
      const budget = { account: account(), limit: 100, reserve };
      const asked = Array.from({ length: 8 }, () => request({ budget }));
      const reached: unknown[] = [];
      for (const each of asked) reached.push(await state.accept(each));
      expect(reached.at(-1)).toMatchObject({ budget: { level: 'none', reached: null } });
      for (const each of asked) await state.finish(finish(each, { spent: 10 }));
      expect(await state.accept(request({ budget }))).toMatchObject({ budget: { level: 'few', reached: 80 } });
    });

    test('is never exceeded by answers that run at the same time', async () => {
      const { state } = open();
      const name = account();
      const asked = Array.from({ length: 10 }, () => request({ budget: { account: name, limit: 100, reserve } }));
      const levels: string[] = [];
      for (const each of asked) {
        const accepted = await state.accept(each);
        levels.push(accepted.kind === 'started' ? accepted.budget.level : accepted.kind);
      }
      const calls = { full: 40, few: 5, last: 2, none: 0 } as Record<string, number>;
      expect(levels.reduce((sum, level) => sum + (calls[level] ?? 1_000), 0)).toBeLessThanOrEqual(100);
    });
  });

  describe('a rate', () => {
    test('limits one person and nobody else, counts a repeated request once, and starts again with the window', async () => {
      const { state, other } = open();
      const rate = { questions: 2, windowMs: 60_000 };
      const start = NOW - (NOW % rate.windowMs);
      const ask = async (on: State, asker: string, nowMs: number) => {
        const asked = request({ asker, rate, nowMs });
        const accepted = await on.accept(asked);
        expect(await on.accept(asked)).toEqual(accepted);
        return accepted.kind;
      };
      const person = 'person';
      expect(await ask(state, person, start)).toBe('started');
      expect(await ask(other, person, start + 1)).toBe('started');
      expect(await ask(state, person, start + 59_999)).toBe('limited');
      expect(await ask(state, `${person}-other`, start)).toBe('started');
      expect(await ask(state, person, start + 60_000)).toBe('started');
    });

    test('limits a question as well that would have to wait', async () => {
      const { state } = open();
      const rate = { questions: 1, windowMs: 60_000 };
      const first = request({ asker: 'hasty', rate });
      const second = request({ asker: 'hasty', rate, conversationKey: first.conversationKey });
      expect(await state.accept(first)).toMatchObject({ kind: 'started' });
      expect(await state.accept(second)).toMatchObject({ kind: 'limited' });
    });
  });
}
