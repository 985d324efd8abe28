import type { Answer } from '../answer/answer.ts';
import type { ViewOptions } from '../answer/view.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { Clock } from '../runtime/clock.ts';
import { formToAnswer, writeAnswered, writeReply } from './answered.ts';
import { askerOf, groupOf } from './conversation.ts';
import type { Lease, Outcome } from './lease.ts';
import { userOfRun } from './record.ts';
import type { TurnForms } from './turn-forms.ts';
import type { Turn } from './turn.ts';

/** A form without a time of its own: Dify's limit for all forms (`docs/wire-dify.md`). */
const LONGEST_WAIT_MS = 7 * 86_400_000;

interface Ports {
  lease: Pick<Lease, 'progress'>;
  forms: TurnForms;
}

/** How the form of an answer is shown, and the answer to one. */
export function formView(
  { form }: Answer,
  turn: Pick<Turn, 'form'>,
  { lease, forms }: Ports,
): Pick<ViewOptions, 'formNumber' | 'submitted' | 'expiredForm'> {
  const number = form?.token && forms.isMarked(form.token) ? forms.numberOf(form.token) : undefined;
  const submitted = lease.progress.form?.action;
  const expiredForm = turn.form?.expired?.title;
  return {
    ...(number === undefined ? {} : { formNumber: number }),
    ...(submitted ? { submitted } : {}),
    ...(expiredForm ? { expiredForm } : {}),
  };
}

/** What is kept of an answer that has been shown, and of the forms of its conversation. */
export function keepForms(
  turn: Turn,
  answer: Answer,
  shown: { anywhere: boolean; onCard: boolean; isQuoted: boolean },
  { lease, forms, clock, robot }: Ports & { clock: Clock; robot: Pick<RobotConfig, 'conversation'> },
): Omit<Outcome, 'failure'> {
  const { progress } = lease;
  const token = answer.form?.token ?? '';
  const waiting = formToAnswer(turn, progress, answer, forms.numberOf(token));
  const form = waiting && { ...waiting, onCard: shown.onCard, isQuoted: shown.isQuoted };
  if (form && progress.appType !== null) {
    const { action: _action, earlierChars: _chars, onCard: _on, isQuoted: _quoted, ...known } = form;
    forms.noteWaiting({
      ...known,
      appType: progress.appType,
      user: userOfRun(turn.user, progress),
      asker: askerOf(turn.message),
      generation: forms.generation,
      shownAtMs: shown.anywhere ? clock.now() : null,
      chosen: null,
      isOver: false,
      cardKey: progress.cardKey,
      files: forms.forms.find((kept) => kept.token === token)?.files ?? [],
    });
  }
  const group = groupOf(turn.message, robot.conversation.scope);
  const untilMs = form?.expiresAtMs ?? clock.now() + LONGEST_WAIT_MS;
  return {
    receipt: writeAnswered(turn, progress, form),
    reply: writeReply(turn),
    form: forms.change,
    waits: form ? { untilMs, group } : null,
    formsOver: forms.over,
  };
}
