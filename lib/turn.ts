import type { Answer } from './answer.ts';
import type { Conversation } from './conversation.ts';
import { MAX_HOPS, type Courier } from './courier.ts';
import { deliver, errorFields, sendAll } from './delivery.ts';
import type { DifyClient } from './dify/client.ts';
import { openLease, type Lease, type LeaseOptions, type LeaseTiming, type NextTurn } from './lease.ts';
import type { DifyRecovery } from './recover-answer.ts';
import type { ConversationContext, SpendingLevel, State } from './state/state.ts';
import { continuing, obtainAnswer } from './turn-answer.ts';
import { openCard, type CardPorts, type OpenCard } from './turn-card.ts';
import { sendFiles, type Outbox } from './outbox.ts';
import { sendLink } from './quick-links.ts';
import { writeReceipt } from './receipt.ts';
import type { Extras, FinishedAnswer } from './turn-extras.ts';
import { formChange, waitingForm, type FormPorts } from './turn-form.ts';
import type { QuestionPorts } from './turn-question.ts';
import { endingNotes, failureText } from './turn-notes.ts';
import { noProgress, type TurnPayload, type TurnProgress } from './turn-record.ts';
import { finalView, type ViewOptions } from './view.ts';

/** One question, from accepted to answered. */
export interface Turn extends TurnPayload {
  /** Also the card's id, so that however often a turn is begun there is one card. */
  id: string;
  /** Short, in the log and in what users see of a failure. */
  reference: string;
  conversation: Conversation;
  /** The context is null while the store is down: the question is answered from here alone, without memory. */
  record: { claim: number; owner: string; hop: number; context: ConversationContext | null };
  /** How freely it may spend DingTalk calls. */
  level: SpendingLevel;
  progress: TurnProgress | null;
  /** It has waited, so that whoever accepted it is opening (or has opened) its card. */
  hasWaited: boolean;
  /** How long the store took to accept it, in milliseconds; null for a turn that somebody else had accepted. */
  acceptMs: number | null;
  /** Then the answer is looked for and never asked for again: that would be a second run. */
  mayHaveBeenAsked: boolean;
}

export interface TurnPorts extends CardPorts, QuestionPorts, FormPorts {
  dify: DifyClient;
  recovery: DifyRecovery;
  state: State;
  courier: Courier;
  leaseTiming: LeaseTiming;
  onRunning: LeaseOptions['onRunning'];
  /** When this invocation ends (milliseconds since the epoch), or null where nothing ends it. */
  deadlineMs: number | null;
  /** Aborts when the process is asked to end; its reason says so. */
  shutdown: AbortSignal;
  stop: StopSwitch;
  /** For the files of the answer; null where nothing may be spent on them. */
  openOutbox: () => Outbox | null;
  meter: CallMeter;
  /** Shows what belongs below an answer on its card. */
  extras: Extras;
  /** Goes on beside the next turn. The work never rejects. */
  alongside: (work: Promise<void>) => void;
}

/** Where the calls to DingTalk for an answer are counted, as far as they count for the organisation's month. */
export interface CallMeter {
  onCall: () => void;
}

/** How an answer is stopped, from here or from another instance. */
export interface StopSwitch {
  readonly isAsked: boolean;
  /** Aborts a while after it was asked, when Dify has not ended the answer by itself. */
  readonly signal: AbortSignal;
  /** Tells Dify, once however often it is asked. Never rejects. */
  ask(): Promise<void>;
  /** Told how far the answer got: what Dify calls it is known only when it has begun. */
  progress: () => TurnProgress | null;
}

/**
 * Answers one question and returns the next of its conversation, if one waits. Never rejects: whatever goes wrong ends
 * in something that the asker can see.
 */
export async function runTurn(turn: Turn, ports: TurnPorts): Promise<NextTurn | null> {
  const lease = leaseOf(turn, ports);
  ports.stop.progress = () => lease.progress;
  ports.meter.onCall = () => lease.note({ calls: lease.progress.calls + 1 });
  try {
    return await answerUnderLease(turn, ports, lease);
  } catch (error) {
    // It stays on record, and whoever comes by ends it.
    ports.log.error('turn_crashed', { turn: turn.reference, ...errorFields(error) });
    return null;
  } finally {
    // However it ended: a lease that went on by itself would keep everybody else away.
    lease.stop();
  }
}

async function answerUnderLease(turn: Turn, ports: TurnPorts, lease: Lease): Promise<NextTurn | null> {
  const { robot, clock, log } = ports;
  const view = viewOf(turn, ports);
  const card = openCard(turn, ports, lease);
  const outbox = ports.openOutbox();
  const obtained = await obtainAnswer(turn, ports, { lease, card, outbox, view });
  if (obtained.kind === 'lost' || !(await lease.isHeld())) {
    await card?.writer.leave();
    return null;
  }
  if (obtained.kind === 'unfinished') {
    await leaveForLater(turn, ports, lease, card);
    return null;
  }
  const { failure } = obtained;
  const isStopped = ports.stop.isAsked && failure === null;
  // Dify ends a stopped answer of most apps like any other.
  const answer: Answer = isStopped ? { ...obtained.answer, ending: { kind: 'stopped' } } : obtained.answer;
  if (failure) log.warn('turn_failed', { turn: turn.reference, ...errorFields(failure) });
  const hasCard = card !== null && (await card.opened);
  const notes = endingNotes(answer, failure, turn, ports);
  const shown = await deliver(
    hasCard ? card.writer : null,
    failure ? 'failed' : 'finished',
    (onCard) => finalView(answer, notes, onCard, view),
    {
      ...ports,
      reference: turn.reference,
      // Of a card that another invocation has already ended, the end is refused: then it is there to be seen.
      mayHaveEnded: turn.mayHaveBeenAsked,
      isUnsafe: card?.refusedFor() === 'dingtalk_content_unsafe',
      async isHeld() {
        await lease.write();
        return !lease.lost.aborted;
      },
      endLater: ports.alongside,
    },
  );
  const { refused } = obtained;
  if (refused) await sendAll([failureText(refused, ports.texts)], false, { ...ports, reference: turn.reference });
  if (failure === null) await sendFiles(answer, outbox, { ...ports, reference: turn.reference });
  lease.note({ ids: answer.ids });
  const form = waitingForm(answer);
  const finished: FinishedAnswer = { turn, answer, view, onCard: shown === 'card' };
  const extra = failure === null && !isStopped ? await ports.extras.plan(finished) : null;
  if (extra) lease.note({ calls: lease.progress.calls + extra.calls });
  const { next, isStopped: isStoppedElsewhere } = await lease.finish({
    failure: failure?.code ?? null,
    receipt: writeReceipt(turn.message, lease.progress, turn.form?.user ?? turn.conversation.difyUser, form),
    form: formChange(turn, answer, lease.progress.appType, obtained.formIsOver ?? false),
  });
  if (isStoppedElsewhere && !isStopped && failure === null && shown === 'card')
    ports.alongside(ports.extras.markStopped(finished));
  else if (extra) ports.alongside(extra.show());
  log.info('turn_finished', {
    turn: turn.reference,
    robot: robot.name,
    outcome: failure?.code ?? answer.ending?.kind ?? 'failed',
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
  return next;
}

/** Time is up, the run is not: the turn goes to a fresh invocation, or stays on record for whoever comes by. */
async function leaveForLater(turn: Turn, ports: TurnPorts, lease: Lease, card: OpenCard | null): Promise<void> {
  const { log, courier } = ports;
  const view = viewOf(turn, ports);
  const hasCard = card !== null && (await card.opened);
  if (hasCard) await card.writer.leave(continuing(lease.progress.text, view));
  await lease.release();
  const { claim, hop } = turn.record;
  const handedOver =
    hop < MAX_HOPS && !ports.shutdown.aborted && (await courier.resume({ turnId: turn.id, claim, hop: hop + 1 }));
  log.info(handedOver ? 'turn_handed_over' : 'turn_left_on_record', { turn: turn.reference, hop });
}

function viewOf({ message: { chat } }: Turn, { robot, texts }: TurnPorts): ViewOptions {
  const { cardButtons, cardMaxChars } = robot.dingtalk;
  const links = !cardButtons && !chat.isGroup;
  const stopHint = links ? sendLink(texts.stop, texts.stopWord) : cardButtons ? '' : texts.stopByWord;
  return { texts, showThinking: robot.showThinking, cardMaxChars, links, stopHint };
}

function leaseOf(turn: Turn, ports: TurnPorts): Lease {
  const progress = turn.progress ?? noProgress;
  const { claim, owner, context } = turn.record;
  return openLease({
    state: ports.state,
    clock: ports.clock,
    log: ports.log,
    timing: ports.leaseTiming,
    turnId: turn.id,
    reference: turn.reference,
    claim,
    owner,
    conversationKey: turn.conversation.key,
    generation: context?.generation ?? null,
    conversationTtlMs: ports.robot.conversation.ttlMs,
    deadlineMs: ports.deadlineMs,
    progress,
    onRunning: ports.onRunning,
    onStopped: () => void ports.stop.ask(),
    isEnding: () => ports.shutdown.aborted,
  });
}
