import type { Answer } from '../answer/answer.ts';
import type { Activity } from '../answer/event.ts';
import type { AppType } from '../config/robot.ts';
import type { AppFacts } from '../dify/app-facts.ts';
import type { Question } from '../dify/ask.ts';
import type { Dify } from '../dify/dify.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import type { EventStream } from '../dify/stream.ts';
import { BridgeError, hasCode, isModelBusy } from '../errors.ts';
import { endQuietly, sleep } from '../runtime/clock.ts';
import { endingFailure } from './ending-failure.ts';
import { follow, type FollowOptions } from './follow.ts';
import { factsOf } from './reach.ts';
import { requestFor } from './request.ts';

/**
 * Most times that one question is posted. Each repeat follows a refusal (Dify ran nothing before it), or the one failure
 * of `mayAskAgain`.
 */
const MAX_POSTS = 4;

/** The same of a second try: its app is known, and only its conversation can be gone. */
const MAX_POSTS_AGAIN = 2;

/** Until a busy model is asked again. Longer than a stop waits for Dify (3 s): a stop that was asked for ends the pause. */
const BUSY_PAUSE_MS = 5_000;

/** How long a stream has no event before its conversation is looked for. The first event of a chatflow comes within 0.2 s. */
const LOOK_AFTER_MS = [3_000, 10_000] as const;

/** How long a question waits for its first event before the card says so. */
const SAY_AFTER_MS = 10_000;

export interface AskOptions extends FollowOptions {
  dify: Pick<Dify, 'facts' | 'ask' | 'correctType'> & { records: Pick<Dify['records'], 'hasConversation'> };
  question: Omit<Question, 'files'> & { queryInput: string; files?: readonly QuestionFile[] };
  /** The question was asked before, and its answer lost: a busy model ends this try. */
  isSecondTry?: boolean;
  /** Called before each post with the kind of app that is asked. */
  onType?: (type: AppType) => void;
  /** Called at most once, with what the app does while its first event is long in coming. */
  onWaiting?: (activity: Activity) => void;
}

/**
 * Asks Dify and folds the events into an answer that has ended.
 *
 * @throws BridgeError with a `dify_…` or `file_…` code, or the reason of `signal`, when the answer did not end. What came
 * until then was given to `onProgress`.
 */
export async function ask(options: AskOptions): Promise<Answer> {
  const { dify, question, clock, signal, isSecondTry = false } = options;
  const facts = await factsOf(dify);
  let asked: Pick<AppFacts, 'type' | 'isTypeKnown'> = facts;
  let { conversationId } = question;
  let isOpen = false;
  let mayBeBusy = !isSecondTry;
  const mostPosts = isSecondTry ? MAX_POSTS_AGAIN : MAX_POSTS;
  const cancelSaying = clock.schedule(SAY_AFTER_MS, () => {
    const activity = waitingActivity(asked, isOpen);
    if (activity) options.onWaiting?.(activity);
  });
  try {
    for (let posts = 0; posts < mostPosts; posts += 1) {
      const { inputs, files } = requestFor({ ...facts, ...asked }, question);
      options.onType?.(asked.type);
      const controller = new AbortController();
      const opened = await dify.ask(
        asked.type,
        { query: question.query, inputs, user: question.user, conversationId, files },
        AbortSignal.any([signal, controller.signal]),
      );
      if (opened.ok) {
        isOpen = true;
        const heard = { events: opened.events, type: asked.type, conversationId, controller, onBegin: cancelSaying };
        const answer = await hear(heard, options);
        if (answer === 'conversation-gone') {
          conversationId = null;
          continue;
        }
        if (!mayBeBusy || !asked.isTypeKnown || !mayAskAgain(asked.type, answer)) return answer;
        mayBeBusy = false;
        await sleep(clock, BUSY_PAUSE_MS, signal);
        continue;
      }
      const { kind, error } = opened.refusal;
      if (kind === 'stale-conversation' && conversationId !== null) {
        conversationId = null;
      } else if (kind === 'wrong-app-type') {
        asked = { type: nextType(dify, asked.type, error), isTypeKnown: true };
      } else {
        throw error;
      }
    }
    throw new BridgeError('dify_rejected', 'Dify refused the question each time');
  } finally {
    cancelSaying();
  }
}

/**
 * Whether a question whose model was busy may be asked once more. Chat assistants and text generation have no tools and no
 * steps, so a run without a model's answer has done nothing.
 */
function mayAskAgain(type: AppType, answer: Answer): boolean {
  const { ending, texts, ids, progress, stepId, files } = answer;
  const isEasy = (type === 'chat' || type === 'completion') && ids.runId === undefined && !progress.runStarted;
  const isUntouched = stepId === null && files.length === 0 && Object.values(texts).every((text) => text === '');
  return ending?.kind === 'failed' && isEasy && isUntouched && isModelBusy(endingFailure(answer));
}

/** The stream of a question that was taken. */
interface Heard {
  events: EventStream;
  type: AppType;
  conversationId: string | null;
  /** Closes the stream. */
  controller: AbortController;
  /** Called with the first event. */
  onBegin: () => void;
}

/**
 * Follows the answer to its end, and notices an answer that does not begin: Dify says neither that a chatflow's conversation is
 * gone nor that no worker is free (`docs/wire-dify.md`).
 */
async function hear(
  { events, type, conversationId, controller, onBegin }: Heard,
  options: AskOptions,
): Promise<Answer | 'conversation-gone'> {
  const { dify, question, clock, signal } = options;
  let hasBegun = false;
  let isGone = false;
  const looking = new AbortController();

  async function lookForConversation(id: string): Promise<void> {
    const lookSignal = AbortSignal.any([signal, looking.signal]);
    for (const pauseMs of LOOK_AFTER_MS) {
      await sleep(clock, pauseMs, lookSignal);
      const isThere = await dify.records.hasConversation(id, question.user, lookSignal).catch(() => null);
      if (isThere === null) continue;
      if (isThere || hasBegun) return;
      isGone = true;
      controller.abort();
      return;
    }
  }

  const onProgress = (answer: Answer) => {
    if (!hasBegun) {
      onBegin();
      hasBegun = true;
      endQuietly(looking);
    }
    options.onProgress(answer);
  };
  // Ends with the reason of a signal at the latest.
  if (conversationId !== null) lookForConversation(conversationId).catch(() => undefined);
  try {
    const answer = await follow(events, controller, { clock, signal, onProgress });
    if (hasBegun) return answer;
    throw new BridgeError('dify_not_started', 'the stream ended without an event');
  } catch (error) {
    if (isGone) return 'conversation-gone';
    // A New Agent has no event before its answer, so that it is running is not known either.
    if (hasBegun || type === 'agent' || !isOutOfTime(signal)) throw error;
    throw new BridgeError('dify_not_started', 'the time was up before the first event', {}, error);
  } finally {
    endQuietly(looking);
  }
}

const isOutOfTime = ({ aborted, reason }: AbortSignal) => aborted && hasCode(reason, 'out_of_time');

/**
 * What the app does while there is no event; null where that is not known. A chat assistant answers with its first token, so an
 * open stream without one is that of a chatflow, whatever its type was taken for.
 */
function waitingActivity(
  { type, isTypeKnown }: Pick<AppFacts, 'type' | 'isTypeKnown'>,
  isOpen: boolean,
): Activity | null {
  if (type === 'agent') return { kind: 'unseen', name: '' };
  return isOpen || !isTypeKnown || type === 'chatflow' || type === 'workflow' ? { kind: 'queued', name: '' } : null;
}

function nextType(dify: AskOptions['dify'], wrong: AppType, error: BridgeError): AppType {
  const next = dify.correctType(wrong);
  if (next === null) throw error;
  return next;
}
