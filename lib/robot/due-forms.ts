import type { FormSubmission } from '../ask/form.ts';
import { isFormOver } from '../ask/form.ts';
import type { Message } from '../dingtalk/callback.ts';
import { errorFields } from '../runtime/log.ts';
import type { BackgroundWork, Platform } from '../runtime/platform.ts';
import { readAnswered, type AnsweredTurn } from '../turn/answered.ts';
import { referenceOf } from '../turn/record.ts';
import type { RunnerOptions } from '../turn/runner.ts';
import { idOf } from './buttons.ts';

/** Looks after forms whose time is over. */
export interface DueForms {
  /** Says on the cards of these turns that their form has expired, and what its run did then. Never rejects. */
  look(turnIds: readonly string[], platform: Platform): Promise<void>;
}

export type DueFormOptions = Pick<RunnerOptions, 'texts' | 'dify' | 'state' | 'clock' | 'log'>;

/** A form that Dify keeps open beyond the time that it told is looked at again after this long, or sooner if it tells one. */
const OPEN_AGAIN_MS = 3_600_000;

/** `accept` takes a message over as if its person had sent it. */
export function createDueForms(
  { texts, dify, state, clock, log }: DueFormOptions,
  accept: (message: Message, form: FormSubmission, platform: Platform) => Promise<BackgroundWork | null>,
): DueForms {
  return {
    async look(turnIds, platform) {
      await Promise.all(
        turnIds.map(async (turnId) => {
          try {
            await expire(turnId, platform);
          } catch (error) {
            log.warn('form_not_expired', { turn: referenceOf(turnId), ...errorFields(error) });
          }
        }),
      );
    },
  };

  async function expire(turnId: string, platform: Platform): Promise<void> {
    const record = await state.lookUp(turnId);
    const answered = record && readAnswered(record.receipt, record.reply);
    const expired = answered && expiredMessage(turnId, answered);
    if (!expired) return state.postponeForm({ turnId, untilMs: null });
    const untilMs = await openUntil(expired.form.token);
    if (untilMs !== 'expired') return state.postponeForm({ turnId, untilMs });
    // It has one id, so that it is one message however many instances look.
    const work = await accept(expired.message, expired.form, platform);
    await work?.(platform);
  }

  /** Until when a form is open; null for one that was answered, or that Dify does not show. @throws BridgeError */
  async function openUntil(token: string): Promise<number | 'expired' | null> {
    try {
      const { expiresAtMs } = await dify.getForm(token);
      const nowMs = clock.now();
      return expiresAtMs !== null && expiresAtMs > nowMs ? expiresAtMs : nowMs + OPEN_AGAIN_MS;
    } catch (error) {
      if (!isFormOver(error)) throw error;
      return error.code === 'form_expired' && error.facts['status'] !== 404 ? 'expired' : null;
    }
  }

  /** Null where nothing can be said of a form: it was none, or what kind of app asked is not on record. */
  function expiredMessage(cardId: string, answered: AnsweredTurn): { message: Message; form: FormSubmission } | null {
    const { form, appType, user, chat, sender, session, corpId } = answered;
    if (!form || appType === null) return null;
    const { token, runId, shownChars, title, earlierChars } = form;
    const message: Message = {
      kind: 'message',
      id: idOf(cardId, 'expired'),
      chat: { title: null, ...chat },
      sender: { isAdmin: false, ...sender },
      session,
      corpId,
      content: { kind: 'text', text: texts.form.expired(title) },
      quoted: null,
    };
    const expired = { title, earlierChars };
    return { message, form: { token, runId, shownChars, appType, user, action: '', inputs: {}, cardId, expired } };
  }
}
