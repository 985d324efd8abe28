import type { Answer } from '../answer/answer.ts';
import type { AppType } from '../config/robot.ts';
import { missingInputs, questionInput, type AppFacts } from '../dify/app-facts.ts';
import type { Question } from '../dify/ask.ts';
import type { Dify } from '../dify/dify.ts';
import { placeFiles, type QuestionFile } from '../dify/file-inputs.ts';
import { BridgeError, isModelBusy } from '../errors.ts';
import { sleep } from '../runtime/clock.ts';
import { endingFailure } from './ending-failure.ts';
import { follow, type FollowOptions } from './follow.ts';

/**
 * Most times that one question is posted. Each repeat follows a refusal (Dify ran nothing before it), or the one failure
 * of `mayAskAgain`.
 */
const MAX_POSTS = 4;

/** Until a busy model is asked again. Longer than a stop waits for Dify (3 s): a stop that was asked for ends the pause. */
const BUSY_PAUSE_MS = 5_000;

export interface AskOptions extends FollowOptions {
  dify: Pick<Dify, 'facts' | 'ask' | 'correctType'>;
  question: Omit<Question, 'files'> & { queryInput: string; files?: readonly QuestionFile[] };
  /** Called before each post with the kind of app that is asked. */
  onType?: (type: AppType) => void;
}

/**
 * Asks Dify and folds the events into an answer that has ended.
 *
 * @throws BridgeError with a `dify_…` or `file_…` code, or the reason of `signal`, when the answer did not end. What came
 * until then was given to `onProgress`.
 */
export async function ask(options: AskOptions): Promise<Answer> {
  const { dify, question, signal } = options;
  const facts = await dify.facts();
  let { type, isTypeKnown } = facts;
  let { conversationId } = question;
  let wasBusy = false;
  for (let posts = 0; posts < MAX_POSTS; posts += 1) {
    const { inputs, files } = requestFor({ ...facts, type, isTypeKnown }, question);
    options.onType?.(type);
    const controller = new AbortController();
    const asked = await dify.ask(
      type,
      { query: question.query, inputs, user: question.user, conversationId, files },
      AbortSignal.any([signal, controller.signal]),
    );
    if (asked.ok) {
      const answer = await follow(asked.events, controller, options);
      if (!wasBusy && isTypeKnown && mayAskAgain(type, answer)) {
        wasBusy = true;
        await sleep(options.clock, BUSY_PAUSE_MS, signal);
        continue;
      }
      if (conversationId === null || !isNamelessError(answer)) return answer;
      // Dify 1.13 and 1.14 report a conversation that is gone in this way only.
      conversationId = null;
      continue;
    }
    const { kind, error } = asked.refusal;
    if (kind === 'stale-conversation' && conversationId !== null) {
      conversationId = null;
    } else if (kind === 'wrong-app-type') {
      type = nextType(dify, type, error);
      isTypeKnown = true;
    } else {
      throw error;
    }
  }
  throw new BridgeError('dify_rejected', 'Dify refused the question each time');
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

/** The inputs and files of one post. @throws BridgeError `file_not_accepted` or `dify_input_missing`. */
function requestFor(facts: AppFacts, question: AskOptions['question']): Required<Pick<Question, 'inputs' | 'files'>> {
  const asked = question.files ?? [];
  const { files, inputs: fileInputs, notPlaced } = placeFiles(facts, asked, question.inputs);
  refuseUnplaced(asked, notPlaced);
  const inputs = { ...inputsFor(facts, question), ...fileInputs };
  // Of an app of unknown type Dify itself says which inputs are missing.
  if (facts.isTypeKnown) refuseMissing(facts, inputs);
  return { inputs, files };
}

/** The inputs of one post. In workflow and completion apps the question travels in one of them. */
function inputsFor({ type, inputs: declared }: AppFacts, { query, inputs, queryInput }: AskOptions['question']) {
  if (type !== 'workflow' && type !== 'completion') return inputs;
  const name = questionInput(declared, queryInput);
  return name !== null && inputs[name] === undefined ? { ...inputs, [name]: query } : inputs;
}

/** @throws BridgeError `file_not_accepted`: without the file Dify would answer another question. */
function refuseUnplaced(files: readonly QuestionFile[], unplaced: readonly QuestionFile[]): void {
  if (unplaced.length === 0) return;
  const most = files.length - unplaced.length;
  throw new BridgeError('file_not_accepted', 'the app has no place for a file', { most });
}

/** @throws BridgeError `dify_input_missing` with the names in its facts. */
function refuseMissing({ inputs: declared }: AppFacts, inputs: Readonly<Record<string, unknown>>): void {
  const missing = missingInputs(declared, inputs);
  if (missing.length === 0) return;
  const labels = missing.map(({ label }) => label).join(', ');
  // The asker can send a missing file. Every other missing input is the operator's to configure.
  const areFiles = missing.every(({ file }) => file !== null);
  const facts = areFiles ? { files: labels } : { inputs: labels };
  throw new BridgeError('dify_input_missing', 'the app requires inputs that have no value', facts);
}

function nextType(dify: AskOptions['dify'], wrong: AppType, error: BridgeError): AppType {
  const next = dify.correctType(wrong);
  if (next === null) throw error;
  return next;
}

/** The stream held one event, an error without a code: Dify ran nothing. */
function isNamelessError({ ending, ids, texts }: Answer): boolean {
  return (
    ending?.kind === 'failed' &&
    ending.cause === 'error' &&
    ending.upstreamCode === null &&
    Object.keys(ids).length === 0 &&
    texts.message === ''
  );
}
