import type { FormSubmission } from '../ask/form.ts';
import { OWN_VARIABLES } from '../delivery/card-variables.ts';
import type { Message, Sender } from '../dingtalk/callback.ts';
import type { CardAction } from '../dingtalk/card-action.ts';
import { turnErrorCode } from '../errors.ts';
import { errorFields } from '../runtime/log.ts';
import type { BackgroundWork } from '../runtime/platform.ts';
import { readAnswered } from '../turn/answered.ts';
import { readPayload, referenceOf } from '../turn/record.ts';
import type { Runner, RunnerOptions } from '../turn/runner.ts';
import type { TurnPayload } from '../turn/turn.ts';
import { isAdmin, mayAsk } from './access.ts';
import { actions, idOf, notice, textOf, type Action, type ActionPorts, type Rated, type Reaction } from './buttons.ts';

/**
 * Does what a button asks for. The signature proves that DingTalk sent it. Whether this person may press it follows
 * from the record of the card.
 */
async function react(action: CardAction, ports: ActionPorts): Promise<Reaction> {
  const { texts, config, state } = ports;
  const known = actionOf(action);
  if (!known) return notice(texts.notices.unknownButton);
  const record = await state.lookUp(action.cardId);
  const payload = record?.payload ? readPayload(record.payload) : null;
  const answered = record && readAnswered(record.receipt, record.reply);
  const origin = payload?.message ?? answered;
  if (!record || !origin) return notice(texts.notices.cardUnknown);
  const { sender: asker } = origin;
  const isAsker = action.userId === (asker.staffId ?? asker.unionId);
  const stranger = { staffId: action.userId, unionId: null, id: action.userId };
  const person: Sender = { nick: '', isAdmin: false, ...(isAsker ? asker : stranger) };
  const chat = { title: null, ...origin.chat };
  if (!mayAsk({ chat, sender: person }, config.access)) return notice(texts.refused);
  const messageOf = (name: string, text: string): Message => ({
    kind: 'message',
    id: idOf(action.cardId, `${person.staffId ?? person.id}\n${name}`),
    chat,
    sender: person,
    session: origin.session,
    corpId: origin.corpId,
    content: { kind: 'text', text },
    quoted: null,
  });
  const pressed = { ...ports, action, record, payload, answered, person, messageOf };
  const over = await known.over?.(pressed);
  if (over) return over;
  if (known.whose === 'asker' && !isAsker && !isAdmin({ sender: person }, config.access)) {
    return notice(texts.notices.notYours);
  }
  return known.run(pressed);
}

/** By the parameter, else by the id, to which a builder may have appended digits. */
function actionOf({ actionIds, params }: CardAction): Action | null {
  const names = [textOf(params['action']), ...actionIds, ...actionIds.map((id) => id.replace(/[_-]?\d+$/, ''))];
  const name = names.find((candidate) => Object.hasOwn(actions, candidate));
  return name === undefined ? null : (actions[name] ?? null);
}

export interface Presses {
  /** Does what a button asks for. Never rejects. */
  press(
    action: CardAction,
    take: (message: Message, form: FormSubmission | null, again: TurnPayload | null) => Promise<BackgroundWork | null>,
  ): Promise<Reaction>;
}

export type PressOptions = Pick<
  RunnerOptions,
  'config' | 'texts' | 'chat' | 'dify' | 'state' | 'clock' | 'newId' | 'log'
>;

/** What the buttons of a robot's cards do. */
export function createPresses(options: PressOptions, runner: Pick<Runner, 'stop'>): Presses {
  const { config, state, clock, newId, log, texts, chat, dify } = options;

  return {
    async press(action, take) {
      const turn = referenceOf(action.cardId);
      try {
        const accept: ActionPorts['accept'] = (message, form, again) => take(message, form ?? null, again ?? null);
        const reaction = await react(action, { config, texts, state, newId, nowMs: clock.now(), accept, stop, rate });
        log.info('button_pressed', { turn, robot: config.name, done: reaction.work !== null });
        return reaction;
      } catch (error) {
        log.error('button_failed', { turn, ...errorFields(error) });
        return notice(texts.failures[turnErrorCode(error)]);
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

  async function rate(rated: Rated): Promise<void> {
    const { cardId, answered, rating, reason } = rated;
    const { messageId = '' } = answered.ids;
    try {
      // Dify keeps one rating of an answer, under the asker's name: the last one that was given in the chat.
      await dify.rate({ messageId, user: answered.user, rating, reason });
    } catch (error) {
      log.warn('rating_failed', { turn: referenceOf(cardId), ...errorFields(error) });
      await showUnrated(rated);
    }
  }

  /** Takes back the choice that the card has shown already. Where only its reason was lost, it asks for that again. */
  async function showUnrated({ cardId, person, reason }: Rated): Promise<void> {
    const taken = { [OWN_VARIABLES.rating]: '', [OWN_VARIABLES.askReason]: '' };
    const asked = { [OWN_VARIABLES.askReason]: 'true' };
    try {
      const variables = { ...(reason === null ? taken : asked), [OWN_VARIABLES.notice]: texts.notices.notRated };
      await chat.amend(cardId, null, { person, variables });
    } catch (error) {
      log.warn('rating_failed', { turn: referenceOf(cardId), ...errorFields(error) });
    }
  }
}
