// What an answer is shown by, with answers that a test writes: a card, a way to send messages, and a log to read.
import type { CardSink, Frame, MessageSink } from '../../lib/delivery/sink.ts';
import { cardRefusals } from '../../lib/dingtalk/failures.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { createLog, type Log } from '../../lib/runtime/log.ts';

/** How a call ends: null is success, an error is thrown as it is. With `done` it was carried out all the same. */
export type Outcome = ErrorCode | Error | { done: ErrorCode } | null;

export function settle(outcome: Outcome | undefined): void {
  if (outcome instanceof Error) throw outcome;
  if (!outcome) return;
  throw new BridgeError(typeof outcome === 'object' ? outcome.done : outcome, 'on purpose');
}

const isDone = (outcome: Outcome | undefined) =>
  !outcome || (typeof outcome === 'object' && !(outcome instanceof Error));

/** The code of what a piece of work throws; `fine` when it does not. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof BridgeError ? error.code : 'unexpected'),
  );

export interface ScriptedCard extends CardSink {
  /** How the next calls to open it, to show a frame, and to close it, end. When they are used up, calls succeed. */
  opens: Outcome[];
  writes: Outcome[];
  closes: Outcome[];
  /** What it shows, as `state: text`; null before the first frame. It takes no frame after its last one. */
  shows: string | null;
  /** When it was tried to open it, in milliseconds since the start. */
  openedAtMs: number[];
  /** Frames that it was asked to show, shown or not. */
  frames: (Frame & { atMs: number })[];
  /** Whether a call began before the one before it had ended. */
  hasOverlapped: boolean;
  latencyMs: number;
}

export function createScriptedCard(
  clock: Clock,
  outcomes: { opens?: Outcome[]; writes?: Outcome[]; closes?: Outcome[] } = {},
): ScriptedCard {
  const startMs = clock.now();
  let underWay = 0;
  let endedBy: string | null = null;
  const ended = new BridgeError('dingtalk_refused', 'on purpose', { status: 400, upstreamCode: 'x.finished' });
  async function call(outcome: Outcome | undefined): Promise<void> {
    card.hasOverlapped ||= underWay > 0;
    underWay += 1;
    if (card.latencyMs > 0) await sleep(clock, card.latencyMs);
    underWay -= 1;
    settle(outcome);
  }
  const card: ScriptedCard = {
    ...cardRefusals,
    opens: [...(outcomes.opens ?? [])],
    writes: [...(outcomes.writes ?? [])],
    closes: [...(outcomes.closes ?? [])],
    shows: null,
    openedAtMs: [],
    frames: [],
    hasOverlapped: false,
    latencyMs: 0,
    async open() {
      card.openedAtMs.push(clock.now() - startMs);
      await call(card.opens.shift());
    },
    async write(frame) {
      card.frames.push({ ...frame, atMs: clock.now() - startMs });
      const given = card.writes.shift();
      const isLate = !given && endedBy !== null && endedBy !== frame.id;
      if (isDone(given) && endedBy === null) {
        card.shows = `${frame.state}: ${frame.text}`;
        if (frame.state !== 'typing') endedBy = frame.id;
      }
      await call(isLate ? ended : given);
    },
    async close(text) {
      const given = card.closes.shift();
      if (isDone(given)) {
        card.shows = `finished: ${text}`;
        endedBy ??= '';
      }
      await call(given);
    },
  };
  return card;
}

export interface ScriptedReply extends MessageSink {
  /** How the next messages end. When they are used up, messages are sent. */
  outcomes: Outcome[];
  /** Messages that it was asked to send, sent or not. */
  messages: { title: string; text: string; mentionAsker: boolean; atMs: number }[];
}

export function createScriptedReply(clock: Clock, outcomes: Outcome[] = []): ScriptedReply {
  const startMs = clock.now();
  const reply: ScriptedReply = {
    outcomes: [...outcomes],
    messages: [],
    async send(message) {
      reply.messages.push({ ...message, atMs: clock.now() - startMs });
      settle(reply.outcomes.shift());
    },
  };
  return reply;
}

/** A log, and its lines as they come. */
export function createLogLines(clock: Clock): { log: Log; lines: Record<string, unknown>[]; events: () => unknown[] } {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(clock, 'debug', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  return { log, lines, events: () => lines.map(({ event }) => event) };
}
