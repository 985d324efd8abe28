import type { TurnErrorCode } from '../errors.ts';
import type { MarkdownWords } from '../markdown/dialect.ts';

/** Every sentence a user can see. Both languages have the same keys, or it does not compile. */
export interface Texts {
  help: string;
  newConversation: string;
  /** The answer to `/id`: what an administrator needs for the allow lists. */
  ids: (ids: { staffId: string | null; chatId: string; isGroup: boolean }) => string;
  emptyQuestion: string;
  /** The question of a file that comes without words. */
  askAbout: Record<'picture' | 'audio' | 'video' | 'file', string>;
  /** A message of a kind that is not known. */
  unsupported: string;
  refused: string;
  emptyAnswer: string;
  stopped: string;
  paused: string;
  /** Below a text that was cut off. */
  incomplete: (reference: string) => string;
  /** Where the rest of a long answer is. */
  continuesBelow: string;
  /** On a card that could not be ended in time: the answer came as messages. */
  answeredBelow: string;
  leftOut: (characters: number) => string;
  /** Instead of an answer that DingTalk's content check refused. */
  unsafe: string;
  /** Below an answer: the documents of the knowledge base that it rests on, and how many passages of each. */
  sources: (documents: readonly { name: string; passages: number }[]) => string;
  /** What the app does while there is no text yet. */
  progress: {
    node: (name: string) => string;
    /** `labels` are the tool's names in two languages, where it has them. */
    tool: (name: string, labels: { zh?: string; en?: string } | undefined) => string;
    thinking: string;
  };
  /** A form in the middle of a run. Names, options and titles come from the app, as plain text. */
  form: {
    title: (name: string) => string;
    /** Stands where a field belongs in the form's text. */
    place: (label: string) => string;
    fields: string;
    field: (field: { label: string; required: boolean; options: readonly string[]; preset: string }) => string;
    /** A field that takes files, which cannot be given here. */
    fileField: (label: string) => string;
    actions: string;
    /** How to answer by typing; `example` is a field that can be filled in, if there is any. */
    how: (action: string, example: string | null) => string;
    /** Nobody answered in time. */
    expired: string;
    /** Fields that the answer to a form left out. */
    missing: (labels: readonly string[]) => string;
  };
  /** Instead of how to answer a form that was sent by e-mail only. */
  formByEmail: string;
  thinking: string;
  /** Below a text that goes on to be written somewhere else. */
  continuing: string;
  /** On the card of a question that waits; `place` is how many are before it. */
  queued: (place: number) => string;
  /** To administrators, once for each step of a month. */
  monthReached: (percent: number) => string;
  queueFull: string;
  rateLimited: string;
  /** On a link that stops an answer, the word that it sends, and how to stop by typing in a group. */
  stop: string;
  stopWord: string;
  stopByWord: string;
  stopping: string;
  nothingToStop: string;
  /** What the one who pressed a button reads on the card. */
  notices: {
    received: string;
    stopRequested: string;
    already: string;
    notYours: string;
    notYet: string;
    cardUnknown: string;
    unknownButton: string;
    retryExpired: string;
    noFeedback: string;
    notRated: string;
    rated: (rating: 'like' | 'dislike' | null) => string;
  };
  reference: (reference: string) => string;
  failures: Record<TurnErrorCode, string>;
  /** Named by the operator: an input that the app requires and nobody fills. */
  missingInputs: (names: string) => string;
  /** A file that the app requires and that did not come with the question. */
  missingFiles: (names: string) => string;
  /** Above questions that may be asked next: as links, and as words to type. */
  suggestions: string;
  suggestionsToType: string;
  /** Above questions that the app proposes to somebody new. */
  examples: string;
  examplesToType: string;
  unnamedFile: string;
  /** Files of an answer that did not get into the chat. */
  filesNotSent: (names: readonly string[]) => string;
  filesLeftOut: (count: number) => string;
  /** On a link that asks the same again. */
  retry: string;
  /** Instead of a file that the app does not take: Dify's classes of files that it takes, and extensions. */
  acceptedFiles: (kinds: readonly string[]) => string;
  /** Instead of more files than the app takes at once. */
  mostFiles: (most: number) => string;
  markdown: MarkdownWords;
  /** The robot's name for a message's title where the answer has no words of its own. */
  messageTitle: string;
}
