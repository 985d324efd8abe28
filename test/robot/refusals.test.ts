import { describe, expect, test } from 'vitest';
import { createRefusals } from '../../lib/robot/refusals.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { robotOf, senderOf } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const MINUTE = 60_000;

function open(env: Record<string, string> = {}) {
  // All windows begin here.
  const clock = createVirtualClock(0);
  let owners = 0;
  const refusals = createRefusals({
    config: robotOf(env),
    state: createMemoryState(clock),
    clock,
    newId: () => `owner-${(owners += 1)}`,
  });
  const isTold = async (why: 'list' | 'limit', staffId = 'staff-1', key = 'conversation-1') =>
    (
      await refusals.claimTelling(
        why,
        { chat: { id: 'chat-1', isGroup: true, title: null }, sender: senderOf(staffId) },
        key,
      )
    ).isNew;
  return { clock, isTold };
}

describe('a person who may not ask', () => {
  test('is told once in ten minutes, in each conversation', async () => {
    const { clock, isTold } = open();
    expect(await isTold('list')).toBe(true);
    expect(await isTold('list')).toBe(false);
    expect(await isTold('list', 'staff-2')).toBe(true);
    expect(await isTold('list', 'staff-1', 'conversation-2')).toBe(true);
    await clock.advance(10 * MINUTE);
    expect(await isTold('list')).toBe(true);
  });
});

describe('a person who has asked too much', () => {
  test('is told once in a minute, apart from the other sentence', async () => {
    const { clock, isTold } = open({ USER_RATE_LIMIT: '5/10m' });
    expect(await isTold('limit')).toBe(true);
    expect(await isTold('limit')).toBe(false);
    expect(await isTold('list')).toBe(true);
    await clock.advance(MINUTE);
    expect(await isTold('limit')).toBe(true);
  });

  test('is told in each window of a limit that is shorter', async () => {
    const { clock, isTold } = open({ USER_RATE_LIMIT: '1/10s' });
    expect(await isTold('limit')).toBe(true);
    await clock.advance(10_000);
    expect(await isTold('limit')).toBe(true);
  });

  test('is told by an instance without a limit as usual', async () => {
    const { clock, isTold } = open();
    expect(await isTold('limit')).toBe(true);
    await clock.advance(MINUTE - 1);
    expect(await isTold('limit')).toBe(false);
  });
});
