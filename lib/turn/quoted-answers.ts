import { answerText, emptyAnswer, type Answer } from '../answer/answer.ts';
import type { Missed } from '../ask/quote.ts';
import type { Dify } from '../dify/dify.ts';
import type { Message } from '../dingtalk/callback.ts';
import { addLeftOut } from '../dingtalk/message-kinds.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import { readAnswered, type AnsweredTurn } from './answered.ts';
import { askerOf } from './conversation.ts';
import type { Turn } from './turn.ts';

/** Own answers that a message quotes by nothing but the name of their card. */
export interface QuotedAnswers {
  /** The text of the answer without its reasoning; null where there is none that the asker may read. Never rejects. */
  find(cardKey: string, turn: Pick<Turn, 'message' | 'reference'>, signal: AbortSignal): Promise<string | null>;
}

export interface QuotedAnswerOptions {
  state: Pick<State, 'receiptOf'>;
  dify: { records: Pick<Dify['records'], 'message' | 'run'> };
  log: Log;
}

/** The record says which answer a card shows; its text is asked of Dify, because nothing keeps it here. */
export function createQuotedAnswers({ state, dify: { records }, log }: QuotedAnswerOptions): QuotedAnswers {
  return {
    async find(cardKey, { message, reference }, signal) {
      try {
        const answered = readAnswered(await state.receiptOf(cardKey));
        if (!answered || !isSameChat(answered, message)) return null;
        return (await textOf(answered, signal)) || null;
      } catch (error) {
        log.warn('quote_not_found', { turn: reference, ...errorFields(error) });
        return null;
      }
    },
  };

  async function textOf({ ids, appType, user }: AnsweredTurn, signal: AbortSignal): Promise<string> {
    const { conversationId, messageId, runId } = ids;
    if (conversationId !== undefined && messageId !== undefined && appType !== 'completion') {
      const found = await records.message({ conversationId, messageId, user }, signal);
      const text = found ? shownText({ texts: { ...emptyAnswer.texts, message: found.answer } }) : '';
      if (text !== '') return text;
    }
    if (runId === undefined) return '';
    const run = await records.run(runId, signal);
    if (typeof run === 'string') return '';
    const { answer } = run.outputs;
    const isChatflow = appType === 'chatflow' && typeof answer === 'string';
    return shownText(isChatflow ? { texts: { ...emptyAnswer.texts, message: answer } } : { outputs: run.outputs });
  }
}

const shownText = (said: Partial<Answer>) =>
  answerText({ ...emptyAnswer, ...said, ending: { kind: 'complete' } }).text.trim();

/**
 * The signature of a callback does not cover its body, so the name of a card proves nothing. An answer is read where it was
 * given, in a single chat by the person who has it. Whether the asker may ask there was decided before.
 */
function isSameChat(answered: AnsweredTurn, message: Message): boolean {
  const { chat } = answered;
  if (chat.id !== message.chat.id || chat.isGroup !== message.chat.isGroup) return false;
  return chat.isGroup || askerOf(answered) === askerOf(message);
}

/** The lines below an answer that say what it could not take into account of the message and of what that refers to. */
export function missedNotes(
  { quoted, leftOut = {} }: Pick<Message, 'quoted' | 'leftOut'>,
  missed: Missed | undefined,
  texts: Texts,
): string[] {
  const isFound = quoted?.cardKey !== undefined && !missed?.answer;
  const problem = quoted?.problem && !isFound ? [texts.quoteProblems[quoted.problem]] : [];
  const left = addLeftOut(leftOut, missed?.leftOut ?? {});
  return [...problem, ...(Object.keys(left).length > 0 ? [texts.leftOutOfMessage(left)] : [])];
}
