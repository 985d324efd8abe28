// A question to a Dify that refuses the connection, because it restarts.
import { describe, expect, test } from 'vitest';
import { factsOf, whenReachable } from '../../lib/ask/reach.ts';
import { readParameters } from '../../lib/dify/app-facts.ts';
import { readVersion } from '../../lib/dify/version.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const refused = new BridgeError('dify_unreachable', 'no connection', { refused: true });

/** Tries until it succeeds after `failures`. */
function reaching(failures: readonly Error[], signal = new AbortController().signal) {
  const clock = createVirtualClock();
  const beganAtMs = clock.now();
  const triedAtMs: number[] = [];
  let waits = 0;
  const attempt = async () => {
    triedAtMs.push(clock.now() - beganAtMs);
    const failure = failures[triedAtMs.length - 1];
    if (failure) throw failure;
    return 'answer';
  };
  const outcome = whenReachable(attempt, { clock, signal, onRefused: () => (waits += 1) }).catch(
    (error: unknown) => error,
  );
  return { clock, outcome, triedAtMs, waits: () => waits };
}

describe('a question whose connection is refused', () => {
  test('is asked again until Dify is back', async () => {
    const { clock, outcome, triedAtMs, waits } = reaching([refused, refused, refused]);
    await clock.advance(10_000);
    expect(await outcome).toBe('answer');
    expect(triedAtMs).toEqual([0, 1_000, 3_000, 6_000]);
    expect(waits()).toBe(3);
  });

  test('fails after 30 s', async () => {
    const { clock, outcome, triedAtMs } = reaching(Array.from({ length: 20 }, () => refused));
    await clock.advance(60_000);
    expect(await outcome).toBe(refused);
    expect(triedAtMs.at(-1)).toBe(30_000);
  });

  test('fails as what it is when the time is up', async () => {
    const stopping = new AbortController();
    const { clock, outcome, triedAtMs } = reaching(
      Array.from({ length: 20 }, () => refused),
      stopping.signal,
    );
    await clock.advance(4_000);
    stopping.abort(new BridgeError('out_of_time', 'time is up'));
    expect(await outcome).toBe(refused);
    expect(triedAtMs).toHaveLength(3);
  });

  test.each([
    ['that broke in another way', new BridgeError('dify_unreachable', 'broken')],
    ['that was refused by Dify', new BridgeError('dify_rejected', 'no', { refused: true })],
    ['with a fault of ours', new Error('a fault')],
  ])('%s is not asked again', async (_why, failure) => {
    const { outcome, triedAtMs } = reaching([failure]);
    expect(await outcome).toBe(failure);
    expect(triedAtMs).toEqual([0]);
  });
});

test('facts that are only assumed are none', async () => {
  const facts = { type: 'chat', isTypeKnown: true, ...readVersion(null, undefined), ...readParameters({}) } as const;
  expect(await factsOf({ facts: async () => facts })).toBe(facts);
  const gone = factsOf({ facts: async () => ({ ...facts, isRefused: true }) });
  await expect(gone).rejects.toMatchObject({ code: 'dify_unreachable', facts: { refused: true } });
});
