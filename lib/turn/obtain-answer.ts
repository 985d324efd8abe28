import { emptyAnswer, withoutBeginning, type Answer } from '../answer/answer.ts';
import { ask } from '../ask/ask.ts';
import type { FormSubmission } from '../ask/form.ts';
import { fillInputs } from '../ask/inputs.ts';
import { prepareQuestion, type QuestionPorts } from '../ask/question.ts';
import { whenReachable } from '../ask/reach.ts';
import { resume } from '../ask/resume.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { Dify } from '../dify/dify.ts';
import { survivesDisconnect } from '../dify/runs.ts';
import type { Recovery } from '../recovery/recover.ts';
import type { LostRun } from '../recovery/search.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { shownBefore } from './answered.ts';
import { conversationToAskIn } from './conversation.ts';
import type { Deadline } from './deadline.ts';
import { lookForExpired } from './expired.ts';
import type { FormEnds } from './form-ends.ts';
import { askedWords, formStep, leftOut, withSureForm, withWholeForm } from './form-step.ts';
import { judgeFollowed, judgeRecovered, type Followed, type LookedFor, type Obtained, type Stand } from './judge.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import type { QuotedAnswers } from './quoted-answers.ts';
import { userOfRun } from './record.ts';
import { mayAskAgain, withAtLeast } from './second-try.ts';
import type { StopSwitch } from './stop.ts';
import type { TurnForms } from './turn-forms.ts';
import type { Turn } from './turn.ts';

export interface AnswerPorts {
  robot: Pick<RobotConfig, 'dify' | 'access' | 'dingtalk'>;
  dify: Dify;
  recovery: Recovery;
  sentFiles: QuestionPorts['sentFiles'];
  quotedAnswers: QuotedAnswers;
  lease: Lease;
  stop: StopSwitch;
  deadline: Deadline;
  progress: Progress;
  forms: TurnForms;
  formEnds: Pick<FormEnds, 'show'>;
  clock: Clock;
  log: Log;
}

/**
 * A turn that crashes its instance would be taken over again and again, so after this many owners the text so far is the
 * answer. A run of 20 minutes, Dify's limit, passes through fewer.
 */
const MAX_OWNERS = 40;

/** What came of asking or looking. `isGone`: Dify has no answer and will have none. */
interface Tried {
  obtained: Obtained;
  isGone: boolean;
}

/**
 * Asks, or looks for the answer of a turn that was asked before. An answer that is lost is asked for once more, where that
 * does no harm. Never rejects.
 */
export async function obtainAnswer(turn: Turn, ports: AnswerPorts): Promise<Obtained> {
  const { lease, stop, deadline, clock } = ports;
  const signal = AbortSignal.any([deadline.timeUp, lease.lost, lease.silent, stop.signal]);
  if (turn.form?.expired) {
    lease.note({ appType: turn.form.appType });
    return lookForExpired(async () => (await lookFor(turn, ports, signal, null)).obtained, { clock, signal });
  }
  // The card is left as it is meanwhile: it may show more than what was put on record.
  const tried = turn.mayHaveBeenAsked ? await lookFor(turn, ports, signal, null) : await askFirst(turn, ports, signal);
  return tried.isGone && (await mayAskAgain(turn, ports)) ? askAgain(turn, ports, signal) : tried.obtained;
}

async function askFirst(turn: Turn, ports: AnswerPorts, signal: AbortSignal): Promise<Tried> {
  const { progress, log } = ports;
  const followed = await follow(turn, ports, signal);
  const { error, answer } = followed;
  const hasEnded = error === null && answer.ending?.kind !== 'cut';
  const outlook = hasEnded ? { goesOn: false, isSought: false } : await outlookOf(answer, ports);
  const { obtained, broken } = judgeFollowed(followed, { ...standOf(ports), ...outlook });
  if (broken !== null) log.warn('stream_broken', { turn: turn.reference, ...errorFields(broken) });
  if (obtained !== 'look-for') return { obtained, isGone: false };
  progress.showContinuing();
  return lookFor(turn, ports, signal, broken);
}

/** What can come of an answer whose connection is gone. */
async function outlookOf({ ids }: Answer, { dify, lease }: AnswerPorts) {
  const type = lease.progress.appType ?? 'chat';
  const { runsSurvive, agentsSurvive } = await dify.facts();
  if (type === 'chatflow' || type === 'workflow') {
    // A run that has died with its connection is of no use to another instance.
    if (runsSurvive === false) return { goesOn: false, isSought: false, mayBeLeft: false };
    const goesOn = survivesDisconnect(type, ids);
    return { goesOn, isSought: goesOn };
  }
  // An answer that ends with its connection is looked for as well: it may be whole, or it is asked for once more.
  return { goesOn: type === 'agent' && agentsSurvive === true && ids.messageId !== undefined, isSought: true };
}

/** Asks once more, on the same card: `mayAskAgain` has put that on record. Never rejects. */
async function askAgain(turn: Turn, ports: AnswerPorts, signal: AbortSignal): Promise<Obtained> {
  const { lease, progress, log } = ports;
  const shown = lease.progress.text;
  log.info('question_asked_again', { turn: turn.reference });
  progress.beginAgain();
  const followed = await follow(turn, ports, signal);
  const answer = withAtLeast(followed.answer, shown);
  const now = { ...standOf(ports), goesOn: false, isSought: false };
  const { obtained, broken } = judgeFollowed({ ...followed, answer }, now);
  if (broken !== null) log.warn('stream_broken', { turn: turn.reference, ...errorFields(broken) });
  return obtained === 'look-for' ? { kind: 'lost' } : obtained;
}

/** Asks, or answers a form, and follows the answer to its end or to what breaks it off. Never rejects. */
async function follow(turn: Turn, ports: AnswerPorts, signal: AbortSignal): Promise<Followed> {
  const { dify, lease, progress, clock } = ports;
  const onRefused = () => progress.wait({ kind: 'queued', name: '' });
  const patience = { clock, signal, onRefused };
  try {
    const step = await whenReachable(() => formStep(turn, ports, signal), patience);
    if (step.kind === 'end') return { answer: step.answer, error: null, refused: leftOut(turn) };
    if (step.kind === 'submit') {
      progress.see({ ...emptyAnswer, ids: { runId: step.submission.runId } });
      // On record before Dify has it: from then on the run is looked for, and the form is never answered twice.
      await lease.write();
      const answer = await submit(step.submission, ports, signal);
      return { answer: await withSureForm(answer, dify), error: null, refused: leftOut(turn) };
    }
    const asked = { ...turn, question: step.question };
    const { answer, refused } = await whenReachable(() => askQuestion(asked, ports, signal), patience);
    return { answer: await withSureForm(answer, dify), error: null, refused };
  } catch (error) {
    return { answer: progress.answer, error, refused: null };
  }
}

/** Asks once, with what the message holds. @throws BridgeError, or the reason of `signal`. */
async function askQuestion(turn: Turn, ports: AnswerPorts, signal: AbortSignal) {
  const { dify, lease, progress, clock } = ports;
  const quotedAnswer = (cardKey: string) => ports.quotedAnswers.find(cardKey, turn, signal);
  const { query, files, refused, missed } = await prepareQuestion(turn, { ...ports, quotedAnswer }, signal);
  if (missed) lease.note({ missed });
  const answer = await ask({
    dify,
    question: { ...questionOf(turn, ports, query), files },
    clock,
    signal,
    isSecondTry: lease.progress.isAskedAgain === true,
    onProgress: progress.see,
    onType: (appType) => lease.note({ appType, askedAtMs: clock.now() }),
    onWaiting: progress.wait,
  });
  return { answer, refused };
}

/** Finds the answer of a question that was asked before, or ends with the text so far. Never rejects. */
async function lookFor(turn: Turn, ports: AnswerPorts, signal: AbortSignal, broken: unknown): Promise<Tried> {
  const { lease, log } = ports;
  const { ids, text } = lease.progress;
  const isHopeless = turn.record.fence > MAX_OWNERS;
  const recovered = isHopeless ? { kind: 'lost' as const } : await search(turn, ports, signal);
  if (!lease.lost.aborted) log.info('turn_recovered', { turn: turn.reference, found: recovered.kind });
  const lookedFor = { recovered, before: { ids, text }, reason: signal.reason as unknown, broken };
  return { obtained: judgeRecovered(lookedFor, standOf(ports)), isGone: recovered.kind === 'lost' && !isHopeless };
}

/** What Dify has of a run that was lost. Never rejects. */
async function search(turn: Turn, ports: AnswerPorts, signal: AbortSignal): Promise<LookedFor['recovered']> {
  const { dify, recovery, lease, progress, forms } = ports;
  try {
    const recovered = await recovery.recover(await lostRunOf(turn, ports), signal, progress.see);
    if (recovered.kind !== 'answer') return recovered;
    const whole = await withWholeForm(recovered.answer, dify, lease.progress.form?.token);
    const before = shownBefore(turn, lease.progress);
    forms.textBefore = whole.texts.message.slice(turn.form?.expired?.earlierChars, before);
    return { kind: 'answer', answer: asShown(whole, turn, lease) };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

/** A found answer as it is shown on the card of this turn. */
function asShown(found: Answer, turn: Turn, { progress }: Lease): Answer {
  // What moderation put in the place of the answer counts, whatever Dify has kept.
  if (progress.isReplaced && progress.text !== '')
    return { ...found, texts: { message: progress.text, agent: '', chunk: '' } };
  // What Dify has of a run that waited for a form begins with what stands on the card of the form.
  return withoutBeginning(found, shownBefore(turn, progress));
}

async function lostRunOf(turn: Turn, { dify, lease, forms }: AnswerPorts): Promise<LostRun> {
  const { ids, appType, askedAtMs = turn.acceptedAtMs, eventAtMs = askedAtMs } = lease.progress;
  const facts = await dify.facts();
  const type = appType ?? turn.form?.appType ?? facts.type;
  return {
    reference: turn.reference,
    type,
    isTypeKnown: facts.isTypeKnown && facts.type === type,
    user: userOfRun(turn.user, lease.progress),
    question: askedWords(turn, forms),
    askedAtMs,
    lastEventAtMs: eventAtMs,
    ids: turn.form ? { runId: turn.form.runId, ...ids } : ids,
    version: facts,
  };
}

function standOf({ lease, stop, deadline }: AnswerPorts): Stand {
  return {
    isLost: lease.lost.aborted,
    isStopped: stop.isAsked,
    isSilent: lease.silent.aborted,
    isTimeUp: deadline.timeUp.aborted,
    isEnding: deadline.shutdown.aborted,
    mayBeLeft: lease.mayBeLeft,
  };
}

/** Fills the form in, and follows the run that goes on then. */
function submit(
  { token, action, inputs, user, runId }: FormSubmission,
  { dify, clock, progress, lease, forms, formEnds }: AnswerPorts,
  signal: AbortSignal,
) {
  return resume({
    runId,
    openEvents: (opened) => dify.followRun(runId, user, opened),
    async submit() {
      await dify.submitForm({ token, action, inputs, user });
      forms.noteChosen(token, { action: lease.progress.form?.action ?? action, atMs: clock.now() });
      formEnds.show();
    },
    clock,
    signal,
    onProgress: progress.see,
  });
}

function questionOf(turn: Turn, { robot, lease }: AnswerPorts, query: string) {
  return {
    query,
    inputs: fillInputs(robot.dify.inputs, turn.message, query),
    queryInput: robot.dify.queryInput,
    user: turn.user,
    conversationId: conversationToAskIn(turn, lease.progress),
  };
}
