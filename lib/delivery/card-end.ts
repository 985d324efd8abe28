import { errorFields, type Log } from '../runtime/log.ts';
import type { LastFrame, Writer } from './writer.ts';

/** Of the turn whose card is ended, for the log. */
interface Ending {
  log: Log;
  reference: string;
}

/**
 * Ends a card with its last frame. Every card ends through this function or `closeCard`. Never rejects.
 *
 * @returns null when the card has ended; else the failure, which is in the log by then.
 */
export async function endCard(
  writer: Pick<Writer, 'finish'>,
  last: LastFrame,
  ending: Ending,
): Promise<{ failure: unknown } | null> {
  return failureOf(() => writer.finish(last), ending);
}

/**
 * Ends a card with a sentence: by a frame, and where DingTalk takes none, by a change of the card. That change also puts
 * the sentence on a card that has ended without the knowledge of this instance. Never rejects.
 *
 * @returns null when the card has ended or is not there; else the failure, which is in the log by then.
 */
export async function closeCard(
  writer: Pick<Writer, 'finish' | 'close' | 'saysMissing'>,
  last: LastFrame,
  ending: Ending,
): Promise<{ failure: unknown } | null> {
  const ended = await endCard(writer, last, ending);
  if (ended === null || writer.saysMissing(ended.failure)) return null;
  return failureOf(() => writer.close(last.text), ending);
}

async function failureOf(work: () => Promise<void>, { log, reference }: Ending): Promise<{ failure: unknown } | null> {
  try {
    await work();
    return null;
  } catch (failure) {
    log.error('card_not_ended', { turn: reference, ...errorFields(failure) });
    return { failure };
  }
}
