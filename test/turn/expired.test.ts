// What is shown of a run whose form nobody answered in time.
import { expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import { BridgeError } from '../../lib/errors.ts';
import { lookForExpired } from '../../lib/turn/expired.ts';
import type { Obtained } from '../../lib/turn/judge.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const found = (answer: Partial<Answer>, failure: BridgeError | null = null): Obtained => ({
  kind: 'answer',
  answer: { ...emptyAnswer, ...answer },
  failure,
  refused: null,
});
const waiting = found({ ending: { kind: 'paused' } });

/** Looks until there is something else than `waiting`, or for too long. */
async function look(...results: Obtained[]) {
  const clock = createVirtualClock();
  const stop = new AbortController();
  let looks = 0;
  const looking = lookForExpired(
    async () => {
      looks += 1;
      return results.shift() ?? waiting;
    },
    { clock, signal: stop.signal },
  );
  return { looking, clock, stop, looks: () => looks };
}

test('what the run did then is waited for, as long as it waits itself', async () => {
  const { looking, clock, looks } = await look(waiting, found({ ending: { kind: 'complete' } }));
  await clock.advance(10_000);
  expect(await looking).toMatchObject({ answer: { formExpired: true, ending: { kind: 'complete' } } });
  expect(looks()).toBe(2);
});

test('a run that goes on waiting is left after a while, or when the time of the turn is up', async () => {
  const long = await look();
  await long.clock.advance(90_000);
  expect(await long.looking).toMatchObject({ answer: { formExpired: true, ending: { kind: 'complete' } } });
  expect(long.looks()).toBe(10);
  const short = await look();
  await short.clock.advance(1_000);
  short.stop.abort(new Error('time is up'));
  await short.clock.advance(1);
  expect(await short.looking).toMatchObject({ answer: { formExpired: true } });
});

test('the next form of the run is shown, a failure is not, and what is no answer stays what it is', async () => {
  const form = { token: 'next' } as PendingForm;
  const next = await look(found({ form, ending: { kind: 'paused' } }));
  expect(await next.looking).toMatchObject({ answer: { form, ending: { kind: 'paused' }, formExpired: true } });
  const failed = await look(found({}, new BridgeError('dify_run_failed', 'no')));
  expect(await failed.looking).toMatchObject({ failure: null, answer: { ending: { kind: 'complete' } } });
  const lost = await look({ kind: 'lost' });
  expect(await lost.looking).toEqual({ kind: 'lost' });
});
