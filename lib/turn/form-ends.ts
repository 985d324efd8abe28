import { formEndLine, type FormEnd } from '../answer/form-end.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { FollowUps } from '../delivery/follow-ups.ts';
import type { Dify } from '../dify/dify.ts';
import { withTimeout, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import { readAnswered, type AnsweredTurn } from './answered.ts';
import { askerOf } from './conversation.ts';
import { writeNote } from './form-note.ts';
import type { Lease } from './lease.ts';
import { questionQuote } from './question-line.ts';
import { isPress } from './record.ts';
import type { TurnForms } from './turn-forms.ts';
import type { Turn } from './turn.ts';

/** Says on the cards of forms what became of them: one call of the month for each, and none from 80 % of the month on. */
export interface FormEnds {
  /** Begins with the forms that have ended so far. */
  show(): void;
  /** Resolves when their cards say so. Never rejects. */
  done(): Promise<unknown>;
}

export interface FormEndPorts {
  robot: RobotConfig;
  texts: Texts;
  state: Pick<State, 'lookUp' | 'noteForm'>;
  dify: { records: Pick<Dify['records'], 'message'> };
  followUps: Pick<FollowUps, 'closeForm'>;
  lease: Pick<Lease, 'note' | 'progress'>;
  forms: TurnForms;
  clock: Clock;
  log: Log;
}

export function openFormEnds(turn: Turn, ports: FormEndPorts): FormEnds {
  const { robot, texts, state, dify, followUps, lease, forms, clock, log } = ports;
  const begun = new Map<string, Promise<void>>();

  async function end(cardId: string, how: FormEnd): Promise<void> {
    const record = await state.lookUp(cardId);
    const answered = readAnswered(record?.receipt ?? null);
    const known: FormEnd = how.kind === 'chosen' ? { ...how, by: nameOf(turn, answered, texts) } : how;
    await state.noteForm({ turnId: cardId, note: writeNote(known), instead: null });
    if (turn.level !== 'full' || answered?.form?.onCard === false) return;
    lease.note({ calls: lease.progress.calls + 1 });
    const shown = forms.textOf(cardId);
    const { text, quote } = await above(answered);
    const { reference } = turn;
    const line = formEndLine(known, texts);
    const isPressed = isPress(turn.message.id) && cardId === turn.form?.cardId;
    await followUps.closeForm({
      reference,
      cardId,
      isPressed,
      text: shown.text || text,
      quote,
      form: shown.form,
      line,
    });
  }

  /** What stands above the form on its card, as Dify has it: nothing keeps it here. */
  async function above(answered: AnsweredTurn | null): Promise<{ text: string; quote: string }> {
    const { conversationId, messageId } = answered?.ids ?? {};
    if (!answered?.form || conversationId === undefined || messageId === undefined) return { text: '', quote: '' };
    const { user, chat, sender, form } = answered;
    const found = await withTimeout(clock, TEXT_PATIENCE_MS, (signal) =>
      dify.records.message({ conversationId, messageId, user }, signal),
    ).catch(() => null);
    if (!found) return { text: '', quote: '' };
    const message = { chat: { ...chat, title: null }, sender: { isAdmin: false, ...sender } };
    const asked = { message: { ...turn.message, ...message }, question: found.query };
    return {
      text: found.answer.slice(form.earlierChars, form.shownChars),
      quote: form.isQuoted ? questionQuote(asked, robot, texts) : '',
    };
  }

  return {
    show() {
      for (const [cardId, how] of forms.ends) {
        if (begun.has(cardId)) continue;
        const work = end(cardId, how).catch((error: unknown) =>
          log.warn('extras_failed', { turn: turn.reference, ...errorFields(error) }),
        );
        begun.set(cardId, work);
      }
    },
    done: () => Promise.all(begun.values()),
  };
}

/** The card is ended without the text above the form rather than late. */
const TEXT_PATIENCE_MS = 5_000;

/** Who answered. DingTalk names people in messages, and not where they press. */
function nameOf({ message }: Turn, answered: AnsweredTurn | null, texts: Texts): string | null {
  const isAsker = answered !== null && askerOf(answered) === askerOf(message);
  return message.sender.nick || (answered === null || isAsker ? null : texts.form.administrator);
}
