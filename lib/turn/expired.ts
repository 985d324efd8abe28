import { sleep, type Clock } from '../runtime/clock.ts';
import type { Obtained } from './judge.ts';

/** How soon Dify lets a run go on after the time of its form is not known. Until then the run waits. */
const PATIENCE_MS = 90_000;

const LOOK_MS = 10_000;

/**
 * What a run did when the time of its form was over.
 *
 * @param look what Dify has of the run. It never rejects.
 */
export async function lookForExpired(
  look: () => Promise<Obtained>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Obtained> {
  const untilMs = clock.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found.kind !== 'answer') return found;
    const { answer } = found;
    const isWaiting = answer.ending?.kind === 'paused' && !answer.form;
    if (!isWaiting || clock.now() >= untilMs || signal.aborted) {
      // The run may fail because of the time. That is said, not the failure.
      const ending = answer.form ? answer.ending : ({ kind: 'complete' } as const);
      return { ...found, answer: { ...answer, formExpired: true, ending }, failure: null };
    }
    await sleep(clock, LOOK_MS, signal).catch(() => undefined);
  }
}
