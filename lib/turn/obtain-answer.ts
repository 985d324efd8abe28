import { emptyAnswer, withoutBeginning } from '../answer/answer.ts';
import { ask } from '../ask/ask.ts';
import { decideForm, type FormSubmission } from '../ask/form.ts';
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
import { readKeptForm, shownBefore } from './answered.ts';
import { askerOf } from './conversation.ts';
import type { Deadline } from './deadline.ts';
import {
  judgeFollowed,
  judgeRecovered,
  type Circumstances,
  type Followed,
  type LookedFor,
  type Obtained,
} from './judge.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import { userOfRun } from './record.ts';
import type { StopSwitch } from './stop.ts';
import type { Turn } from './turn.ts';

export interface AnswerPorts {
  robot: Pick<RobotConfig, 'dify'>;
  dify: Dify;
  recovery: Recovery;
  sentFiles: QuestionPorts['sentFiles'];
  lease: Lease;
  stop: StopSwitch;
  deadline: Deadline;
  progress: Progress;
  clock: Clock;
  log: Log;
}

/**
 * A turn that crashes its instance would be taken over again and again, so after this many owners the text so far is the
 * answer. A run of 20 minutes, Dify's limit, passes through fewer.
 */
const MAX_OWNERS = 40;

/** Asks, or looks for the answer of a turn that was asked before. Never rejects. */
export async function obtainAnswer(turn: Turn, ports: AnswerPorts): Promise<Obtained> {
  const { lease, stop, deadline, progress, log } = ports;
  const signal = AbortSignal.any([deadline.timeUp, lease.lost, stop.signal]);
  // The card is left as it is meanwhile: it may show more than what was put on record.
  if (turn.mayHaveBeenAsked) return lookFor(turn, ports, signal);
  const followed = await follow(turn, ports, signal);
  const goesOn = survivesDisconnect(lease.progress.appType ?? 'chat', followed.answer.ids);
  const { obtained, broken } = judgeFollowed(followed, { ...circumstances(ports), goesOn });
  if (broken !== null) log.warn('stream_broken', { turn: turn.reference, ...errorFields(broken) });
  if (obtained !== 'look-for') return obtained;
  progress.showContinuing();
  const found = await lookFor(turn, ports, signal);
  return found.kind === 'answer' ? { ...found, formIsOver: followed.formIsOver } : found;
}

/** Asks, or answers a form, and follows the answer to its end or to what breaks it off. Never rejects. */
async function follow(turn: Turn, ports: AnswerPorts, signal: AbortSignal): Promise<Followed> {
  const { dify, lease, progress, clock } = ports;
  let formIsOver = false;
  const onRefused = () => progress.wait({ kind: 'queued', name: '' });
  const patience = { clock, signal, onRefused };
  try {
    const waiting = readKeptForm(turn.record.context?.form ?? null);
    const asker = askerOf(turn.message);
    const candidate = { form: turn.form, waiting, asker, question: turn.question };
    const reply = await whenReachable(() => decideForm(candidate, { dify }), patience);
    if (reply.kind === 'submission') {
      const { submission } = reply;
      const { runId, appType, user, shownChars } = submission;
      lease.note({ ids: { runId }, appType, form: { user, shownChars } });
      progress.see({ ...emptyAnswer, ids: { runId } });
      // On record before Dify has it: from then on the run is looked for, and the form is never answered twice.
      await lease.write();
      const answer = await submit(submission, ports, signal, () => (formIsOver = true));
      return { answer, error: null, formIsOver, refused: null };
    }
    formIsOver = reply.isOver;
    const { answer, refused } = await whenReachable(() => askQuestion(turn, ports, signal), patience);
    return { answer, error: null, formIsOver, refused };
  } catch (error) {
    return { answer: progress.answer, error, formIsOver, refused: null };
  }
}

/** Asks once, with what the message holds. @throws BridgeError, or the reason of `signal`. */
async function askQuestion(turn: Turn, ports: AnswerPorts, signal: AbortSignal) {
  const { dify, lease, progress, clock } = ports;
  const { query, files, refused } = await prepareQuestion(turn, ports, signal);
  const answer = await ask({
    dify,
    question: { ...questionOf(turn, ports, query), files },
    clock,
    signal,
    onProgress: progress.see,
    onType: (appType) => lease.note({ appType }),
    onWaiting: progress.wait,
  });
  return { answer, refused };
}

/** Finds the answer of a question that was asked before, or ends with the text so far. Never rejects. */
async function lookFor(turn: Turn, ports: AnswerPorts, signal: AbortSignal): Promise<Obtained> {
  const { dify, lease, log } = ports;
  const { ids, appType, text } = lease.progress;
  const run = {
    reference: turn.reference,
    type: appType ?? turn.form?.appType ?? (await dify.facts()).type,
    user: userOfRun(turn.user, lease.progress),
    question: turn.question,
    askedAtMs: turn.acceptedAtMs,
    ids: turn.form ? { runId: turn.form.runId, ...ids } : ids,
  };
  const recovered = await search(run, turn, ports, signal);
  if (!lease.lost.aborted) log.info('turn_recovered', { turn: turn.reference, found: recovered.kind });
  return judgeRecovered({ recovered, before: { ids, text }, reason: signal.reason }, circumstances(ports));
}

/** What Dify has of a run that was lost. Never rejects. */
async function search(
  run: LostRun,
  turn: Turn,
  { recovery, lease, progress }: AnswerPorts,
  signal: AbortSignal,
): Promise<LookedFor['recovered']> {
  if (turn.record.fence > MAX_OWNERS) return { kind: 'lost' };
  try {
    const recovered = await recovery.recover(run, signal, progress.see);
    if (recovered.kind !== 'answer') return recovered;
    // What Dify has of a run that waited for a form begins with what stands on the card of the form.
    return { kind: 'answer', answer: withoutBeginning(recovered.answer, shownBefore(turn, lease.progress)) };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

function circumstances({ lease, stop, deadline }: AnswerPorts): Omit<Circumstances, 'goesOn'> {
  return {
    isLost: lease.lost.aborted,
    isStopped: stop.signal.aborted,
    isTimeUp: deadline.timeUp.aborted,
    isEnding: deadline.shutdown.aborted,
    mayBeLeft: lease.mayBeLeft,
  };
}

/** Fills the form in, and follows the run that goes on then. */
function submit(
  { token, action, inputs, user, runId }: FormSubmission,
  { dify, clock, progress }: AnswerPorts,
  signal: AbortSignal,
  onSubmitted: () => void,
) {
  return resume({
    runId,
    openEvents: (opened) => dify.followRun(runId, user, opened),
    async submit() {
      await dify.submitForm({ token, action, inputs, user });
      onSubmitted();
    },
    clock,
    signal,
    onProgress: progress.see,
  });
}

function questionOf(turn: Turn, { robot }: AnswerPorts, query: string) {
  return {
    query,
    inputs: fillInputs(robot.dify.inputs, turn.message, query),
    queryInput: robot.dify.queryInput,
    user: turn.user,
    conversationId: turn.record.context?.difyConversationId ?? null,
  };
}
