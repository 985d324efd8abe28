import type { SpendingLevel } from '../state/budget.ts';
import type { ConversationContext } from '../state/state.ts';
import type { Conversation } from './conversation.ts';
import type { TurnPayload, TurnProgress } from './record.ts';

/** One question, from accepted to answered. */
export interface Turn extends TurnPayload {
  /** Also the card's id, so that however often a turn is begun there is one card. */
  id: string;
  /** Short, in the log and in what users see of a failure. */
  reference: string;
  conversation: Conversation;
  /** The context is null while the store is down: the question is answered from here alone, without memory. */
  record: { claim: number; owner: string; hop: number; context: ConversationContext | null };
  /** How freely it may spend DingTalk calls. */
  level: SpendingLevel;
  progress: TurnProgress | null;
  /** It has waited, so that whoever accepted it is opening (or has opened) its card. */
  hasWaited: boolean;
  /** How long the store took to accept it, in milliseconds; null for a turn that somebody else had accepted. */
  acceptMs: number | null;
  /** Then the answer is looked for and never asked for again: that would be a second run. */
  mayHaveBeenAsked: boolean;
}
