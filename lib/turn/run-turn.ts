import type { TurnPorts } from './ports.ts';
import type { Answer } from '../answer/answer.ts';
import { endingNotes, failureText } from '../answer/ending.ts';
import { sendLink } from '../answer/links.ts';
import { continuing, finalView, type ViewOptions } from '../answer/view.ts';
import { waitingForm } from '../ask/form.ts';
import { openCard, type OpenCard } from '../delivery/card.ts';
import { deliver, sendAll } from '../delivery/deliver.ts';
import type { FinishedAnswer } from '../delivery/follow-ups.ts';
import { sendFiles } from '../files/attachments.ts';
import { errorFields } from '../runtime/log.ts';
import { MAX_HOPS } from './handover.ts';
import { openLease, type Lease, type NextTurn } from './lease.ts';
import { obtainAnswer } from './obtain-answer.ts';
import { formChange, noProgress, readProgress, writeReceipt } from './record.ts';
import type { Turn } from './turn.ts';

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
  const sink = lease.progress.hasCard === false ? null : ports.card();
  const lookForCard = async () => readProgress((await ports.state.peek(turn.id)).progress)?.hasCard ?? null;
  const card =
    sink &&
    openCard(
      {
        sink,
        reference: turn.reference,
        acceptedAtMs: turn.acceptedAtMs,
        isOpen: lease.progress.hasCard === true,
        lookForCard: turn.hasWaited ? lookForCard : null,
        onOpened: (hasCard) => lease.note({ hasCard }),
        onTextShown: () => void lease.write(),
      },
      { ...ports, settleMs: robot.dingtalk.cardSettleMs },
    );
  const outbox = ports.openAttachments();
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
  // A question with files or a form of its own cannot be asked again in words.
  const isWords = turn.message.content.kind === 'text' && turn.form === null;
  const retryText = isWords && view.links ? turn.question : null;
  const notes = endingNotes(answer, failure, { reference: turn.reference, retryText }, ports.texts);
  const shown = await deliver(
    hasCard ? card.writer : null,
    failure ? 'failed' : 'finished',
    (onCard) => finalView(answer, notes, onCard, view),
    {
      ...ports,
      reference: turn.reference,
      // Of a card that another invocation has already ended, the end is refused: then it is there to be seen.
      mayHaveEnded: turn.mayHaveBeenAsked,
      cardWasUnsafe: card?.refusedFor() === 'dingtalk_content_unsafe',
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
  const finished: FinishedAnswer = {
    turn: {
      id: turn.id,
      reference: turn.reference,
      isGroup: turn.message.chat.isGroup,
      user: turn.conversation.difyUser,
      maySpend: turn.level === 'full',
    },
    answer,
    view,
    onCard: shown === 'card',
  };
  const extra = failure === null && !isStopped ? await ports.followUps.plan(finished) : null;
  if (extra) lease.note({ calls: lease.progress.calls + extra.calls });
  const { next, isStopped: isStoppedElsewhere } = await lease.finish({
    failure: failure?.code ?? null,
    receipt: writeReceipt(turn.message, lease.progress, turn.form?.user ?? turn.conversation.difyUser, form),
    form: formChange(turn, answer, lease.progress.appType, obtained.formIsOver ?? false),
  });
  if (isStoppedElsewhere && !isStopped && failure === null && shown === 'card')
    ports.alongside(ports.followUps.markStopped(finished));
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
  const { log, handover } = ports;
  const view = viewOf(turn, ports);
  const hasCard = card !== null && (await card.opened);
  if (hasCard) await card.writer.leave(continuing(lease.progress.text, view));
  await lease.release();
  const { fence, hop } = turn.record;
  const handedOver =
    hop < MAX_HOPS && !ports.shutdown.aborted && (await handover.resume({ turnId: turn.id, fence, hop: hop + 1 }));
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
  const { fence, owner, context } = turn.record;
  return openLease({
    state: ports.state,
    clock: ports.clock,
    log: ports.log,
    timing: ports.leaseTiming,
    turnId: turn.id,
    reference: turn.reference,
    fence,
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
