import { sleep } from '../runtime/clock.ts';
import { CLOCK_SLACK_MS, lookPause, retrying, type Search } from './search.ts';

/** A worker of Dify puts a run on record when it begins with it. */
const LOOKS_FOR_ABSENT = 6;

/**
 * The id of a workflow's run whose events were never heard, from the list of its user's runs; null when there is none, or
 * when it is not certain which one it is: the answer of another question would be worse than none.
 */
export async function findRun(search: Search): Promise<string | null> {
  const { records, run, clock, signal } = search;
  for (let look = 0; look < LOOKS_FOR_ABSENT; look += 1) {
    if (look > 0) await sleep(clock, lookPause(look - 1), signal);
    const runs = await retrying(search, () => records.runsOf(run.user, signal));
    const since = runs.filter(({ createdAtMs }) => createdAtMs >= run.askedAtMs - CLOCK_SLACK_MS);
    const own: string[] = [];
    for (const { id } of since) if (await isOfQuestion(search, id)) own.push(id);
    if (own.length > 0) return own.length === 1 ? (own[0] ?? null) : null;
  }
  return null;
}

/** The question is one of the inputs of its run. The same person may have asked the app in another chat as well. */
async function isOfQuestion(search: Search, id: string): Promise<boolean> {
  const { records, run, signal } = search;
  const record = await retrying(search, () => records.run(id, signal));
  if (typeof record === 'string') return false;
  const asked = run.question.trim();
  return Object.values(record.inputs).some((value) => typeof value === 'string' && value.includes(asked));
}
