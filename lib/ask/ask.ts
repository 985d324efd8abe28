import { emptyAnswer, endAnswer, expectsMore, foldEvent, type Answer } from '../answer/answer.ts';
import type { DifyEvent } from '../answer/event.ts';
import type { AppType } from '../config/robot.ts';
import { missingInputs, questionInput, type AppFacts } from '../dify/app-facts.ts';
import type { DifyClient, Question } from '../dify/ask.ts';
import { classifyStreamError } from '../dify/failures.ts';
import { placeFiles, type QuestionFile } from '../dify/file-inputs.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** Most times that one question is posted: each repeat follows a refusal that ran nothing. */
const MAX_POSTS = 4;

/** How long the second end event of a chatflow is waited for. Where both come, they come together. */
const SECOND_END_MS = 500;

export interface AskOptions {
  dify: DifyClient;
  question: Omit<Question, 'files'> & { queryInput: string; files?: readonly QuestionFile[] };
  clock: Clock;
  /** Ends the relay early; its reason is the failure. */
  signal: AbortSignal;
  /** Told which kind of app is asked. */
  onType?: (type: AppType) => void;
  /** Called after each event with the answer so far. */
  onProgress: (answer: Answer) => void;
}

/**
 * Asks Dify and folds what comes into an answer that has ended.
 *
 * @throws BridgeError with a `dify_…` code when there was no end; what came until then was given to `onProgress`.
 */
export async function ask(options: AskOptions): Promise<Answer> {
  const { dify, question, signal } = options;
  const facts = await dify.facts();
  let { type, isTypeKnown } = facts;
  let conversationId = question.conversationId;
  for (let posts = 0; posts < MAX_POSTS; posts += 1) {
    const placed = placeFiles({ ...facts, type }, question.files ?? [], question.inputs);
    refuseUnplaced(question.files ?? [], placed.notPlaced);
    const inputs = { ...inputsFor(type, facts, question), ...placed.inputs };
    // Of an app of unknown type Dify itself says what is missing.
    if (isTypeKnown) refuseMissing(facts, inputs);
    options.onType?.(type);
    const controller = new AbortController();
    const asked = await dify.ask(
      type,
      { query: question.query, inputs, user: question.user, conversationId, files: placed.files },
      AbortSignal.any([signal, controller.signal]),
    );
    if (!asked.ok) {
      const { kind, error } = asked.refusal;
      if (kind === 'stale-conversation' && conversationId !== null) conversationId = null;
      else if (kind === 'wrong-app-type') {
        type = nextType(dify, type, error);
        isTypeKnown = true;
      } else throw error;
      continue;
    }
    const answer = await follow(asked.events, controller, options);
    if (conversationId === null || !isNamelessError(answer)) return answer;
    // Dify 1.13 to 1.14 tell of a conversation that is gone in this way only.
    conversationId = null;
  }
  throw new BridgeError('dify_rejected', 'Dify refused the question each time');
}

/**
 * Folds the events until nothing more is to be expected, and closes their connection through `controller`.
 *
 * @throws what broke the stream before an end, or the reason of `signal`.
 */
export async function follow(
  events: AsyncIterable<DifyEvent>,
  controller: AbortController,
  { clock, signal, onProgress }: Pick<AskOptions, 'clock' | 'signal' | 'onProgress'>,
  before: Answer = emptyAnswer,
): Promise<Answer> {
  let answer = before;
  let cancelGrace: (() => void) | undefined;
  try {
    for await (const event of events) {
      answer = foldEvent(answer, event);
      onProgress(answer);
      if (!expectsMore(answer)) break;
      if (answer.ending) cancelGrace ??= clock.schedule(SECOND_END_MS, () => controller.abort());
    }
  } catch (error) {
    // Whatever happens to the connection after the end is no failure of the answer.
    if (!answer.ending) throw signal.aborted ? (signal.reason as Error) : error;
  } finally {
    cancelGrace?.();
    // Dify can hold a finished stream open for five minutes.
    controller.abort();
  }
  return endAnswer(answer);
}

/** The inputs of one post. In workflow and completion apps the question travels in one of them. */
function inputsFor(type: AppType, facts: AppFacts, { query, inputs, queryInput }: AskOptions['question']) {
  if (type !== 'workflow' && type !== 'completion') return inputs;
  const name = questionInput(facts.inputs, queryInput);
  return name !== null && inputs[name] === undefined ? { ...inputs, [name]: query } : inputs;
}

/** @throws BridgeError `file_not_accepted`: an answer that leaves a file out would not be one to this question. */
function refuseUnplaced(files: readonly QuestionFile[], unplaced: readonly QuestionFile[]): void {
  if (unplaced.length === 0) return;
  const most = files.length - unplaced.length;
  throw new BridgeError('file_not_accepted', 'the app has no place for a file', { most });
}

/** @throws BridgeError `dify_input_missing` with the names in its facts. */
function refuseMissing(app: AppFacts, inputs: Readonly<Record<string, unknown>>): void {
  const missing = missingInputs(app.inputs, inputs);
  if (missing.length === 0) return;
  const labels = missing.map(({ label }) => label).join(', ');
  // A file can come from the asker; everything else from the operator only.
  const areFiles = missing.every(({ file }) => file !== null);
  const facts = areFiles ? { files: labels } : { inputs: labels };
  throw new BridgeError('dify_input_missing', 'the app requires inputs that nobody fills', facts);
}

function nextType(dify: DifyClient, wrong: AppType, error: BridgeError): AppType {
  const next = dify.correctType(wrong);
  if (next === null) throw error;
  return next;
}

/** The first and only thing that came is an error without code: nothing ran. */
function isNamelessError({ ending, ids, texts }: Answer): boolean {
  return (
    ending?.kind === 'failed' &&
    ending.cause === 'error' &&
    ending.upstreamCode === null &&
    Object.keys(ids).length === 0 &&
    texts.message === ''
  );
}

/** Our code for an answer that ended badly; null for one that ended well, or with text that can be shown. */
export function endingFailure({ ending, texts }: Answer): BridgeError | null {
  if (ending?.kind === 'failed') {
    const { cause, upstreamCode, status } = ending;
    const code = cause === 'run' ? 'dify_run_failed' : classifyStreamError(upstreamCode, status);
    return new BridgeError(code, 'the app failed', { status });
  }
  const hasText = Object.values(texts).some((text) => text !== '');
  if (ending?.kind === 'cut' && !hasText) return new BridgeError('dify_cut', 'the stream ended without an answer');
  return null;
}
