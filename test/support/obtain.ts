// Obtains the answer of one turn in a world whose Dify a test writes.
import { answerText, emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import { obtainAnswer } from '../../lib/turn/obtain-answer.ts';
import { openDeadline } from '../../lib/turn/deadline.ts';
import type { Obtained } from '../../lib/turn/judge.ts';
import { createProgress } from '../../lib/turn/progress.ts';
import { createStops } from '../../lib/turn/stop.ts';
import { openTurnForms } from '../../lib/turn/turn-forms.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { createFakeOpenCard } from './fake-chat.ts';
import { RUN_IDS, type Step } from './fake-dify.ts';
import { createWorld, HELD, leaseOf, texts, turnOf, type World } from './turn.ts';

export const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');
export const whole = (text: string): Answer => ({
  ...emptyAnswer,
  ids: RUN_IDS,
  texts: { ...emptyAnswer.texts, message: text },
  ending: { kind: 'complete' },
});

/** Obtains the answer of a turn; `during` happens meanwhile. */
export async function obtain(
  changes: Partial<Turn>,
  {
    world = createWorld(),
    leftMs = null,
    during,
    onRecord,
    opened,
    replies = {},
  }: {
    world?: World;
    leftMs?: number | null;
    /** What is put on record, one after another. */
    onRecord?: unknown[];
    /** When the card is there. */
    opened?: Promise<boolean>;
    /** What differs in the replies to renewals. */
    replies?: object;
    during?: (parts: { world: World; stop: () => Promise<void>; lose: () => void }) => void;
  } = {},
) {
  const { clock, dify, state, options, shutdown } = world;
  const turn = turnOf(clock, changes);
  let owned = true;
  const lease = leaseOf(options, turn, {
    state: {
      ...state,
      isDurable: true,
      async renew({ progress }) {
        onRecord?.push(JSON.parse(progress));
        return owned ? { ...HELD, ...replies } : { kind: 'lost' };
      },
    },
  });
  const stops = createStops({ ...options, userOf: () => turn.user, endDropped: async () => undefined });
  const stop = stops.begin(turn, lease);
  const deadline = openDeadline(clock, leftMs === null ? null : clock.now() + leftMs, shutdown.signal);
  const { card, shown, hints } = createFakeOpenCard(opened);
  const view = { texts, showThinking: false, cardMaxChars: 3_000 };
  const waiting = { see: () => undefined, wait: () => undefined };
  const shownBy = { lease, card, waiting, attachments: null, view, clock, askedIn: null };
  const progress = createProgress({ ...shownBy, isLookedFor: turn.mayHaveBeenAsked, hasWaited: turn.hasWaited });
  const forms = openTurnForms(turn);
  const obtaining = obtainAnswer(turn, {
    ...options,
    robot: options.config,
    forms,
    formEnds: { show: () => undefined },
    quotedAnswers: { find: async () => null },
    sentFiles: { addressOf: async () => '', download: options.download, dify: dify.files },
    lease,
    stop,
    deadline,
    progress,
  });
  await clock.advance(100);
  during?.({
    world,
    stop: () => stop.ask(),
    lose: () => {
      owned = false;
      void lease.write();
    },
  });
  const obtained = await world.done(obtaining);
  lease.stop();
  return { ...world, obtained, forms, lease, shown, hints, summary: summary(obtained) };
}

function summary(obtained: Obtained): string {
  if (obtained.kind !== 'answer') return obtained.kind;
  const { answer, failure } = obtained;
  return [answerText(answer).text, answer.ending?.kind, failure?.code ?? 'no failure'].join(', ');
}

/** A world whose Dify is a chatflow that gives this answer. */
export function chatflow(...steps: Step[]): World {
  const world = createWorld();
  world.dify.appFacts = { ...world.dify.appFacts, type: 'chatflow' };
  world.dify.answers.push(steps);
  return world;
}

/** What a search finds of a run that goes on until the time is up. */
export function stillRunning(signal: AbortSignal): Promise<Recovered> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'still-running' }));
  });
}
