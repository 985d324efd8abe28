import type { Answer } from '../answer/answer.ts';
import { survivesDisconnect } from '../dify/runs.ts';
import { BridgeError } from '../errors.ts';
import { withFields } from '../runtime/log.ts';
import { recoverMessage } from './message.ts';
import { recoverRun } from './run.ts';
import { findRun } from './run-list.ts';
import { isTooOld, type LostRun, type OnProgress, type Search } from './search.ts';

export type Recovered =
  /** The whole answer, with its ending. Its texts replace everything that was shown before. */
  | { kind: 'answer'; answer: Answer }
  /** The run goes on at Dify, or did at the last look: another attempt may find its answer. */
  | { kind: 'still-running' }
  /** Dify has no answer, or does not show it. */
  | { kind: 'lost' };

/** Finds the answer of a run whose stream was lost, without asking again (`docs/wire-dify.md`). */
export interface Recovery {
  /**
   * Waits for the answer until the signal aborts. The answers that `onProgress` gets have no ending; they have the ids and
   * files that are known so far, and text only where Dify told the whole text so far. The caller leaves the text that was
   * shown before as it is until the whole answer is there.
   */
  recover(run: LostRun, signal: AbortSignal, onProgress: OnProgress): Promise<Recovered>;
}

export function createRecovery({ records, clock, log }: Pick<Search, 'records' | 'clock' | 'log'>): Recovery {
  return {
    async recover(run, signal, onProgress) {
      const isRunning = survivesDisconnect(run.type, run.ids) && run.version.runsSurvive !== false;
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
  const { type, ids, version } = search.run;
  // Dify keeps the answer of a completion app nowhere.
  if (type === 'completion') return null;
  // Only a chatflow has a run beside its message. An app of unknown type is asked like a chat.
  const isFlow = type === 'workflow' || type === 'chatflow' || ids.runId !== undefined;
  // The run died with its client.
  if (isFlow && version.runsSurvive === false) return null;
  if (survivesDisconnect(type, ids)) return recoverRun(search, ids.runId);
  if (type !== 'workflow') return recoverMessage(search);
  const runId = await findRun(search);
  return runId === null ? null : recoverRun(search, runId);
}
