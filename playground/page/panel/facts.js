/**
 * What can be said of one answer, from everything that was seen.
 *
 * @typedef {import('../model.js').Model} Model
 * @typedef {import('../model.js').QuestionItem} QuestionItem
 * @typedef {import('../model.js').TapItem} TapItem
 * @typedef {import('../model.js').Call} Call
 */

/** The function names its address to DingTalk once for an instance; that is no call of one answer. */
const REGISTRATION = 'callbacks/register';
/** Calls a month of DingTalk's free edition (标准版). */
const FREE_CALLS = 5_000;

/**
 * @param {Model} model
 * @param {QuestionItem | TapItem} question
 */
export function factsOf(model, question) {
  const calls = model.calls().filter((call) => call.question === question.id);
  const answers = model.answersTo(question.id);
  const card = answers.find((item) => item.kind === 'card');
  const messages = answers.filter((item) => item.kind === 'message');
  const frames = card ? model.framesOf(card.id) : [];
  const counted = calls.filter((call) => call.counted && call.name !== REGISTRATION).length;
  const registrations = calls.filter((call) => call.counted && call.name === REGISTRATION).length;
  // A message beside a card is a greeting or a file, not the answer's first words.
  const firstWords = card ? frames.find(({ content }) => content !== '')?.at : messages[0]?.at;
  const lastMessageAt = messages.at(-1)?.at ?? null;
  const hasFinished = model.logs().some((line) => line.question === question.id && isEnd(line.fields['event']));
  const endedAt = Math.max(card?.endedAt ?? 0, lastMessageAt ?? 0);
  // Most taps bring no answer; then they are done when the function has answered them.
  const isTapDone = question.kind === 'tap' && typeof question.deliveries[0]?.status === 'number';
  const isRunning = card ? card.endedAt === null && !hasFinished : endedAt === 0 && !hasFinished && !isTapDone;
  const dify = calls.find((call) => call.service === 'dify' && call.firstByteMs !== null);
  return {
    calls,
    card,
    messages,
    frames,
    counted,
    registrations,
    logged: loggedOf(model, question.id),
    answersAMonth: counted === 0 ? null : Math.floor(FREE_CALLS / counted),
    ackMs: question.deliveries[0]?.ms ?? null,
    firstWordsMs: firstWords === undefined ? null : firstWords - question.at,
    endMs: endedAt === 0 || isRunning ? null : endedAt - question.at,
    difyFirstByteMs: dify ? dify.at + (dify.firstByteMs ?? 0) - question.at : null,
    storeRequests: calls.filter((call) => call.service === 'store').length,
    characters: Array.from(card?.content ?? messages.map(({ text }) => text).join('')).length,
    isRunning,
    outcome: outcomeOf(card?.phase ?? null, messages.length, isRunning, question.kind === 'tap'),
  };
}

/**
 * The numbers of the log's `turn_finished`, and the code of what failed.
 *
 * @param {Model} model
 * @param {string} question
 */
function loggedOf(model, question) {
  const lines = model.logs().filter((line) => line.question === question);
  const ended = lines.findLast(({ fields }) => fields['event'] === 'turn_finished')?.fields;
  const row = lines.findLast(({ fields }) => typeof fields['row'] === 'string')?.fields['row'];
  /** @param {string} name */
  const number = (name) => (typeof ended?.[name] === 'number' ? ended[name] : null);
  return {
    calls: number('calls'),
    frames: number('frames'),
    storeRequests: number('storeRequests'),
    acceptMs: number('acceptMs'),
    firstTextMs: number('firstTextMs'),
    totalMs: number('totalMs'),
    row: typeof row === 'string' ? row : null,
  };
}

/** @param {unknown} event */
const isEnd = (event) => event === 'turn_finished' || event === 'turn_crashed' || event === 'message_refused';

/**
 * @param {string | null} phase
 * @param {number} messages
 * @param {boolean} isRunning
 * @param {boolean} isTap
 * @returns {'running' | 'card' | 'failedCard' | 'message' | 'tap' | 'duplicate'}
 */
function outcomeOf(phase, messages, isRunning, isTap) {
  if (isRunning) return 'running';
  if (phase === 'failed') return 'failedCard';
  if (phase !== null) return 'card';
  if (messages > 0) return 'message';
  return isTap ? 'tap' : 'duplicate';
}
