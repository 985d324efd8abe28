import { answerText, emptyAnswer, type Answer } from '../answer/answer.ts';
import type { MessageRecord } from '../dify/records.ts';
import { BridgeError } from '../errors.ts';
import { sleep } from '../runtime/clock.ts';
import { lookPause, retrying, type LostRun, type Search } from './search.ts';

/** The clocks of Dify and of this machine may differ, and Dify keeps whole seconds. */
const CLOCK_SLACK_MS = 5_000;

/** How long this instance waits for an empty answer that is made in the process of the request: Dify saves it soon or never. */
const SAVING_MS = 15_000;

/** Dify's own limit for a run (`docs/wire-dify.md`). An answer of a chatflow that is empty then stays empty. */
const RUN_LIMIT_MS = 1_200_000;

/** The message can appear a little later than its first event. */
const LOOKS_FOR_ABSENT = 3;

interface Found {
  conversationId: string;
  message: MessageRecord;
}

/** The answer as the conversation keeps it; null when it keeps none. */
export async function recoverMessage(search: Search): Promise<Answer | null> {
  const { run, clock, signal } = search;
  const beganAtMs = clock.now();
  // A chatflow may go on in a worker although its run id is not on record.
  const mayRun = run.type === 'chatflow' && run.ids.runId === undefined;
  for (let look = 0; ; look += 1) {
    const found = await retrying(search, () => findMessage(search));
    if (found && isSettled(found.message)) return answerOf(run, found);
    search.isRunning = mayRun && found !== null;
    const untilMs = search.isRunning ? run.askedAtMs + RUN_LIMIT_MS : beganAtMs + SAVING_MS;
    if (clock.now() + lookPause(look) > untilMs || (!found && look + 1 >= LOOKS_FOR_ABSENT)) return null;
    await sleep(clock, lookPause(look), signal);
  }
}

/**
 * Adds to a chatflow's answer what only its message has: citations, files, and the text of a run without outputs. An
 * answer whose message is not found stays as it is.
 */
export async function withMessage(search: Search, answer: Answer): Promise<Answer> {
  const { conversationId } = answer.ids;
  if (search.run.type !== 'chatflow' || conversationId === undefined) return answer;
  try {
    const { run, records, signal } = search;
    const messages = await records.messages(conversationId, run.user, signal);
    const message = messages && matching(messages, { ...run, ids: answer.ids });
    if (!message) return answer;
    return {
      ...answer,
      ids: { ...answer.ids, messageId: message.id },
      texts: answerText(answer).text === '' ? { ...answer.texts, message: message.answer } : answer.texts,
      citations: answer.citations.length > 0 ? answer.citations : message.citations,
      files: answer.files.length > 0 ? answer.files : message.files,
    };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    search.log.debug('recovered_without_message', { code: error.code });
    return answer;
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
    ({ query, createdAtMs }) => query.trim() === question.trim() && createdAtMs >= askedAtMs - CLOCK_SLACK_MS,
  );
  return asked.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0] ?? null;
}

function isSettled({ answer, status }: MessageRecord): boolean {
  return answer !== '' || status !== 'normal';
}

function answerOf({ type, ids }: LostRun, { conversationId, message }: Found): Answer {
  const { id, answer, status, citations, files } = message;
  const failed = {
    kind: 'failed',
    cause: type === 'chatflow' ? 'run' : 'error',
    upstreamCode: null,
    status: null,
  } as const;
  return {
    ...emptyAnswer,
    ids: { ...ids, conversationId, messageId: id },
    texts: { message: answer, agent: '', chunk: '' },
    citations,
    files,
    progress: { runStarted: false, messageEnded: true, runEnded: true },
    ending: status === 'error' ? failed : { kind: status === 'paused' ? 'paused' : 'complete' },
  };
}
