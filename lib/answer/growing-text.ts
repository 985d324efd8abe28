import { beginning } from '../characters.ts';
import type { Activity, TextSource } from './event.ts';
import { withTry, type Try } from './tries.ts';

/** The text of an answer while it grows, and what decides where its next part belongs. */
export interface GrowingText {
  /** The deltas of `message`, of `agent_message` and of `text_chunk`. Which of them is the text: `answerText`. */
  readonly texts: Readonly<Record<TextSource, string>>;
  /** What the nodes streamed in tries that have not ended yet. */
  readonly tries: readonly Try[];
  /** The try of a node failed, and the run went on. */
  readonly retried: boolean;
  /** Moderation has replaced the text. Only the stream tells that: the outputs keep the text before it. */
  readonly isReplaced: boolean;
  /** The agent step that the last text belongs to, and whether a newer one has begun since. */
  readonly stepId: string | null;
  readonly stepChanged: boolean;
  /** What the app does now; null when that is not known, or when the last event was text. */
  readonly activity: Activity | null;
}

/**
 * Most characters that are kept of a text: far more than is ever shown. Without a limit an app that never ends would use
 * up the memory of the instance.
 */
const MAX_TEXT_CHARS = 1024 * 1024;

export function appendText<T extends GrowingText>(
  answer: T,
  { source, text, node }: { source: TextSource; text: string; node?: string },
): T {
  if (text === '') return answer;
  const before = answer.texts[source];
  // Steps of an agent have no separator on the wire; Dify joins them with a line break when it stores the answer.
  const separator = source === 'agent' && answer.stepChanged && before !== '' && !before.endsWith('\n') ? '\n' : '';
  const after = bounded(before, separator + text);
  return {
    ...answer,
    texts: { ...answer.texts, [source]: after },
    tries:
      node === undefined
        ? answer.tries
        : withTry(answer.tries, { node, source, start: before.length, end: after.length }),
    activity: null,
    stepChanged: source === 'agent' ? false : answer.stepChanged,
  };
}

/** Later deltas continue the replacement, so it takes the place of the text that they are added to. */
export function replaceText<T extends GrowingText>(before: T, source: TextSource | 'current', whole: string): T {
  const text = bounded('', whole);
  const answer = { ...before, tries: [], isReplaced: true };
  if (source !== 'current') return { ...answer, texts: { ...answer.texts, [source]: text } };
  const target = answer.texts.message === '' && answer.texts.agent !== '' ? 'agent' : 'message';
  return { ...answer, texts: { message: '', agent: '', chunk: '', [target]: text } };
}

/** A text with more at its end, as far as it is kept. */
export function bounded(before: string, more: string): string {
  return before.length >= MAX_TEXT_CHARS ? before : before + beginning(more, MAX_TEXT_CHARS - before.length);
}
