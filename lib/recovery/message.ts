import { emptyAnswer, type Answer } from '../answer/answer.ts';
import type { RunIds } from '../answer/event.ts';
import type { MessageRecord } from '../dify/records.ts';
import { BridgeError } from '../errors.ts';
import { sleep } from '../runtime/clock.ts';
import { CLOCK_SLACK_MS, LONGEST_RUN_MS, lookPause, retrying, type LostRun, type Search } from './search.ts';

/** How long this instance waits for an empty answer that is made in the process of the request: Dify saves it soon or never. */
const SAVING_MS = 15_000;

/** An agent whose steps have not changed for so long counts as ended: a long last text is saved only at its end. */
const AGENT_QUIET_MS = 120_000;

/** Where it is not known whether a run goes on without its client, the message of a chatflow is waited for no longer. */
const DOUBTFUL_MS = 60_000;

/** How often the message of a run that has ended is asked for again: only it tells what moderation has replaced. */
const MESSAGE_RETRIES = 2;

/** The message can appear a little later than its first event, and later still where a worker has to be free first. */
const LOOKS_FOR_ABSENT = { easy: 3, flow: 6 };

interface Found {
  conversationId: string;
  message: MessageRecord;
}

/** The answer as the conversation keeps it; null when it keeps none. */
export async function recoverMessage(search: Search): Promise<Answer | null> {
  const { run, clock, signal } = search;
  const absentLooks = run.type === 'chatflow' ? LOOKS_FOR_ABSENT.flow : LOOKS_FOR_ABSENT.easy;
  let mark = '';
  let changedAtMs = clock.now();
  for (let look = 0; ; look += 1) {
    const found = await retrying(search, () => findMessage(search));
    if (found && isSettled(found.message)) return answerOf(run, found);
    const newMark = found?.message.thoughts?.mark ?? '';
    if (newMark !== mark) changedAtMs = clock.now();
    mark = newMark;
    const waitMs = patience(run, found);
    search.isRunning = found !== null && waitMs > SAVING_MS;
    const untilMs = Math.min(changedAtMs + waitMs, run.askedAtMs + LONGEST_RUN_MS);
    if (clock.now() + lookPause(look) > untilMs || (!found && look + 1 >= absentLooks)) return null;
    await sleep(clock, lookPause(look), signal);
  }
}

/** How long an empty answer is waited for since it last changed. */
function patience({ type, isTypeKnown, ids, version }: LostRun, found: Found | null): number {
  // A chatflow may go on in a worker although its run id is not on record.
  if (type === 'chatflow' && ids.runId === undefined)
    return version.runsSurvive === true ? LONGEST_RUN_MS : DOUBTFUL_MS;
  const isAgent = type === 'agent' || (!isTypeKnown && (found?.message.thoughts ?? null) !== null);
  if (isAgent && version.agentsSurvive !== false) return AGENT_QUIET_MS;
  // Without its client a chat's answer is never saved. One that was saved before is there at the first look.
  return type === 'chat' && isTypeKnown ? 0 : SAVING_MS;
}

/**
 * What only the message of a chatflow has: citations, files, and the text as moderation left it. Null when there is no
 * message, or when it cannot be read.
 */
export async function messageOf(search: Search, ids: RunIds): Promise<MessageRecord | null> {
  const { conversationId } = ids;
  if (conversationId === undefined) return null;
  try {
    const { run, records, signal } = search;
    const ask = () => records.messages(conversationId, run.user, signal);
    const messages = await retrying(search, ask, MESSAGE_RETRIES);
    return messages && matching(messages, { ...run, ids });
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    search.log.debug('recovered_without_message', { code: error.code });
    return null;
  }
}

async function findMessage(search: Search): Promise<Found | null> {
  const { records, run, signal } = search;
  for await (const conversationId of conversationsOf(search)) {
    const messages = await records.messages(conversationId, run.user, signal);
    const message = messages && matching(messages, run);
    if (message) return { conversationId, message };
  }
  return null;
}

/**
 * The conversations that may hold the message: the one on record first, then those that began or went on since the
 * question. Dify 1.15 can start a new conversation without a sign (`docs/wire-dify.md`).
 */
async function* conversationsOf({ records, run, signal }: Search): AsyncGenerator<string, void, undefined> {
  const { conversationId, messageId } = run.ids;
  if (conversationId !== undefined) yield conversationId;
  if (messageId !== undefined) return;
  for (const { id, updatedAtMs } of await records.conversations(run.user, signal)) {
    if (id !== conversationId && updatedAtMs >= run.askedAtMs - CLOCK_SLACK_MS) yield id;
  }
}

function matching(messages: readonly MessageRecord[], { ids, question, askedAtMs }: LostRun): MessageRecord | null {
  const named = messages.find(({ id }) => id === ids.messageId);
  if (named) return named;
  const asked = messages.filter(
    ({ query, createdAtMs }) => isOf(question.trim(), query.trim()) && createdAtMs >= askedAtMs - CLOCK_SLACK_MS,
  );
  return asked.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0] ?? null;
}

/** Dify has the question below the words that it refers to, as one quoted block. */
const isOf = (question: string, query: string) =>
  query === question || (query.startsWith('>') && query.endsWith(`\n\n${question}`));

function isSettled({ answer, status, thoughts }: MessageRecord): boolean {
  return answer !== '' || status !== 'normal' || thoughts?.isWhole === true;
}

function answerOf({ type, ids }: LostRun, { conversationId, message }: Found): Answer {
  const { id, answer, thoughts, status, reason, citations, files } = message;
  const failed = {
    kind: 'failed',
    cause: type === 'chatflow' ? 'run' : 'error',
    upstreamCode: null,
    status: null,
    reason,
  } as const;
  return {
    ...emptyAnswer,
    ids: { ...ids, conversationId, messageId: id },
    texts: { message: answer || (thoughts?.text ?? ''), agent: '', chunk: '' },
    citations,
    files,
    progress: { runStarted: false, messageEnded: true, runEnded: true },
    ending: status === 'error' ? failed : { kind: status === 'paused' ? 'paused' : 'complete' },
  };
}
