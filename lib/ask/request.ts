import { missingInputs, questionInput, wrongInput, type AppFacts } from '../dify/app-facts.ts';
import type { Question } from '../dify/ask.ts';
import { placeFiles, type QuestionFile } from '../dify/file-inputs.ts';
import { BridgeError } from '../errors.ts';

/** A question before it is known what the app takes. */
export interface AskedQuestion extends Pick<Question, 'query' | 'inputs'> {
  queryInput: string;
  files?: readonly QuestionFile[];
}

/** The choices that a sentence has room for. */
const MAX_NAMED_OPTIONS = 10;

/**
 * The inputs and files of one post. What the app would refuse is found here: a chatflow or workflow refuses by silence.
 *
 * @throws BridgeError `file_not_accepted`, `dify_input_missing` or `dify_input_invalid`.
 */
export function requestFor(facts: AppFacts, question: AskedQuestion): Required<Pick<Question, 'inputs' | 'files'>> {
  const asked = question.files ?? [];
  const { files, inputs: fileInputs, notPlaced } = placeFiles(facts, asked, question.inputs);
  refuseUnplaced(asked, notPlaced);
  const inputs = { ...inputsFor(facts, question), ...fileInputs };
  // Of an app of unknown type Dify itself says which inputs are missing.
  if (facts.isTypeKnown) refuseMissing(facts, inputs);
  refuseWrong(facts, inputs);
  return { inputs, files };
}

/** The inputs of one post. In workflow and completion apps the question travels in one of them. */
function inputsFor({ type, inputs: declared }: AppFacts, { query, inputs, queryInput }: AskedQuestion) {
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

/** @throws BridgeError `dify_input_missing`, which names them. */
function refuseMissing({ inputs: declared }: AppFacts, inputs: Readonly<Record<string, unknown>>): void {
  const missing = missingInputs(declared, inputs);
  if (missing.length === 0) return;
  const labels = missing.map(({ label }) => label);
  // The asker can send a missing file. Every other missing input is the operator's to configure.
  const areFiles = missing.every(({ file }) => file !== null);
  const named = areFiles ? { missingFiles: labels } : { missing: labels };
  throw new BridgeError('dify_input_missing', 'the app requires inputs that have no value', {}, undefined, named);
}

/** @throws BridgeError `dify_input_invalid`, which names the input and what it is limited to. */
function refuseWrong({ inputs: declared }: AppFacts, inputs: Readonly<Record<string, unknown>>): void {
  const wrong = wrongInput(declared, inputs);
  if (!wrong) return;
  const { label, limit } = wrong;
  const options = limit && 'options' in limit ? limit.options.slice(0, MAX_NAMED_OPTIONS) : null;
  const facts = limit && 'chars' in limit ? limit : {};
  const named = { label, ...(options ? { options } : {}) };
  throw new BridgeError('dify_input_invalid', 'the app does not take the value of an input', facts, undefined, named);
}
