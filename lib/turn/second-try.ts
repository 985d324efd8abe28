import { answerText, emptyAnswer, type Answer } from '../answer/answer.ts';
import type { Dify } from '../dify/dify.ts';
import type { Deadline } from './deadline.ts';
import type { Lease } from './lease.ts';
import type { StopSwitch } from './stop.ts';
import type { Turn } from './turn.ts';

interface SecondTryPorts {
  dify: Pick<Dify, 'facts'>;
  lease: Lease;
  stop: StopSwitch;
  deadline: Deadline;
}

/**
 * Whether a question whose answer is lost may be asked once more by itself; if so, that is on record. Only of a chat and
 * a text generation app: they use no tools, so a second run changes nothing. Never twice, never after a stop, never where
 * the asker has asked something else meanwhile, never where the kind of app is not certain. Never rejects.
 */
export async function mayAskAgain(
  turn: Pick<Turn, 'form'>,
  { dify, lease, stop, deadline }: SecondTryPorts,
): Promise<boolean> {
  const { appType, ids, isAskedAgain, isReplaced } = lease.progress;
  const facts = await dify.facts();
  const type = appType ?? facts.type;
  const isHarmless = type === 'chat' || type === 'completion';
  // Only a workflow and a chatflow have runs.
  const isCertain = facts.isTypeKnown && facts.type === type && ids.runId === undefined;
  if (!isHarmless || !isCertain || turn.form || isAskedAgain || isReplaced || isOver()) return false;
  const { conversationId } = ids;
  // The ids of the first try go: a stop is for the second one from here on.
  lease.note({ isAskedAgain: true, ids: conversationId === undefined ? {} : { conversationId } });
  const behind = await lease.write();
  return behind !== null && behind !== 'asker' && !isOver();

  function isOver(): boolean {
    return [deadline.timeUp, lease.lost, lease.silent].some(({ aborted }) => aborted) || stop.isAsked;
  }
}

/** The answer, or the text that was shown before it, where an answer that did not come to its end has less. */
export function withAtLeast(answer: Answer, shown: string): Answer {
  const isEnough = answer.ending?.kind === 'complete' || answerText(answer).text.length >= shown.length;
  return isEnough || answer.isReplaced ? answer : { ...answer, texts: { ...emptyAnswer.texts, message: shown } };
}
