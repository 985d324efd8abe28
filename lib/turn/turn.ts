import type { RunIds } from '../answer/event.ts';
import type { FormSubmission } from '../ask/form.ts';
import type { AppType } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';
import type { SpendingLevel } from '../state/budget.ts';
import type { Missed } from '../ask/quote.ts';
import type { ConversationContext } from '../state/told.ts';

/** Everything needed to answer a message, as it is kept until the answer is there. */
export interface TurnPayload {
  message: Message;
  question: string;
  acceptedAtMs: number;
  /** The question is an answer to a form, given by a button; null for an ordinary one. */
  form: FormSubmission | null;
  /** Files that were sent before the question and held for it, in the order in which they came. */
  held?: readonly SentFile[] | undefined;
  /** Files that were sent before the question were held for too long: it is answered without them. */
  heldIsOver?: boolean | undefined;
}

/** How far a running answer got: enough for another instance to end its card. */
export interface TurnProgress {
  /** Whether the card is there; null while that is not known. */
  hasCard: boolean | null;
  /** The answer's text so far, as Dify wrote it. */
  text: string;
  ids: RunIds;
  appType: AppType | null;
  /** DingTalk calls so far that count for the organisation's month. */
  calls: number;
  /**
   * The form that the turn answers, once that is certain; null for an ordinary question. Dify shows its run only to `user`,
   * and the run's text begins with the characters that were shown before the form.
   */
  form:
    | (Pick<FormSubmission, 'user' | 'shownChars'> & {
        /** The form, and its action by its title. An instance of an earlier version notes neither. */
        token?: string | undefined;
        action?: string | undefined;
      })
    | null;
  /** The answer came in another conversation than the one that was asked in: Dify does not have that one any more. */
  isAnew: boolean;
  // Instances of an earlier version do not know what follows, and leave it out when they write.
  /** When Dify was asked; a question may have waited before. */
  askedAtMs?: number | undefined;
  /** When the last event of the answer came. */
  eventAtMs?: number | undefined;
  /** Moderation replaced the answer: `text` is what it put in its place, and Dify's outputs hold what was blocked. */
  isReplaced?: boolean | undefined;
  /** The question was asked once more, because its first answer was lost. Written before it is asked. */
  isAskedAgain?: boolean | undefined;
  /** The question has waited, so its card quotes it. */
  isQuoted?: boolean | undefined;
  /** What DingTalk calls the card in a message that quotes it. */
  cardKey?: string | undefined;
  /** So many of the messages that say, without a card, that the question is being worked on have had their time. */
  toldWaiting?: number | undefined;
  /** What Dify did not get of the message that the question refers to. */
  missed?: Missed | undefined;
}

/** One question, from accepted to answered. */
export interface Turn extends TurnPayload {
  /** Also the card's id, so that however often a turn is begun there is one card. */
  id: string;
  /** Short, in the log and in what users see of a failure. */
  reference: string;
  conversationKey: string;
  /**
   * Whom Dify knows the asker as, in every call about this turn. For a form that is answered by a button it is the person
   * whom the run was started for, also when an administrator pressed: Dify shows the run and its message to that person
   * only.
   */
  user: string;
  /** The context is null while the store is down: the question is answered from here alone, without memory. */
  record: { fence: number; owner: string; hop: number; context: ConversationContext | null };
  /** How freely it may spend DingTalk calls. */
  level: SpendingLevel;
  progress: TurnProgress | null;
  /** It has waited, so that the instance that accepted it is opening (or has opened) its card. */
  hasWaited: boolean;
  /** How long the store took to accept it, in milliseconds; null for a turn that another instance accepted. */
  acceptMs: number | null;
  /** Dify may have been asked: then the answer is looked for first, because asking would start a second run. */
  mayHaveBeenAsked: boolean;
  /** It was stopped before this instance took it over. */
  isStopped: boolean;
}
