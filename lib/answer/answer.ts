import { withoutPictureData } from '../markdown/data-pictures.ts';
import type {
  AnswerFile,
  Citation,
  AnswerEvent,
  FailureReason,
  PendingForm,
  Price,
  RunIds,
  RunStatus,
} from './event.ts';
import { appendText, bounded, replaceText, type GrowingText } from './growing-text.ts';
import { hasOnlyFiles, onlyText, renderOutputs, singleText } from './outputs.ts';
import { splitThinking } from './thinking.ts';
import { takenBack } from './tries.ts';

/** Everything known of an answer so far: the fold of the events. */
export interface Answer extends GrowingText {
  readonly ids: RunIds;
  readonly reasoning: string;
  /** The text of the last step as the agent reported it. It is the answer where the agent sent no text. */
  readonly thought: string;
  /** The form that the run waits for. */
  readonly form: PendingForm | null;
  /** The form's time ran out without an answer. */
  readonly formExpired: boolean;
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly files: readonly AnswerFile[];
  readonly citations: readonly Citation[];
  readonly totalTokens: number | null;
  readonly price: Price | null;
  readonly progress: {
    /** Dify announced a run, so the end of a run is still to come. */
    readonly runStarted: boolean;
    readonly messageEnded: boolean;
    readonly runEnded: boolean;
  };
  /** How it ended; null while it goes on. */
  readonly ending: Ending | null;
}

export type Ending =
  | { kind: 'complete' }
  | { kind: 'stopped' }
  | { kind: 'paused' }
  /** The run failed, or an error came. `upstreamCode` and `status` are Dify's. */
  | {
      kind: 'failed';
      cause: 'error' | 'run';
      upstreamCode: string | null;
      status: number | null;
      reason?: FailureReason | null;
    }
  /** The stream ended without any end event. */
  | { kind: 'cut' };

/** Most files that are kept: far more than are ever sent. An app that never ends would use up the memory of the instance. */
const MAX_FILES = 200;

export const emptyAnswer: Answer = {
  ids: {},
  texts: { message: '', agent: '', chunk: '' },
  tries: [],
  retried: false,
  isReplaced: false,
  reasoning: '',
  stepId: null,
  stepChanged: false,
  thought: '',
  activity: null,
  form: null,
  formExpired: false,
  outputs: null,
  files: [],
  citations: [],
  totalTokens: null,
  price: null,
  progress: { runStarted: false, messageEnded: false, runEnded: false },
  ending: null,
};

/** Takes one event into account. */
export function foldEvent(answer: Answer, event: AnswerEvent): Answer {
  const next = { ...answer, ids: { ...answer.ids, ...event.ids } };
  switch (event.kind) {
    case 'text':
      return appendText(next, event);
    case 'try-ended':
      return event.failed
        ? { ...next, ...takenBack(next.texts, next.tries, event.node), retried: true }
        : { ...next, tries: next.tries.filter(({ node }) => node !== event.node) };
    case 'replace':
      return replaceText(next, event.source, event.text);
    case 'reasoning':
      return event.text === ''
        ? next
        : { ...next, reasoning: bounded(next.reasoning, event.text), activity: { kind: 'thinking', name: '' } };
    case 'activity':
      return { ...next, activity: event.activity };
    case 'step':
      return {
        ...next,
        activity: event.activity ?? next.activity,
        stepId: event.stepId,
        stepChanged: next.stepChanged || (next.stepId !== null && next.stepId !== event.stepId),
        thought: bounded('', event.thought ?? next.thought),
      };
    case 'file':
      return withFiles(next, [event.file]);
    case 'run-started':
      return { ...next, progress: { ...next.progress, runStarted: true } };
    case 'message-ended':
      return {
        ...withFiles(next, event.files),
        citations: event.citations,
        totalTokens: event.totalTokens,
        price: event.price,
        progress: { ...next.progress, messageEnded: true },
        ending: next.ending ?? { kind: 'complete' },
      };
    case 'run-finished':
      return {
        ...withFiles(next, event.files),
        form: null,
        outputs: event.outputs,
        retried: next.retried || event.retried === true,
        progress: { ...next.progress, runEnded: true },
        ending: runEnding(next.ending, event.status, event.reason),
      };
    case 'form':
      return { ...next, form: answerable(next.form, event.form), formExpired: false };
    case 'form-closed':
      return { ...next, form: null, formExpired: event.how === 'expired' };
    case 'run-paused':
      return {
        ...next,
        form: answerable(next.form, event.form),
        progress: { ...next.progress, runEnded: true },
        ending: { kind: 'paused' },
      };
    case 'failed':
      return { ...next, ending: next.ending ?? failedEnding(event) };
    case 'none':
      return next;
    default:
      return event satisfies never;
  }
}

/** The stream is over. Without an end event the text so far is all there is. */
export function endAnswer(answer: Answer): Answer {
  return answer.ending ? answer : { ...answer, ending: { kind: 'cut' } };
}

/** The answer without the first `chars` characters of its text, which stand on an earlier card. */
export function withoutBeginning(answer: Answer, chars: number): Answer {
  const { texts, outputs } = answer;
  const whole = outputs?.['answer'];
  return {
    ...answer,
    texts: { ...texts, message: texts.message.slice(chars) },
    outputs: typeof whole === 'string' ? { ...outputs, answer: whole.slice(chars) } : outputs,
  };
}

/**
 * Whether more may follow after the end: a chatflow ends twice, in an order (and with omissions) that depends on its
 * version. Only a run that was announced has a second end; an annotation reply has none.
 */
export function expectsMore(answer: Answer): boolean {
  if (!answer.ending) return true;
  if (answer.ending.kind !== 'complete' || !answer.progress.runStarted) return false;
  const isChat = answer.ids.messageId !== undefined;
  return isChat && !(answer.progress.messageEnded && answer.progress.runEnded);
}

/**
 * The text a reader should see, without the model's reasoning, and that reasoning. `unended` is the part of the reasoning
 * that the model never ended: it may hold the answer.
 */
export function answerText(answer: Answer): { text: string; reasoning: string; unended?: string } {
  const { text, reasoning, unended } = splitThinking(rawText(answer), { finished: answer.ending !== null });
  return {
    text: withoutPictureData(text),
    reasoning: [answer.reasoning, reasoning].filter((part) => part.trim() !== '').join('\n\n'),
    ...(unended === undefined ? {} : { unended }),
  };
}

function rawText(answer: Answer): string {
  const { texts, thought, outputs, ending } = answer;
  // A New Agent closes with one `message` that repeats what it streamed as `agent_message`. Annotation and moderation
  // replies of agents come as `message` only. In both cases `message` is the text as soon as it is there.
  const chat = texts.message || texts.agent;
  if (chat !== '') return textAfterRetry(answer) ?? chat;
  if (!outputs) return texts.chunk || (ending?.kind === 'complete' ? thought : '');
  if (texts.chunk.trim() === '') return renderOutputs(outputs);
  // A run that was stopped or failed keeps the text that was shown: its outputs may hold less.
  if (ending?.kind !== 'complete' || hasOnlyFiles(outputs)) return texts.chunk;
  // The chunks are a preview: every output as a text of its own, without its name. The only output may differ from them,
  // for example after a template node.
  const single = singleText(outputs);
  if (single === null) return renderOutputs(outputs);
  return (answer.retried ? single : onlyText(outputs)) || texts.chunk;
}

/**
 * The whole text of a chatflow of which a node was tried again; null where the streamed text counts. Dify may stream the
 * text of failed tries late. The text before a moderation stays in the outputs, so after a replacement they do not count.
 */
function textAfterRetry({ retried, isReplaced, outputs, ending }: Answer): string | null {
  const whole = outputs?.['answer'];
  const counts = retried && !isReplaced && ending?.kind === 'complete';
  return counts && typeof whole === 'string' && whole.trim() !== '' ? whole : null;
}

function withFiles(answer: Answer, more: readonly AnswerFile[]): Answer {
  if (more.length === 0 || answer.files.length >= MAX_FILES) return answer;
  return { ...answer, files: [...answer.files, ...more].slice(0, MAX_FILES) };
}

/** A run can ask several people at once. The first form that can be answered in the chat is shown. */
function answerable(before: PendingForm | null, next: PendingForm | null): PendingForm | null {
  return before?.token || next === null ? before : next;
}

function runEnding(before: Ending | null, status: RunStatus, reason: FailureReason | null | undefined): Ending {
  if (status === 'failed') {
    const failed = { kind: 'failed', cause: 'run', upstreamCode: null, status: null, reason: reason ?? null } as const;
    return before?.kind === 'failed' ? before : failed;
  }
  return status === 'stopped' ? { kind: 'stopped' } : (before ?? { kind: 'complete' });
}

/** Old versions of Dify repeat the failure of a run as an `error` event. An error after a good end changes nothing. */
function failedEnding({ upstreamCode, status, reason = null }: Extract<AnswerEvent, { kind: 'failed' }>): Ending {
  return { kind: 'failed', cause: 'error', upstreamCode, status, reason };
}
