import type { Answer } from '../answer/answer.ts';
import { classifyStreamError } from '../dify/failures.ts';
import { BridgeError } from '../errors.ts';

/** The failure of an answer that ended badly; null for one that ended well, or that broke off with text to show. */
export function endingFailure({ ending, texts }: Answer): BridgeError | null {
  const hasText = Object.values(texts).some((text) => text !== '');
  if (ending?.kind === 'failed') {
    const { cause, upstreamCode, status, reason } = ending;
    const told = reason?.code ?? (cause === 'run' ? 'dify_run_failed' : classifyStreamError(upstreamCode, status));
    // Without a text to keep, a model that broke off is one that failed.
    const code = told === 'dify_model_cut' && !hasText ? 'dify_model_failed' : told;
    return new BridgeError(code, 'the app failed', { status, ...reason?.facts });
  }
  if (ending?.kind === 'cut' && !hasText) return new BridgeError('dify_cut', 'the stream ended without an answer');
  return null;
}
