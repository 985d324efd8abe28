import { describe, expect, test } from 'vitest';
import type { State } from '../../lib/state/state.ts';
import type { Makers } from './contract-buttons.ts';

const NOW = 1_800_000_000_000;
const LEASE_MS = 40_000;

/** Of turns that an instance answers from itself alone, because it never heard that the store had accepted them. */
export function describeUnheard(
  open: () => { state: State; other: State },
  { request, finish, remembered }: Makers,
): void {
  describe('a turn accepted unheard', () => {
    test('that waits by the record, but is being answered, is not begun once more', async () => {
      const { state, other } = open();
      const first = request();
      const unheard = request({ conversationKey: first.conversationKey });
      const third = request({ conversationKey: first.conversationKey });
      for (const turn of [first, unheard, third]) await state.accept(turn);
      const unasked = { turnId: unheard.turnId, fence: 1, nowMs: NOW, leaseUntilMs: NOW + LEASE_MS, progress: '{}' };
      const held = await other.renew({ ...unasked, remembered: remembered(first.conversationKey) });
      expect(held).toMatchObject({ kind: 'held', running: 2 });
      expect(await state.finish(finish(first))).toMatchObject({ next: { turnId: third.turnId } });
      const late = NOW + 2 * LEASE_MS;
      expect(
        await state.takeOver({
          turnId: unheard.turnId,
          owner: 'later',
          nowMs: late,
          leaseUntilMs: late + LEASE_MS,
          handedOver: null,
        }),
      ).toMatchObject({ mayHaveBeenAsked: true });
    });

    test('that was given up while its instance answered it unheard is stopped, not lost', async () => {
      const { state, other } = open();
      const first = request();
      const unheard = request({ conversationKey: first.conversationKey });
      await state.accept(first);
      await state.accept(unheard);
      await state.stop({
        conversationKey: first.conversationKey,
        owner: 'stop',
        asker: null,
        turnId: unheard.turnId,
        nowMs: NOW,
        leaseUntilMs: NOW + LEASE_MS,
      });
      const unasked = { turnId: unheard.turnId, fence: 1, nowMs: NOW, leaseUntilMs: NOW + LEASE_MS, progress: '{}' };
      const held = await other.renew({ ...unasked, remembered: remembered(first.conversationKey) });
      expect(held).toMatchObject({ kind: 'held', running: 2, isStopped: true });
      // Until then another instance ends its card, should this one be killed.
      expect(await state.overdue({ nowMs: NOW + LEASE_MS, limit: 1_000 })).toContain(unheard.turnId);
      expect(await other.finish(finish(unheard))).toMatchObject({ kind: 'finished', next: null });
    });

    test('that was given up gives what it reserved of the month back once, although its instance ends it as well', async () => {
      const { state, other } = open();
      const budget = { account: 'corp-unheard:202611', limit: 100, reserve: { full: 40, few: 5, last: 2 } };
      const first = request({ budget });
      const unheard = request({ budget, conversationKey: first.conversationKey });
      await state.accept(first);
      await state.accept(unheard);
      const stop = { conversationKey: first.conversationKey, owner: 'stop', asker: null, turnId: unheard.turnId };
      await state.stop({ ...stop, nowMs: NOW, leaseUntilMs: NOW + LEASE_MS });
      await other.finish(finish(unheard, { spent: 3 }));
      // 40 for the first and 3 for the one that was given up: one more as configured fits.
      for (const level of ['full', 'few'])
        expect(await state.accept(request({ budget }))).toMatchObject({ budget: { level } });
    });
  });
}
