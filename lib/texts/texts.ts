import type { AdminErrorCode, TurnErrorCode } from '../errors.ts';
import type { MarkdownWords } from '../markdown/dialect.ts';

/** What is said about forms. `number` is that of a form within its conversation. */
export interface FormTexts {
  /** `number` is null where no other form of the conversation is known to the reader. */
  title: (name: string, number: number | null) => string;
  /** In the text of the form, at the place of a field. */
  place: (label: string) => string;
  fields: string;
  /** `isUnresolved`: a choice whose options Dify does not tell. */
  field: (field: {
    label: string;
    required: boolean;
    options: readonly string[];
    preset: string;
    isUnresolved: boolean;
  }) => string;
  /** A field for files: `kinds` are Dify's classes and extensions, `most` how many; or one that takes none from here. */
  fileField: (field: { label: string; required: boolean; kinds: readonly string[]; most: number }) => string;
  fileElsewhere: (label: string) => string;
  actions: string;
  /** How to answer by typing. `example` is a field that can be filled in, or null. */
  how: (action: string, example: string | null, needsMention: boolean) => string;
  /** The last line while a form waits; `untilMs` is null where its time is not known. */
  waiting: (untilMs: number | null) => string;
  /** The last line once it was answered: `by` is a name, or null where it is not known. */
  chosen: (chosen: { action: string; by: string | null; atMs: number }) => string;
  /** The answer was given, and Dify has not taken it yet. */
  submitting: (chosen: { action: string; by: string | null }) => string;
  /** It was answered elsewhere, on a page of Dify or by e-mail. */
  closed: string;
  /** In the place of a name. */
  administrator: string;
  /** The form expired before an answer came; the name may be empty. */
  expired: (name: string) => string;
  /** For a form that Dify sent by e-mail only: it cannot be answered from the chat. The addresses may not be known. */
  byEmail: (addresses: readonly string[]) => string;
  /** In the place of an answer without text. */
  submitted: (action: string) => string;
  /** Fields that the answer to a form left out; of them, those for files; a choice that is not offered. */
  missing: (labels: readonly string[]) => string;
  missingFiles: (labels: readonly string[]) => string;
  wrongOption: (label: string, options: readonly string[]) => string;
  /** A file that no field of the form takes. */
  acceptedFiles: (label: string, kinds: readonly string[]) => string;
  /** A form in a sentence; the title may be empty. */
  named: (title: string, number: number) => string;
  notShownYet: (form: string) => string;
  whichForm: string;
  answered: (form: string, action: string, minutesAgo: number) => string;
  /** `field` is one that the words can fill, or null. */
  belongs: (forms: readonly string[], field: string | null) => string;
  /** `mayChoose`: nothing else is to be filled in. */
  filesKept: (forms: readonly string[], count: number, mayChoose: boolean) => string;
  notYours: (form: string, byButton: boolean) => string;
  /** Above words to type in a group. */
  typeOne: string;
  /** For words that are too long for a link. */
  askLong: string;
  /** What a choice sends: an action of a certain form, the same with words for its field, and words as a question. */
  marked: (action: string, number: number) => string;
  filled: (marked: string, words: string) => string;
  asked: (words: string) => string;
  /** What the links of these choices are called. */
  actionOf: (action: string, form: string) => string;
  withWords: (named: string) => string;
  asQuestion: string;
}

/** Every sentence that a user can see. The compiler checks that both languages have the same keys. */
export interface Texts {
  help: string;
  newConversation: string;
  /** Below `newConversation`: files that waited for words are dropped. */
  heldDropped: (count: number) => string;
  /** The answer to `/id`: the ids that an administrator needs for the allow lists. */
  ids: (ids: { staffId: string | null; chatId: string; isGroup: boolean }) => string;
  emptyQuestion: string;
  /** The question for a file, or a forwarded chat record, that a user sends without words. */
  askAbout: Record<'picture' | 'audio' | 'video' | 'file' | 'record', string>;
  /** The question for several files that a user sends without words. */
  askAboutAll: string;
  /** The answer to files without words: what waits for the user's words, or for a tap on the link. */
  held: (waiting: { pictures: number; videos: number; files: number }, link: string) => string;
  /** On that link. */
  look: string;
  /** The answer to a file beyond the most that are held. */
  mostHeld: (most: number, link: string) => string;
  /** The answer to a tap on that link when nothing waits any more. */
  nothingHeld: string;
  /** The answer to a message of an unknown kind. */
  unsupported: string;
  /** The answer to a document of DingTalk that a person shares. */
  sharedDocument: string;
  /** Below an answer, or instead of one: what could not be read of the message that was quoted or forwarded. */
  quoteProblems: Record<'unread' | 'file' | 'document' | 'record', string>;
  /** Below an answer: what the message, or what it quotes or forwards, holds and could not be fetched. */
  leftOutOfMessage: (
    leftOut: Readonly<Partial<Record<'picture' | 'audio' | 'video' | 'file' | 'record' | 'message', number>>>,
  ) => string;
  refused: string;
  emptyAnswer: string;
  /** For a workflow that is done and put out nothing that can be shown. */
  emptyRun: string;
  /** In the place of an answer that is only files. */
  onlyFiles: string;
  /** Below an answer that begins a new conversation, because Dify does not have the earlier one any more. */
  conversationGone: string;
  /** The last lines of answers that are not complete. */
  stopped: string;
  paused: string;
  incomplete: (reference: string) => string;
  /** Below a text whose answer failed, with the sentence that says why. */
  unfinished: (sentence: string) => string;
  /** On a link that has the app write on, and the word that it sends; the same as words to type in a group. */
  goOn: string;
  goOnWord: string;
  goOnByWord: string;
  /** On a card: the rest of a long answer follows below. */
  continuesBelow: string;
  /** On a card that could not be ended in time: the answer follows as messages. */
  answeredBelow: string;
  leftOut: (characters: number) => string;
  /** In place of an answer that DingTalk's content check refused. */
  unsafe: string;
  /** Below an answer: the documents of the knowledge base that it uses, with the number of passages of each. */
  sources: (documents: readonly { name: string; passages: number }[]) => string;
  /** The step that the app is at while there is no text yet. */
  progress: {
    node: (name: string) => string;
    /** `labels` are the names of the tool in two languages, where Dify has them. */
    tool: (name: string, labels: { zh?: string; en?: string } | undefined) => string;
    thinking: string;
    /** Dify is busy or restarting, and the question waits there. */
    queued: string;
    /** The app works, and none of its steps has been seen. */
    unseen: string;
    /** Where no card shows the text that is being written. */
    writing: string;
  };
  /** A form in the middle of a run. Names, options and titles come from the app, as plain text. */
  form: FormTexts;
  thinking: string;
  /** Below a text that is still being written by another instance, or that has to be fetched from Dify. */
  continuing: string;
  /** On the card of a question that waits. `place` is the number of questions before it. */
  queued: (place: number) => string;
  /** Without a card: the question, in groups with the asker's name, is being worked on, and still is. */
  working: (question: string) => string;
  stillWorking: (question: string) => string;
  /** To the asker in a group: a long answer has ended on its card, whole or not. */
  answered: (question: string) => string;
  notAnswered: (question: string) => string;
  /** Below the last message with text of a model. */
  aiLabel: string;
  /** To administrators, once for each step of the month's budget. */
  monthReached: (percent: number) => string;
  queueFull: string;
  /** The most questions of a person are reached; `againInMs` is when one may ask again. */
  rateLimited: (questions: number, againInMs: number) => string;
  /** On a link that stops an answer; the word that the link sends; how to stop by typing in a group. */
  stop: string;
  stopWord: string;
  stopByWord: string;
  stopping: string;
  nothingToStop: string;
  /** On the card, for the person who pressed a button. */
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
    noReason: string;
    reasonTaken: string;
  };
  /** For whom a form waits, where a press does not tell the name. */
  whoAsked: string;
  /** Why an answer is no good, for the people who read it in Dify. */
  reasons: Record<'wrong' | 'incomplete' | 'outdated' | 'other', string>;
  /** Behind a sentence. */
  reference: (reference: string) => string;
  failures: Record<TurnErrorCode, string>;
  /** In the place of a sentence of `failures`, where administrators have been told. */
  toldAdmins: Record<AdminErrorCode, string>;
  /** To administrators: what is wrong and where to mend it; and the whole notice. `robot` is its name in `BOTS`. */
  adminNotice: Record<AdminErrorCode, string>;
  adminNoticeOf: (told: { robot: string | null; notice: string; reference: string }) => string;
  /** The inputs that the app requires and that no setting or message fills. */
  missingInputs: (names: string) => string;
  /** A value that an input of the app does not take: too long a text, a choice that is not offered, or another type. */
  inputTooLong: (input: string, maxChars: number, chars: number) => string;
  inputNotOffered: (input: string, options: string) => string;
  inputOfWrongType: (input: string) => string;
  /** A file over this limit, in whole megabytes. */
  fileTooLarge: (megabytes: number) => string;
  /** The files that the app requires and that did not come with the question. */
  missingFiles: (names: string) => string;
  /** Above questions that the reader may ask next: as links, and as words to type. */
  suggestions: string;
  suggestionsToType: string;
  /** Above the example questions of a new conversation: as links, and as words to type. */
  examples: string;
  examplesToType: string;
  unnamedFile: string;
  /** The files of an answer that were not sent. */
  filesNotSent: (names: readonly string[]) => string;
  filesLeftOut: (count: number) => string;
  /** On a link that asks the same question again. */
  retry: string;
  /** On a link that begins a new conversation, and the word that it sends. */
  startAnew: string;
  newWord: string;
  /** When the app does not take a file: the classes of files (Dify's) and the extensions that it takes. */
  acceptedFiles: (kinds: readonly string[]) => string;
  /** When a message has more files than the app takes at once. */
  mostFiles: (most: number) => string;
  markdown: MarkdownWords;
  /** The robot's name for a message's title where the answer has no words of its own. */
  messageTitle: string;
  /** The line in the chat list while there is no text of the answer. */
  answering: (question: string) => string;
  /** On a card in a group: whose question it answers. */
  questionOf: (name: string, question: string) => string;
}
