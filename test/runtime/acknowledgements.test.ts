import { expect, test } from 'vitest';
import { createAcknowledgements } from '../../lib/runtime/acknowledgements.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const immediate = () => new Promise((resolve) => setImmediate(resolve));

function stage() {
  const clock = createVirtualClock();
  const begun: string[] = [];
  const kept: Promise<void>[] = [];
  const platform = { waitUntil: (work: Promise<void>) => void kept.push(work), deadlineMs: null };
  const acknowledgements = createAcknowledgements(clock);
  const begin = (name: string) => acknowledgements.begin(async () => void begun.push(name), platform);
  return { clock, begun, kept, acknowledgements, begin };
}

test('work begins after the acknowledgement that it belongs to, and keeps the invocation alive from the start', async () => {
  const { begun, kept, acknowledgements, begin } = stage();
  await acknowledgements.during(async () => begin('one'));
  expect(kept).toHaveLength(1);
  expect(begun).toEqual([]);
  await Promise.all(kept);
  expect(begun).toEqual(['one']);
});

test('while another request waits for its acknowledgement, work waits too, in its order', async () => {
  const { begun, acknowledgements, begin } = stage();
  const other = Promise.withResolvers<void>();
  const acknowledged = acknowledgements.during(() => other.promise);
  await acknowledgements.during(async () => begin('one'));
  begin('two');
  await immediate();
  expect(begun).toEqual([]);
  other.resolve();
  await acknowledged;
  await immediate();
  expect(begun).toEqual(['one', 'two']);
});

test('a request that fails, or that comes a moment before the work, counts as well', async () => {
  const { begun, acknowledgements, begin } = stage();
  const failed = acknowledgements.during(async () => {
    begin('one');
    throw new Error('refused');
  });
  await expect(failed).rejects.toThrow('refused');
  const next = Promise.withResolvers<void>();
  const acknowledged = acknowledgements.during(() => next.promise);
  await immediate();
  expect(begun).toEqual([]);
  next.resolve();
  await acknowledged;
  await immediate();
  expect(begun).toEqual(['one']);
});

test('work waits a second and a half at most, and each again', async () => {
  const { clock, begun, acknowledgements, begin } = stage();
  void acknowledgements.during(() => new Promise(() => undefined));
  for (const name of ['one', 'two']) {
    begin(name);
    await clock.advance(1_499);
    expect(begun).not.toContain(name);
    await clock.advance(1);
    expect(begun).toContain(name);
  }
});
