import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { providerError } from '../dify/samples.ts';
import type { TroubleName } from './protocol.ts';
import { isTroubled } from './watch.ts';

/** The calls that start a run. */
const RUNS = /\/(?:chat-messages|completion-messages|workflows\/run)$/;

export const startsRun = ({ method }: RequestInit, { pathname }: URL): boolean =>
  method === 'POST' && RUNS.test(pathname);

interface Refusal {
  trouble: TroubleName;
  status: number;
  code: string;
  message: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    trouble: 'difyBusy',
    status: 429,
    code: 'too_many_requests',
    message:
      'Too many requests. Please try again later. The current maximum concurrent requests allowed for this app is 2.',
  },
  { trouble: 'difyError', status: 400, code: 'completion_request_error', message: providerError },
  { trouble: 'inputRefused', status: 400, code: 'invalid_param', message: 'department is required in input form' },
];

/**
 * A busy Dify, a failing model, or an input that nothing fills, in Dify's words. Done here and not in the sample Dify, so that a real
 * Dify app can be put to the same test. Null when nothing is to be disturbed.
 */
export async function disturbDify(init: RequestInit, url: URL, clock: Clock): Promise<Response | null> {
  const refusal = REFUSALS.find(({ trouble }) => isTroubled(trouble));
  if (!refusal || !startsRun(init, url)) return null;
  const { status, code, message } = refusal;
  await sleep(clock, 600);
  return Response.json({ code, message, status }, { status });
}
