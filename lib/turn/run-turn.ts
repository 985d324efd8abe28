import type { Answer } from '../answer/answer.ts';
import { endingLine, endingState, failureText } from '../answer/ending.ts';
import { choiceTexts, saidNotes } from '../answer/said-view.ts';
import { continuing, finalView, type ViewOptions } from '../answer/view.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { OpenCard } from '../delivery/card.ts';
import { deliver, sendAll, type Shown } from '../delivery/deliver.ts';
import type { FinishedAnswer } from '../delivery/follow-ups.ts';
import { createWaitingMessages, type WaitingMessages } from '../delivery/waiting-messages.ts';
import { plainLine } from '../markdown/plain-line.ts';
import { sanitizeText } from '../markdown/sanitize.ts';
import { sendFiles } from '../files/attachments.ts';
import { errorFields } from '../runtime/log.ts';
import type { Texts } from '../texts/texts.ts';
import type { TurnChannels } from './channels.ts';
import { conversationToAskIn } from './conversation.ts';
import { formView, keepForms } from './form-shown.ts';
import { openFormEnds, type FormEndPorts, type FormEnds } from './form-ends.ts';
import { settleForm } from './form-step.ts';
import { handOn, type Handover } from './handover.ts';
import type { Obtained } from './judge.ts';
import type { NextTurn } from './lease.ts';
import { obtainAnswer, type AnswerPorts } from './obtain-answer.ts';
import { mentionAsker } from './mention.ts';
import { createProgress } from './progress.ts';
import { askerName, questionLine } from './question-line.ts';
import { missedNotes } from './quoted-answers.ts';
import { userOfRun } from './record.ts';
import { openTurnForms, type TurnForms } from './turn-forms.ts';
import type { Turn } from './turn.ts';
import { endingOptions, viewOf } from './turn-view.ts';

export interface TurnPorts extends Omit<AnswerPorts, 'robot' | 'progress' | 'sentFiles' | 'forms' | 'formEnds'> {
  state: FormEndPorts['state'];
  robot: RobotConfig;
  texts: Texts;
  channels: TurnChannels;
  handover: Handover;
  /** Goes on beside the next turn. The work never rejects. */
  background: (work: Promise<void>) => void;
}

/** What a turn is shown by. */
interface Stage {
  view: ViewOptions;
  card: OpenCard | null;
  forms: TurnForms;
  formEnds: FormEnds;
}

/**
 * Answers one question and returns the next of its conversation, if one waits. A failure ends in a sentence that the asker
 * can see.
 *
 * @throws only what is a fault of this bridge. The turn is on record then, and its lease goes on until it is stopped.
 */
export async function runTurn(turn: Turn, ports: TurnPorts): Promise<NextTurn | null> {
  const { lease, channels, clock } = ports;
  const view = viewOf(turn, ports);
  const card = channels.openCard();
  const forms = openTurnForms(turn);
  const formEnds = openFormEnds(turn, { ...ports, followUps: channels.followUps, forms });
  const stage = { view, card, forms, formEnds };
  const { attachments, sentFiles } = channels;
  const askedIn = turn.form ? null : conversationToAskIn(turn, lease.progress);
  const { mayHaveBeenAsked: isLookedFor, hasWaited } = turn;
  const waiting = openWaitingMessages(turn, ports, stage);
  const progress = createProgress({ lease, card, waiting, attachments, view, clock, isLookedFor, hasWaited, askedIn });
  const obtained = await obtainAnswer(turn, { ...ports, sentFiles, progress, forms, formEnds });
  await waiting.end();
  if (obtained.kind === 'lost' || !(await lease.isHeld())) {
    await card?.writer.leave();
    return null;
  }
  if (obtained.kind === 'unfinished') {
    await leaveForLater(turn, ports, stage);
    return null;
  }
  return finishTurn(turn, ports, stage, obtained);
}

/** Shows the whole answer and what belongs below it, and ends the turn. */
async function finishTurn(
  turn: Turn,
  ports: TurnPorts,
  { card, view, forms, formEnds }: Stage,
  obtained: Extract<Obtained, { kind: 'answer' }>,
): Promise<NextTurn | null> {
  const { lease, stop, channels, log, background } = ports;
  const { followUps } = channels;
  const { failure } = obtained;
  const isStopped = stop.isAsked && failure === null;
  // Dify ends a stopped answer of most apps like any other.
  const answer: Answer = isStopped ? { ...obtained.answer, ending: { kind: 'stopped' } } : obtained.answer;
  if (failure) log.warn('turn_failed', { turn: turn.reference, ...errorFields(failure) });
  settleForm(turn, { answer, failure }, { ...ports, forms });
  formEnds.show();
  const formOf = formView(answer, turn, { lease, forms });
  const stage = { card, forms, formEnds, view: { ...view, isAnew: lease.progress.isAnew, ...formOf } };
  const toldAdmins = failure !== null && (await channels.tellAdmins(failure));
  const shown = await showAnswer(turn, ports, stage, { ...obtained, answer, toldAdmins });
  lease.note({ ids: answer.ids });
  const askedBy = { ...turn, user: userOfRun(turn.user, lease.progress) };
  const finished = finishedAnswer(askedBy, answer, stage, shown);
  const planned = failure === null && !isStopped ? await followUps.plan(finished) : null;
  if (planned) lease.note({ calls: lease.progress.calls + planned.calls });
  const kept = keepForms(
    turn,
    answer,
    { anywhere: shown !== 'nothing', onCard: shown === 'card', isQuoted: view.quote !== '' },
    { ...ports, forms },
  );
  await formEnds.done();
  // The question of an answer that broke off is kept as that of a failure: its card has the button that asks again.
  const broken = answer.ending?.kind === 'cut' ? 'dify_cut' : null;
  const ended = await lease.finish({ failure: failure?.code ?? broken, ...kept });
  const isStoppedElsewhere = ended.isStopped && !isStopped && failure === null && shown === 'card';
  if (isStoppedElsewhere) {
    const stopped: Answer = { ...answer, ending: { kind: 'stopped' } };
    const options = endingOptions(turn, ports, { onCard: true, toldAdmins: false });
    background(
      followUps.markStopped({ ...finished, answer: stopped }, endingLine(stopped, null, options, ports.texts)),
    );
  } else if (planned) background(planned.show());
  background(mentionAsker(turn, { answer, failure, shown, ended }, ports));
  logFinished(turn, ports, stage, { answer, outcome: failure?.code ?? answer.ending?.kind ?? 'failed', shown });
  return ended.next;
}

/** The answer, why a part of the question was left out, and the answer's files. Never rejects. */
async function showAnswer(
  turn: Turn,
  ports: TurnPorts,
  { view, card, forms }: Stage,
  { answer, failure, refused, toldAdmins }: Extract<Obtained, { kind: 'answer' }> & { toldAdmins: boolean },
): Promise<Shown> {
  const { lease, channels, clock, log, texts, background } = ports;
  const { reply, attachments } = channels;
  const { reference } = turn;
  const delivery = { reply, clock, log, texts, reference };
  const hasCard = card !== null && (await card.opened);
  const optionsOn = (onCard: boolean) => endingOptions(turn, ports, { onCard, toldAdmins });
  const notesOn = (onCard: boolean) =>
    forms.said
      ? saidNotes(forms.said, view)
      : [
          ...missedNotes(turn.message, lease.progress.missed, texts),
          endingLine(answer, failure, optionsOn(onCard), texts),
        ];
  const shown = await deliver(
    hasCard ? card.writer : null,
    endingState(answer, failure, optionsOn(true)),
    (onCard) => finalView(answer, notesOn(onCard), onCard, view),
    {
      ...delivery,
      mayHaveEnded: turn.mayHaveBeenAsked,
      cardWasUnsafe: card?.refusedFor() === 'dingtalk_content_unsafe',
      async isHeld() {
        await lease.write();
        return !lease.lost.aborted;
      },
      endLater: background,
    },
  );
  if (refused) await sendAll([failureText(refused, texts)], false, delivery);
  if (failure === null) await sendFiles(answer, attachments, delivery);
  return shown;
}

/** Time is up, the run is not: the turn goes to a fresh invocation, or stays on record for the next callback or sweep. */
async function leaveForLater(turn: Turn, ports: TurnPorts, { view, card }: Stage): Promise<void> {
  const { lease, deadline, log, handover } = ports;
  const hasCard = card !== null && (await card.opened);
  // The card of an instance that died may show more than the record says, so it is left as it is.
  const hasLess = turn.mayHaveBeenAsked && card?.writer.hasShown === false;
  if (hasCard) await card.writer.leave(hasLess ? undefined : continuing(lease.progress.text, view));
  await lease.release();
  const { fence, hop } = turn.record;
  const { isTaken, ...why } = deadline.shutdown.aborted
    ? { isTaken: false }
    : await handOn(handover, { turnId: turn.id, fence, hop });
  log.info(isTaken ? 'turn_handed_over' : 'turn_left_on_record', { turn: turn.reference, hop, ...why });
}

function openWaitingMessages(turn: Turn, ports: TurnPorts, { view, card }: Stage): WaitingMessages {
  const { lease, stop, channels, texts } = ports;
  const { message, question, reference, form } = turn;
  // The time of a form was over: no person waits for an answer.
  const isExpired = form?.expired !== undefined;
  return createWaitingMessages({
    ...ports,
    reference,
    reply: channels.sessionReply,
    question: sanitizeText(plainLine(questionLine({ message, question }, texts))),
    stopHint: view.stopHint ?? '',
    hasCard: isExpired ? Promise.resolve(true) : (card?.opened ?? Promise.resolve(false)),
    told: lease.progress.toldWaiting ?? 0,
    onTold: (toldWaiting) => lease.note({ toldWaiting }),
    isOff: () => lease.lost.aborted || stop.isAsked,
  });
}

function finishedAnswer(turn: Turn, answer: Answer, { view, forms }: Stage, shown: Shown): FinishedAnswer {
  const { id, reference, message, user, level } = turn;
  const asked = { id, reference, isGroup: message.chat.isGroup, user, maySpend: level === 'full' };
  const choices = forms.said ? choiceTexts(forms.said, view.texts) : [];
  return { turn: { ...asked, asker: askerName(message) }, answer, view, choices, onCard: shown === 'card' };
}

function logFinished(
  turn: Turn,
  { robot, lease, clock, log }: TurnPorts,
  { card }: Stage,
  { answer, outcome, shown }: { answer: Answer; outcome: string; shown: Shown },
): void {
  log.info('turn_finished', {
    turn: turn.reference,
    robot: robot.name,
    outcome,
    shown,
    frames: card?.writer.frames ?? 0,
    acceptMs: turn.acceptMs,
    firstTextMs: card?.firstTextMs() ?? null,
    totalMs: clock.now() - turn.acceptedAtMs,
    calls: lease.progress.calls,
    storeRequests: lease.requests,
    tokens: answer.totalTokens,
    price: answer.price?.amount ?? null,
    currency: answer.price?.currency ?? null,
    fallback: shown === 'card' ? null : (card?.refusedFor() ?? null),
    hop: turn.record.hop,
  });
}
