import type { Answer } from '../answer/answer.ts';
import { survivesDisconnect } from '../dify/runs.ts';
import { BridgeError } from '../errors.ts';
import { withFields } from '../runtime/log.ts';
import { recoverMessage } from './message.ts';
import { recoverRun } from './run.ts';
import { isTooOld, type LostRun, type Search } from './search.ts';

export type Recovered =
  /** The whole answer, with its ending. Its texts replace whatever was shown before. */
  | { kind: 'answer'; answer: Answer }
  /** It goes on at Dify, or did when it was last heard of: worth another attempt. */
  | { kind: 'still-running' }
  /** Dify has nothing, or does not tell. */
  | { kind: 'lost' };

/** Gets at the answer of a run whose stream was lost, without asking again (`docs/wire-dify.md`). */
export interface Recovery {
  /**
   * Waits for the answer until the signal is aborted; how long that may take is for the caller to say. The answers
   * that `onProgress` gets have ids and files as they become known. They have no text, unless Dify told the whole text
   * so far, and no ending: what was shown before stays until the answer is there.
   */
  recover(run: LostRun, signal: AbortSignal, onProgress: (answer: Answer) => void): Promise<Recovered>;
}

export function createRecovery({ records, clock, log }: Pick<Search, 'records' | 'clock' | 'log'>): Recovery {
  return {
    async recover(run, signal, onProgress) {
      const isRunning = survivesDisconnect(run.type, run.ids);
      const ownLog = withFields(log, { turn: run.reference });
      const search: Search = { run, records, clock, log: ownLog, signal, onProgress, isRunning };
      try {
        const answer = await find(search);
        return answer ? { kind: 'answer', answer } : { kind: 'lost' };
      } catch (error) {
        if (signal.aborted) return { kind: search.isRunning && !isTooOld(search) ? 'still-running' : 'lost' };
        if (!(error instanceof BridgeError)) throw error;
        ownLog.warn('recovery_refused', { code: error.code, ...error.facts });
        return { kind: 'lost' };
      }
    },
  };
}

async function find(search: Search): Promise<Answer | null> {
  const { type, ids } = search.run;
  if (survivesDisconnect(type, ids)) return recoverRun(search, ids.runId);
  // Nothing but its run keeps the answer of a workflow, and nothing at all that of a text generator.
  return type === 'workflow' || type === 'completion' ? null : recoverMessage(search);
}
