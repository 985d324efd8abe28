import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { providerError } from '../dify/samples.ts';
import { isTroubled } from './watch.ts';

/** The calls that start a run. */
const RUNS = /\/(?:chat-messages|completion-messages|workflows\/run)$/;

/**
 * A failing model, in Dify's words. Done here and not in the sample Dify, so that a real Dify app can be put to the
 * same test. Null when nothing is to be disturbed.
 */
export async function disturbDify(init: RequestInit, url: URL, clock: Clock): Promise<Response | null> {
  if (!isTroubled('difyError') || init.method !== 'POST' || !RUNS.test(url.pathname)) return null;
  await sleep(clock, 600);
  return Response.json({ code: 'completion_request_error', message: providerError, status: 400 }, { status: 400 });
}
