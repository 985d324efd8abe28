import { describe, expect, test } from 'vitest';
import { openDeadline } from '../../lib/turn/deadline.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const open = (leftMs: number | null, shutdown = new AbortController()) => {
  const clock = createVirtualClock();
  const deadline = openDeadline(clock, leftMs === null ? null : clock.now() + leftMs, shutdown.signal);
  return { clock, deadline, shutdown };
};

describe('the time of an invocation', () => {
  test('is up 20 s before its end', async () => {
    const { clock, deadline } = open(300_000);
    await clock.advance(279_999);
    expect(deadline.timeUp.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.timeUp.reason).toMatchObject({ code: 'out_of_time' });
  });

  test('is kept for the answer by a short limit, but for its last 15 %', async () => {
    const { clock, deadline } = open(10_000);
    await clock.advance(8_499);
    expect(deadline.timeUp.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.timeUp.aborted).toBe(true);
  });

  test('is up at once when its end has passed', async () => {
    const { clock, deadline } = open(-1);
    await clock.advance(0);
    expect(deadline.timeUp.aborted).toBe(true);
  });

  test('is never up where nothing ends it, and after it was closed', async () => {
    const endless = open(null);
    await endless.clock.advance(86_400_000);
    expect(endless.deadline.timeUp.aborted).toBe(false);
    const closed = open(10_000);
    closed.deadline.close();
    await closed.clock.advance(20_000);
    closed.shutdown.abort();
    expect(closed.deadline.timeUp.aborted).toBe(false);
  });

  test('is up when the process is asked to end, also if that was before', () => {
    const { deadline, shutdown } = open(null);
    shutdown.abort();
    expect(deadline.timeUp.reason).toMatchObject({ code: 'interrupted' });
    expect(open(null, shutdown).deadline.timeUp.reason).toMatchObject({ code: 'interrupted' });
  });
});
