import type { Answer } from '../answer/answer.ts';
import { questionLines } from '../answer/links.ts';
import { closedFormView, finalView, type ClosedFormText, type ViewOptions } from '../answer/view.ts';
import type { AppType, RobotConfig } from '../config/robot.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Texts } from '../texts/texts.ts';
import { formVariables, NO_FORM, OWN_VARIABLES, suggestionsOf } from './card-variables.ts';
import type { MessageSink } from './sink.ts';

/** An answer that has been shown. */
export interface FinishedAnswer {
  turn: {
    /** Also the card's id. */
    id: string;
    reference: string;
    isGroup: boolean;
    /** Whom Dify knows the asker as. */
    user: string;
    /** The asker's name in DingTalk; empty where a press does not tell it. */
    asker: string;
    /** Whether the month allows a call that only adds to the answer. */
    maySpend: boolean;
  };
  answer: Answer;
  view: ViewOptions;
  /** What a tap below a sentence of this bridge sends; empty below an answer. */
  choices: readonly string[];
  onCard: boolean;
}

/**
 * What is shown below an answer afterwards: questions to ask next, or the fields of a form. The turn does not wait for
 * it.
 */
export interface FollowUps {
  /** What will be shown, and the DingTalk calls that it will take; null for nothing. Never rejects. */
  plan(finished: FinishedAnswer): Promise<{ calls: number; show: () => Promise<void> } | null>;
  /** Puts the line of a stopped answer below one that was shown as complete. Never rejects. */
  markStopped(finished: FinishedAnswer, line: string): Promise<void>;
  /** Says on the card of a form what became of it, and takes its links and buttons away. Never rejects. */
  closeForm(closed: ClosedForm): Promise<void>;
}

/** A form that is over. */
export interface ClosedForm extends ClosedFormText {
  reference: string;
  /** The card that shows it. */
  cardId: string;
  /** The asker of this turn pressed its button, and reads since then that the choice is being submitted. */
  isPressed: boolean;
}

export interface FollowUpsOptions {
  robot: RobotConfig;
  texts: Texts;
  facts: () => Promise<{ type: AppType; suggestsQuestions: boolean }>;
  suggest: (messageId: string, user: string) => Promise<string[]>;
  /**
   * Changes variables of a card that has ended; `own` are those that the asker of this turn alone sees.
   *
   * @throws BridgeError when they were not changed.
   */
  amend: (
    cardId: string,
    variables: Readonly<Record<string, string>>,
    own?: Readonly<Record<string, string>>,
  ) => Promise<void>;
  reply: MessageSink;
  log: Log;
}

/** About what suggested questions take below a text, in characters. */
const ROOM_CHARS = 200;

const CHATS: ReadonlySet<AppType> = new Set(['chat', 'agent', 'chatflow']);

export function createFollowUps({ robot, texts, facts, suggest, amend, reply, log }: FollowUpsOptions): FollowUps {
  const { cardButtons, cardContentKey, cardMaxChars } = robot.dingtalk;
  const { showThinking } = robot;
  const textOn = ({ answer, view }: FinishedAnswer, notes: readonly string[]) =>
    finalView(answer, notes, true, view).card ?? '';

  async function logged<T>(work: () => Promise<T>, { reference }: { reference: string }): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      log.warn('extras_failed', { turn: reference, ...errorFields(error) });
      return undefined;
    }
  }

  /** What a template with buttons shows; null where this card has none. */
  const onButtons = ({ turn, onCard }: FinishedAnswer, variables: Readonly<Record<string, string>>) =>
    onCard && cardButtons ? { calls: 1, show: () => logged(() => amend(turn.id, variables), turn) } : null;

  return {
    plan: async (finished) => (await logged(() => planOf(finished), finished.turn)) ?? null,
    markStopped: (finished, line) =>
      logged(() => amend(finished.turn.id, { [cardContentKey]: textOn(finished, [line]) }), finished.turn),
    closeForm: ({ reference, cardId, isPressed, ...closed }) =>
      logged(
        () => {
          const text = closedFormView(closed, { texts, showThinking, cardMaxChars });
          const variables = { [cardContentKey]: text, ...(cardButtons ? NO_FORM : {}) };
          return amend(cardId, variables, isPressed ? { [OWN_VARIABLES.notice]: '' } : undefined);
        },
        { reference },
      ),
  };

  async function planOf(finished: FinishedAnswer): ReturnType<FollowUps['plan']> {
    const { turn, answer, choices, onCard } = finished;
    const { form, ending, ids } = answer;
    if (choices.length > 0) return onButtons(finished, suggestionsOf(choices));
    if (ending?.kind === 'paused' && form?.token) {
      return onButtons(finished, formVariables(form, turn.asker || texts.whoAsked));
    }
    if (!turn.maySpend || ending?.kind !== 'complete' || ids.messageId === undefined) return null;
    // Without a card the questions would be one more message for everybody in the group.
    if (!onCard && turn.isGroup) return null;
    const app = await facts().catch(() => null);
    if (!app?.suggestsQuestions || !CHATS.has(app.type)) return null;
    if (onCard && !cardButtons && textOn(finished, []).length + ROOM_CHARS > cardMaxChars) return null;
    const { messageId } = ids;
    return { calls: onCard ? 1 : 0, show: () => logged(() => showSuggestions(messageId, finished), turn) };
  }

  async function showSuggestions(messageId: string, finished: FinishedAnswer): Promise<void> {
    const { turn, onCard } = finished;
    const { isGroup, user } = turn;
    const questions = await suggest(messageId, user);
    if (questions.length === 0) return;
    if (onCard && cardButtons) {
      await amend(turn.id, suggestionsOf(questions));
      return;
    }
    const lines = `**${isGroup ? texts.suggestionsToType : texts.suggestions}**\n\n${questionLines(questions, !isGroup)}`;
    if (!onCard) {
      await reply.send({ title: texts.suggestions, text: lines, mentionAsker: false });
      return;
    }
    const text = `${textOn(finished, [])}\n\n${lines}`;
    if (text.length <= cardMaxChars) await amend(turn.id, { [cardContentKey]: text });
  }
}
