import type { TurnErrorCode } from '../errors.ts';
import type { MarkdownWords } from '../markdown/dialect.ts';
import { en } from './en.ts';
import { zhCN } from './zh-CN.ts';

export type Language = 'zh-CN' | 'en';

/** Every sentence a user can see. Both languages have the same keys, or it does not compile. */
export interface Texts {
  help: string;
  newConversation: string;
  /** The answer to `/id`: what an administrator needs for the allow lists. */
  ids: (ids: { staffId: string | null; chatId: string; isGroup: boolean }) => string;
  emptyQuestion: string;
  /** A message of a kind that cannot be answered yet, by kind. */
  unsupported: Record<'picture' | 'audio' | 'video' | 'file' | 'unknown', string>;
  refused: string;
  emptyAnswer: string;
  stopped: string;
  paused: string;
  /** Below a text that was cut off. */
  incomplete: (reference: string) => string;
  /** Where the rest of a long answer is. */
  continuesBelow: string;
  leftOut: (characters: number) => string;
  /** Instead of an answer that DingTalk's content check refused. */
  unsafe: string;
  /** Below an answer: the documents of the knowledge base that it rests on. */
  sources: (names: readonly string[]) => string;
  thinking: string;
  /** Below a text that goes on to be written somewhere else. */
  continuing: string;
  /** On the card of a question that waits; `place` is how many are before it. */
  queued: (place: number) => string;
  /** To administrators, once for each step of a month. */
  monthReached: (percent: number) => string;
  queueFull: string;
  rateLimited: string;
  stopping: string;
  nothingToStop: string;
  reference: (reference: string) => string;
  failures: Record<TurnErrorCode, string>;
  /** Named by the operator: an input that the app requires and nobody fills. */
  missingInputs: (names: string) => string;
  markdown: MarkdownWords;
  /** The robot's name for a message's title where the answer has no words of its own. */
  messageTitle: string;
}

const languages: Record<Language, Texts> = { 'zh-CN': zhCN, en };

export function textsFor(language: Language): Texts {
  return languages[language];
}
