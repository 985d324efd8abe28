import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { providerError } from '../dify/samples.ts';
import { isTroubled } from './watch.ts';

/** The calls that start a run. */
const RUNS = /\/(?:chat-messages|completion-messages|workflows\/run)$/;

export const startsRun = ({ method }: RequestInit, { pathname }: URL): boolean =>
  method === 'POST' && RUNS.test(pathname);

/**
 * A failing model, or an input that nothing fills, in Dify's words. Done here and not in the sample Dify, so that a real
 * Dify app can be put to the same test. Null when nothing is to be disturbed.
 */
export async function disturbDify(init: RequestInit, url: URL, clock: Clock): Promise<Response | null> {
  const refusal = isTroubled('difyError')
    ? { code: 'completion_request_error', message: providerError }
    : isTroubled('inputRefused')
      ? { code: 'invalid_param', message: 'department is required in input form' }
      : null;
  if (refusal === null || !startsRun(init, url)) return null;
  await sleep(clock, 600);
  return Response.json({ ...refusal, status: 400 }, { status: 400 });
}
