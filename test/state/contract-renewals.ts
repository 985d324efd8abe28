import { describe, expect, test } from 'vitest';
import type { State } from '../../lib/state/state.ts';
import type { Makers } from './contract-buttons.ts';

const NOW = 1_800_000_000_000;
const LEASE_MS = 40_000;

const takeOver = (turnId: string, owner: string, nowMs = NOW) => ({
  turnId,
  owner,
  nowMs,
  leaseUntilMs: nowMs + LEASE_MS,
  handedOver: null,
});

/** What the holder of a turn learns of others. */
export function describeRenewals(
  open: () => { state: State; other: State },
  { request, finish, remembered }: Pick<Makers, 'request' | 'finish' | 'remembered'>,
): void {
  describe('a running turn', () => {
    test('tells at each renewal whose questions wait behind, and what has no holder', async () => {
      const { state } = open();
      const conversationKey = 'behind';
      const running = request({ conversationKey });
      await state.accept(running);
      const renewed = (nowMs = NOW) =>
        state.renew({
          turnId: running.turnId,
          fence: 1,
          nowMs,
          leaseUntilMs: nowMs + LEASE_MS,
          progress: '{}',
          remembered: remembered(conversationKey),
        });
      expect(await renewed()).toMatchObject({ behind: 'nothing', overdue: [] });
      await state.accept(request({ conversationKey, asker: 'asker-2' }));
      expect(await renewed()).toMatchObject({ behind: 'others' });
      await state.accept(request({ conversationKey }));
      expect(await renewed()).toMatchObject({ behind: 'asker' });
      const dropping = { conversationKey, owner: 'presser', turnId: null, nowMs: NOW, leaseUntilMs: NOW };
      await state.stop({ ...dropping, asker: 'asker-1' });
      expect(await renewed()).toMatchObject({ behind: 'others', isStopped: true });
      const died = request({ conversationKey: 'died', leaseUntilMs: NOW + 1 });
      await state.accept(died);
      const reply = await renewed(NOW + 2);
      expect(reply.kind === 'held' && reply.overdue).toContain(died.turnId);
    });

    test('was stopped: the next holder is told', async () => {
      const { state, other } = open();
      const [stopped, left] = [request({ leaseUntilMs: NOW }), request({ leaseUntilMs: NOW })];
      for (const each of [stopped, left]) await state.accept(each);
      const { conversationKey } = stopped;
      await state.stop({ conversationKey, owner: 'presser', asker: null, turnId: null, nowMs: NOW, leaseUntilMs: NOW });
      expect(await other.takeOver(takeOver(stopped.turnId, 'next'))).toMatchObject({ isStopped: true });
      expect(await other.takeOver(takeOver(left.turnId, 'next'))).toMatchObject({ isStopped: false });
    });

    test('is not told as the next one after another has taken it, or has ended it', async () => {
      const { state, other } = open();
      const first = request();
      const second = request({ conversationKey: first.conversationKey });
      await state.accept(first);
      await state.accept(second);
      await state.finish(finish(first, { nextLeaseUntilMs: NOW + 1_000 }));
      const taken = await other.takeOver(takeOver(second.turnId, 'fresh', NOW + 1_000));
      expect(taken).toMatchObject({ fence: 2 });
      expect(await state.finish(finish(first))).toMatchObject({ kind: 'finished', next: null });
      await other.finish(finish(second, { fence: 2, owner: 'fresh' }));
      expect(await state.finish(finish(first))).toMatchObject({ kind: 'finished', next: null });
    });
  });
}
