import { AsyncLocalStorage } from 'node:async_hooks';
import { turnIdOf } from '../../lib/turn/record.ts';
import { keepNewest } from '../http/newest.ts';
import type { Life } from './life.ts';
import type { Trouble } from './protocol.ts';

/**
 * What belongs to one delivered callback and to all the work that follows from it. Carried along by the runtime, so
 * that the function itself needs to know nothing of being watched, and answers at the same time are told apart.
 */
export interface Watch {
  /** The message's id; known from the moment it is claimed in the store. */
  question: string | null;
  /** The switches as they were when the question came. */
  trouble: Trouble;
  /** Of a function that is going to be killed in mid-answer; null for one that lives. */
  life: Life | null;
}

export const watching = new AsyncLocalStorage<Watch>();

export const watchedQuestion = (): string | null => watching.getStore()?.question ?? null;
export const watchedLife = (): Life | null => watching.getStore()?.life ?? null;
export const isTroubled = (name: keyof Trouble): boolean => watching.getStore()?.trouble[name] ?? false;

/**
 * On the callback of a tap: whose tap it is. The body cannot tell two taps on the same button apart; what the function
 * knows nothing of does not change what it does.
 */
export const TAP_HEADER = 'x-playground-tap';

/** Questions by the turn that the function makes of them; the oldest are forgotten. */
const questions = new Map<string, string>();
const MAX_QUESTIONS = 2_000;

export function noteQuestion(messageId: string): void {
  noteTurn(turnIdOf(messageId), messageId);
}

export function noteTurn(turnId: string, question: string): void {
  questions.set(turnId, question);
  keepNewest(questions, MAX_QUESTIONS);
}

export const questionOfTurn = (turnId: string): string | undefined => questions.get(turnId);
