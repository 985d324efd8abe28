import { OWN_VARIABLES, react, type Reaction } from './actions.ts';
import { errorFields } from './delivery.ts';
import { updateCard } from './dingtalk/ai-card.ts';
import type { Message, Sender } from './dingtalk/callback.ts';
import type { CardAction } from './dingtalk/card-action.ts';
import { turnErrorCode } from './errors.ts';
import type { BackgroundWork } from './receiver.ts';
import type { Receipt } from './receipt.ts';
import type { Runner, RunnerOptions } from './runner.ts';
import type { Rating } from './state/state.ts';
import { referenceOf, type FormSubmission } from './turn-record.ts';

export interface Buttons {
  /** Does what a button asks for. Never rejects. */
  press(
    action: CardAction,
    take: (message: Message, form: FormSubmission | null) => Promise<BackgroundWork | null>,
  ): Promise<Reaction>;
}

/** What the buttons of a robot's cards do. */
export function createButtons(options: RunnerOptions, runner: Runner): Buttons {
  const { config, state, clock, newId, log, texts, dingtalk } = options;

  return {
    async press(action, take) {
      const turn = referenceOf(action.cardId);
      try {
        const accept = (message: Message, form?: FormSubmission) => take(message, form ?? null);
        const reaction = await react(action, { config, texts, state, newId, nowMs: clock.now(), accept, stop, rate });
        log.info('button_pressed', { turn, robot: config.name, done: reaction.work !== null });
        return reaction;
      } catch (error) {
        log.error('button_failed', { turn, ...errorFields(error) });
        return { update: { [OWN_VARIABLES.notice]: texts.failures[turnErrorCode(error)] }, work: null };
      }
    },
  };

  async function stop(turn: { turnId: string; conversationKey: string }): Promise<void> {
    try {
      await runner.stop({ ...turn, asker: null });
    } catch (error) {
      log.error('button_failed', { turn: referenceOf(turn.turnId), ...errorFields(error) });
    }
  }

  async function rate({ cardId, person, receipt, rating }: Rated): Promise<void> {
    const { messageId = '' } = receipt.ids;
    try {
      // Dify knows one opinion of an answer: that of the one who asked, whoever in the chat gave it last.
      await options.rateAnswer({ messageId, user: receipt.user, rating });
    } catch (error) {
      log.warn('rating_failed', { turn: referenceOf(cardId), ...errorFields(error) });
      await showUnrated(cardId, person);
    }
  }

  /** What was shown as chosen is taken back. */
  async function showUnrated(cardId: string, { staffId, unionId }: Sender): Promise<void> {
    const userId = staffId ?? unionId;
    if (userId === null) return;
    const variables = { [OWN_VARIABLES.rating]: '', [OWN_VARIABLES.notice]: texts.notices.notRated };
    try {
      await updateCard(dingtalk, cardId, { own: { userId, isUnionId: staffId === null, variables } });
    } catch (error) {
      log.warn('rating_failed', { turn: referenceOf(cardId), ...errorFields(error) });
    }
  }
}

interface Rated {
  cardId: string;
  person: Sender;
  receipt: Receipt;
  rating: Rating | null;
}
