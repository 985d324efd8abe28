import type { TurnPorts } from './ports.ts';
import { answerText, emptyAnswer, endAnswer, type Answer } from '../answer/answer.ts';
import { continuing, typingView, type ViewOptions } from '../answer/view.ts';
import { endingFailure, ask } from '../ask/ask.ts';
import { isFormOver, readFormTurn, type FormSubmission } from '../ask/form.ts';
import { fillInputs } from '../ask/inputs.ts';
import { prepareQuestion } from '../ask/question.ts';
import { resumeRun, type ResumeOptions } from '../ask/resume.ts';
import type { OpenCard } from '../delivery/card.ts';
import { survivesDisconnect } from '../dify/runs.ts';
import { BridgeError } from '../errors.ts';
import type { Attachments } from '../files/attachments.ts';
import type { LostRun } from '../recovery/search.ts';
import { errorFields } from '../runtime/log.ts';
import { timeUpSignal } from './deadline.ts';
import { askerOf } from './conversation.ts';
import type { Lease } from './lease.ts';
import { readWaiting } from './record.ts';
import type { Turn } from './turn.ts';

interface Answered {
  kind: 'answer';
  answer: Answer;
  failure: BridgeError | null;
  /** The form that the conversation waited for is answered, or cannot be answered any more. */
  formIsOver?: boolean;
  /** Why a part of the question was left out. */
  refused?: BridgeError | null;
}

/** What became of asking (or looking for) an answer. */
export type Obtained =
  | Answered
  /** It goes on at Dify, but not here: time is up. */
  | { kind: 'unfinished' }
  /** Somebody else has taken the turn over. */
  | { kind: 'lost' };

/**
 * An answer that shows nothing for this long is put on record by its ids, so that it can be found again, and stopped from
 * another instance within a second.
 */
const RECORD_IDS_MS = 700;

/** What is recorded of a text: about as much as can be shown of one. */
const MAX_RECORDED_CHARS = 50_000;

/**
 * Whoever takes a turn over may die of it. After so many hands the text so far is the answer; a run of 20 minutes, Dify's
 * limit, passes through fewer.
 */
const MAX_CLAIMS = 40;

/** Asks, or looks for the answer of a turn that was asked before. Never rejects. */
export async function obtainAnswer(
  turn: Turn,
  ports: TurnPorts,
  { lease, card, outbox, view }: { lease: Lease; card: OpenCard | null; outbox: Attachments | null; view: ViewOptions },
): Promise<Obtained> {
  const timeUp = timeUpSignal(ports);
  const signal = AbortSignal.any([timeUp.signal, lease.lost, ports.stop.signal]);
  let answer: Answer = emptyAnswer;
  let hasIds = false;
  let formIsOver = false;
  let refused: BridgeError | null = null;
  const onProgress = (soFar: Answer) => {
    answer = soFar;
    outbox?.see(soFar);
    lease.note({ ids: soFar.ids });
    if (!hasIds && Object.keys(soFar.ids).length > 0) {
      hasIds = true;
      // Of a run that goes on by itself they are worth the whole answer, and its first text may be long in coming: they
      // wait only for the card, so that nobody makes that once more.
      const goesOn = survivesDisconnect(lease.progress.appType ?? 'chat', soFar.ids);
      lease.writeWithin(RECORD_IDS_MS, goesOn ? (card?.opened ?? Promise.resolve()) : undefined);
    }
    // What was shown before a change of hands stays until the whole answer is there: pieces are never put together.
    if (turn.mayHaveBeenAsked) return;
    if (!Object.values(soFar.texts).some((text) => text !== '')) {
      if (soFar.activity) card?.hint(() => typingView(soFar, view));
      return;
    }
    lease.noteText(() => answerText(soFar).text.slice(0, MAX_RECORDED_CHARS));
    card?.noteText();
    card?.writer.show(() => typingView(soFar, view));
  };
  try {
    // The card is left as it is meanwhile: it may show more than what was put on record.
    if (turn.mayHaveBeenAsked) return await lookFor(turn, ports, lease, signal, onProgress);
    const reply = await readFormTurn(
      {
        form: turn.form,
        waiting: readWaiting(turn.record.context?.form ?? null),
        asker: askerOf(turn.message),
        question: turn.question,
      },
      ports,
    );
    formIsOver = reply.kind === 'question' && reply.isOver;
    if (reply.kind === 'submission') {
      // On record before Dify has it: from then on the run is looked for, and never answered twice.
      lease.note({ ids: { runId: reply.submission.runId }, appType: reply.submission.appType });
      answer = { ...answer, ids: { runId: reply.submission.runId } };
      const onSubmitted = () => (formIsOver = true);
      answer = await submit(reply.submission, ports, { signal, onProgress, onSubmitted });
    } else {
      const prepared = await prepareQuestion(
        { message: turn.message, question: turn.question, user: turn.conversation.difyUser },
        ports,
        signal,
      );
      const { query, files } = prepared;
      ({ refused } = prepared);
      answer = await ask({
        dify: ports.dify,
        question: { ...questionOf(turn, ports, query), files },
        clock: ports.clock,
        signal,
        onProgress,
        onType: (appType) => lease.note({ appType }),
      });
    }
    if (answer.ending?.kind !== 'cut')
      return { kind: 'answer', answer, failure: endingFailure(answer), formIsOver, refused };
    throw new BridgeError('dify_cut', 'the stream ended without an end');
  } catch (error) {
    if (lease.lost.aborted) return { kind: 'lost' };
    const goesOn = survivesDisconnect(lease.progress.appType ?? 'chat', answer.ids);
    if (ports.stop.signal.aborted)
      return { kind: 'answer', answer: { ...answer, ending: { kind: 'stopped' } }, failure: null };
    // A process that is told to end leaves every answer to the next one, which has the time to look for it.
    const isLeft = goesOn || ports.shutdown.aborted;
    if (timeUp.signal.aborted && isLeft && mayBeLeft(lease, ports)) return { kind: 'unfinished' };
    answer = endAnswer(answer);
    if (!isBroken(error)) {
      const failure = asBridgeError(error);
      // A form that Dify did not take is still there to be answered.
      return { kind: 'answer', answer, failure, formIsOver: formIsOver || isFormOver(failure) };
    }
    // The connection broke. A run that goes on without it is looked after; else the text so far is the answer.
    ports.log.warn('stream_broken', { turn: turn.reference, ...errorFields(error) });
    if (goesOn) {
      // Taken now: what is found while looking holds no text.
      const { text } = answerText(answer);
      card?.writer.show(() => continuing(text, view));
      const found = await lookFor(turn, ports, lease, signal, onProgress);
      return found.kind === 'answer' ? { ...found, formIsOver } : found;
    }
    return { kind: 'answer', answer, failure: endingFailure(answer) && asBridgeError(error), formIsOver };
  } finally {
    timeUp.cancel();
  }
}

/** Finds the answer of a question that was asked before, or ends with the text so far. Never rejects. */
async function lookFor(
  turn: Turn,
  ports: TurnPorts,
  lease: Lease,
  signal: AbortSignal,
  onProgress: (answer: Answer) => void,
): Promise<Obtained> {
  const { ids, appType, text } = lease.progress;
  const run: LostRun = {
    reference: turn.reference,
    type: appType ?? (await ports.dify.facts()).type,
    user: turn.conversation.difyUser,
    question: turn.question,
    askedAtMs: turn.acceptedAtMs,
    ids,
  };
  const isHopeless = turn.record.fence > MAX_CLAIMS;
  const recovered = isHopeless ? { kind: 'lost' as const } : await ports.recovery.recover(run, signal, onProgress);
  if (lease.lost.aborted) return { kind: 'lost' };
  ports.log.info('turn_recovered', { turn: turn.reference, found: recovered.kind });
  const partial = endAnswer({ ...emptyAnswer, ids, texts: { ...emptyAnswer.texts, message: text } });
  switch (recovered.kind) {
    case 'answer': {
      const found = recovered.answer;
      // Of a run that did not come to its end Dify may have no text: what was shown stays.
      const isShort = found.ending?.kind !== 'complete' && answerText(found).text === '';
      const answer = isShort ? { ...found, texts: partial.texts } : found;
      return { kind: 'answer', answer, failure: endingFailure(answer) };
    }
    case 'still-running':
      if (ports.stop.signal.aborted)
        return { kind: 'answer', answer: { ...partial, ending: { kind: 'stopped' } }, failure: null };
      return mayBeLeft(lease, ports)
        ? { kind: 'unfinished' }
        : { kind: 'answer', answer: partial, failure: asBridgeError(signal.reason) };
    case 'lost':
      return {
        kind: 'answer',
        answer: partial,
        failure: text === '' ? new BridgeError('answer_lost', 'the function ended and Dify has no answer') : null,
      };
  }
}

/** Whether somebody else can find the turn on record: not when the record ends with this process. */
function mayBeLeft(lease: Lease, { state, shutdown }: TurnPorts): boolean {
  return lease.isRecorded && (state.isDurable || !shutdown.aborted);
}

/** Fills the form in, and follows the run that goes on then. */
function submit(
  { token, action, inputs, user, runId }: FormSubmission,
  { forms, clock }: TurnPorts,
  { onSubmitted, ...options }: Pick<ResumeOptions, 'signal' | 'onProgress'> & { onSubmitted: () => void },
): Promise<Answer> {
  return resumeRun({
    runId,
    openEvents: (opened) => forms.follow(runId, user, opened),
    async submit() {
      await forms.submit({ token, action, inputs, user });
      onSubmitted();
    },
    clock,
    ...options,
  });
}

function questionOf(turn: Turn, { robot }: TurnPorts, query: string) {
  return {
    query,
    inputs: fillInputs(robot.dify.inputs, turn.message, query),
    queryInput: robot.dify.queryInput,
    user: turn.conversation.difyUser,
    conversationId: turn.record.context?.difyConversationId ?? null,
  };
}

const isBroken = (error: unknown) =>
  error instanceof BridgeError && (error.code === 'dify_cut' || error.code === 'dify_stalled');

const asBridgeError = (error: unknown) =>
  error instanceof BridgeError ? error : new BridgeError('internal', 'unexpected', {}, error);
