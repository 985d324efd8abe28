import { emptyAnswer, type Answer } from '../answer/answer.ts';
import { decideForm, type FormCandidate } from '../ask/form-decision.ts';
import { takeFiles } from '../ask/form-files.ts';
import { readAsked } from '../ask/form-text.ts';
import { isFormOver, type FormSubmission } from '../ask/form.ts';
import type { QuestionPorts } from '../ask/question.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { Dify } from '../dify/dify.ts';
import { sentFilesOf } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { askerOf } from './conversation.ts';
import type { Lease } from './lease.ts';
import type { TurnForms } from './turn-forms.ts';
import type { Turn } from './turn.ts';

export interface FormPorts {
  robot: Pick<RobotConfig, 'access' | 'dingtalk'>;
  dify: Dify;
  sentFiles: QuestionPorts['sentFiles'];
  lease: Pick<Lease, 'note'>;
  forms: TurnForms;
  clock: Clock;
}

/** What a turn does after it was decided whether its message belongs to a form. */
export type FormStep =
  | { kind: 'submit'; submission: FormSubmission }
  /** Dify is asked in these words. */
  | { kind: 'ask'; question: string }
  /** There is nothing to ask: this is the answer, or what is said in its place (`TurnForms.said`). */
  | { kind: 'end'; answer: Answer };

const ended: Answer = { ...emptyAnswer, ending: { kind: 'complete' } };

/**
 * Decides whether the message of a turn belongs to a form.
 *
 * @throws BridgeError where it is an answer that cannot be given, or where Dify does not tell about a form.
 */
export async function formStep(turn: Turn, ports: FormPorts, signal: AbortSignal): Promise<FormStep> {
  const { forms, lease, clock } = ports;
  const decision = await decideForm(candidateOf(turn, ports), ports);
  for (const { token, isExpired } of decision.over) forms.noteOver(token, isExpired);
  switch (decision.kind) {
    case 'refused':
      throw decision.error;
    case 'submission': {
      const { submission, action, form } = decision;
      const title = forms.forms.find((kept) => kept.token === submission.token)?.title;
      forms.asked = { ...form, token: submission.token, nodeTitle: title ?? form.nodeTitle };
      const { runId, appType, user, shownChars, token } = submission;
      lease.note({ ids: { runId }, appType, form: { user, shownChars, token, action }, askedAtMs: clock.now() });
      return { kind: 'submit', submission };
    }
    case 'said':
      forms.said = decision.said;
      return { kind: 'end', answer: ended };
    case 'files': {
      const { files, said } = await takeFiles(sentFilesOf(turn.message.content), decision.open, ports, signal);
      for (const [{ kept }, held] of files) forms.noteFiles(kept.token, held);
      forms.said = said;
      return { kind: 'end', answer: ended };
    }
    case 'show': {
      const { kept, form } = decision;
      const { user, shownChars, runId, appType } = kept;
      lease.note({ ids: { runId }, appType, form: { user, shownChars } });
      const shown = { ...form, runId, nodeTitle: kept.title };
      return { kind: 'end', answer: { ...emptyAnswer, ids: { runId }, form: shown, ending: { kind: 'paused' } } };
    }
    case 'question':
      return { kind: 'ask', question: decision.words ?? turn.question };
  }
}

function candidateOf(turn: Turn, { forms, robot, clock }: FormPorts): FormCandidate {
  const { content, sender } = turn.message;
  const isAdmin = sender.staffId !== null && robot.access.adminUsers.includes(sender.staffId);
  const hasWords = content.kind === 'text' || ('text' in content && content.text !== '');
  const isHeard = content.kind === 'audio' && content.recognition !== '';
  return {
    form: turn.form,
    forms: forms.forms,
    others: forms.others,
    generation: forms.generation,
    asker: askerOf(turn.message),
    mayPress: isAdmin && robot.dingtalk.cardButtons,
    words: hasWords || isHeard ? turn.question : null,
    files: isHeard ? [] : sentFilesOf(content),
    quote: turn.message.quoted && { cardKey: turn.message.quoted.cardKey ?? null },
    hasHeld: (turn.held?.length ?? 0) > 0,
    acceptedAtMs: turn.acceptedAtMs,
    nowMs: clock.now(),
  };
}

/** The words of a turn as Dify was asked them. */
export function askedWords({ question }: Pick<Turn, 'question'>, { forms }: Pick<TurnForms, 'forms'>): string {
  return (forms.length > 0 ? readAsked(question) : null) ?? question;
}

/**
 * The same answer with its form as the route of forms has it. Events that were joined late have the template of its text,
 * and do not tell that it was sent by e-mail only. Never rejects.
 *
 * @param answered the form that the turn was to answer. It goes before another form of the run, if it is still open: then
 * the answer did not reach Dify.
 */
export async function withWholeForm(answer: Answer, dify: Pick<Dify, 'getForm'>, answered?: string): Promise<Answer> {
  const { form, ending } = answer;
  if (ending?.kind !== 'paused' || !form?.token) return answer;
  if (answered !== undefined && answered !== form.token) {
    const open = await dify.getForm(answered).catch(() => null);
    if (open) return { ...answer, form: { ...open, runId: form.runId } };
  }
  try {
    const whole = await dify.getForm(form.token);
    return { ...answer, form: { ...whole, runId: form.runId, nodeTitle: form.nodeTitle } };
  } catch (error) {
    if (!isFormOver(error)) return answer;
    // Dify does not show a form that was sent by e-mail only, although it has a token.
    if (error.facts['status'] === 404) return { ...answer, form: { ...form, token: null } };
    return { ...answer, form: null, formExpired: error.code === 'form_expired' };
  }
}

/** Where the event did not tell whether the form can be answered here, Dify is asked once. Never rejects. */
export const withSureForm = async (answer: Answer, dify: Pick<Dify, 'getForm'>): Promise<Answer> =>
  answer.form?.isUnsure ? withWholeForm(answer, dify) : answer;

/** Files that waited for words which are no question: no form has asked for them. */
export function leftOut({ held = [] }: Pick<Turn, 'held'>): BridgeError | null {
  return held.length > 0 ? new BridgeError('file_expired', 'a form took the words of held files') : null;
}

/** What became of the form that a turn has answered. */
export function settleForm(
  turn: Pick<Turn, 'form'>,
  { answer, failure }: { answer: Answer; failure: BridgeError | null },
  { lease, forms, clock }: Pick<FormPorts, 'forms' | 'clock'> & { lease: Pick<Lease, 'progress'> },
): void {
  const { token = turn.form?.token, action = turn.form?.action ?? '' } = lease.progress.form ?? {};
  if (token === undefined || answer.form?.token === token) return;
  if (turn.form?.expired || isFormOver(failure)) {
    forms.noteOver(token, !turn.form?.expired && failure?.code === 'form_expired');
    return;
  }
  const kind = answer.ending?.kind;
  // Of a run that was stopped or broke off it is not certain that its form was answered.
  const isCertain = kind !== 'stopped' && kind !== 'cut' && (failure === null || kind === 'failed');
  if (isCertain) forms.noteChosen(token, { action, atMs: clock.now() });
}
