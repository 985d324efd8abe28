// What must hold whatever came in.
import type { FuzzWorld } from './world.ts';

/** More than the longest honest answer takes: frames get rarer the longer it is. */
const MOST_CALLS = 600;

/** DingTalk's own limits of a frame and of a message. */
const MOST_CARD_CHARS = 20_000;

/** Statuses that the contract names for a request that was read. */
const STATUSES = new Set([200, 400, 401, 413]);

export class Finding extends Error {
  override readonly name = 'Finding';
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Finding(what);
}

/** No crash: nothing unexpected was thrown, nothing was left behind, and the answer is one of the contract. */
export function judgeHealth(world: FuzzWorld, statuses: readonly number[]): void {
  const { faults, lines, calls, cards } = world;
  hold(faults.length === 0, faults.join('; '));
  const crash = lines.find(({ code, event }) => code === 'internal' && event !== 'turn_unreadable');
  hold(crash === undefined, `crashed: ${JSON.stringify(crash)}`);
  const wrong = statuses.find((status) => !STATUSES.has(status));
  hold(wrong === undefined, `answered with ${wrong}`);
  hold(calls.length <= MOST_CALLS, `${calls.length} calls`);
  for (const { text } of cards.values()) hold(text.length <= MOST_CARD_CHARS, `a card of ${text.length} characters`);
}

const isQuestion = ({ event, kind }: Record<string, unknown>) =>
  event === 'message_accepted' && (kind === 'question-started' || kind === 'question-queued');

/** One visible outcome: each card was ended once, and a question has its card, a message, or a line that says why not. */
export function judgeOutcome({ lines, cards, messages }: FuzzWorld): void {
  const left = [...cards.values()].find(({ state }) => state === 'open');
  hold(left === undefined, `the card ${left?.id} was never ended`);
  const questions = lines.filter(isQuestion).length;
  const refused = lines.filter(({ event }) => event === 'message_not_sent' || event === 'card_not_ended').length;
  hold(cards.size + messages.length + refused >= questions, `${questions} questions, nothing to be seen`);
  hold(cards.size <= questions, `${cards.size} cards of ${questions} questions`);
  hold(lines.filter(({ event }) => event === 'turn_finished').length >= questions, 'a turn was not finished');
}
