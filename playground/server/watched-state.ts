import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { State } from '../../lib/state/state.ts';
import type { Journal } from './journal.ts';
import { isTroubled, noteTurn, questionOfTurn, watchedQuestion, watching } from './watch.ts';

/** How long the function waits for its store before it counts as down (the design's figure). */
const STORE_TIMEOUT_MS = 800;

/** A store whose every operation is on record, and which can be switched off. */
export function watchState(state: State, journal: Journal, clock: Clock): State {
  /** From here on the running work belongs to the question of this turn. */
  function moveTo(turnId: string | undefined): void {
    const store = watching.getStore();
    if (!store || turnId === undefined) return;
    const question = questionOfTurn(turnId);
    if (question !== undefined) store.question = question;
    // The message that a tap stands for is made by the function; the tap goes on being what it came from.
    else if (store.question !== null) noteTurn(turnId, store.question);
  }

  async function watch<Result>(name: string, request: object, run: () => Promise<Result>): Promise<Result> {
    const text = JSON.stringify(request);
    const open = journal.openCall({
      service: 'store',
      name,
      method: null,
      target: null,
      question: watchedQuestion(),
      request: text,
      requestBytes: Buffer.byteLength(text),
    });
    if (isTroubled('storeDown')) {
      await sleep(clock, STORE_TIMEOUT_MS);
      open.finish({ code: 'timeout' });
      throw new BridgeError('store_unavailable', 'the store is switched off in the playground');
    }
    const result = await run();
    const response = JSON.stringify(result ?? null);
    open.finish({ code: 'ok', response, responseBytes: Buffer.byteLength(response) });
    return result;
  }

  return {
    isDurable: state.isDurable,
    tokens: null,
    storeTime: (nowMs) => state.storeTime(nowMs),
    noteArrival: state.noteArrival,
    claim(request) {
      moveTo(request.turnId);
      return watch('claim', request, () => state.claim(request));
    },
    accept(request) {
      moveTo(request.turnId);
      return watch('accept', request, () => state.accept(request));
    },
    hold(request) {
      moveTo(request.turnId);
      return watch('hold', request, () => state.hold(request));
    },
    renew: (request) => watch('renew', request, () => state.renew(request)),
    async finish(request) {
      const reply = await watch('finish', request, () => state.finish(request));
      if (reply.kind === 'finished') moveTo(reply.next?.turnId);
      return reply;
    },
    takeOver(request) {
      moveTo(request.turnId);
      return watch('takeOver', request, () => state.takeOver(request));
    },
    overdue: (request) => watch('overdue', request, () => state.overdue(request)),
    noteWaiting: (request) => watch('noteWaiting', request, () => state.noteWaiting(request)),
    noteDropped: (turnId) => watch('noteDropped', { turnId }, () => state.noteDropped(turnId)),
    peek: (turnId) => watch('peek', { turnId }, () => state.peek(turnId)),
    dueForms: (request) => watch('dueForms', request, () => state.dueForms(request)),
    postponeForm: (request) => watch('postponeForm', request, () => state.postponeForm(request)),
    startConversation: (request) => watch('startConversation', request, () => state.startConversation(request)),
    stop: (request) => watch('stop', request, () => state.stop(request)),
    lookUp: (turnId) => watch('lookUp', { turnId }, () => state.lookUp(turnId)),
    receiptOf: (cardKey) => watch('receiptOf', { cardKey }, () => state.receiptOf(cardKey)),
    noteForm: (request) => watch('noteForm', request, () => state.noteForm(request)),
    rate: (request) => watch('rate', request, () => state.rate(request)),
    status: (request) => state.status(request),
    flags: state.flags,
  };
}
