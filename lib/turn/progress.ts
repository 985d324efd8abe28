import { answerText, emptyAnswer, type Answer } from '../answer/answer.ts';
import type { Activity } from '../answer/event.ts';
import { continuing, typingView, type ViewOptions } from '../answer/view.ts';
import { beginning } from '../characters.ts';
import type { OpenCard } from '../delivery/card.ts';
import type { WaitingMessages } from '../delivery/waiting-messages.ts';
import { survivesDisconnect } from '../dify/runs.ts';
import type { Attachments } from '../files/attachments.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Lease } from './lease.ts';

/** The answer of a turn while it grows: what is kept of it, and what is shown of it. */
export interface Progress {
  /** The answer so far. */
  readonly answer: Answer;
  /** The answer has grown. `isAlive` is false for what Dify tells of the past of its run. */
  see: (answer: Answer, isAlive?: boolean) => void;
  /** The answer has not begun: shows what the app does meanwhile. */
  wait: (activity: Activity) => void;
  /** Shows the text so far with a line that says that the answer goes on. */
  showContinuing(): void;
  /** The question is asked once more. The card keeps what it shows until there is more to show. */
  beginAgain(): void;
}

export interface ProgressOptions {
  lease: Pick<Lease, 'note' | 'noteText' | 'writeWithin' | 'progress'>;
  card: OpenCard | null;
  /** Where there is no card. */
  waiting: Pick<WaitingMessages, 'see' | 'wait'>;
  attachments: Attachments | null;
  view: ViewOptions;
  clock: Clock;
  /** What was shown before a change of hands stays until the whole answer is there: pieces are never put together. */
  isLookedFor: boolean;
  /** The instance that accepted the question may be opening its card, and puts that on record. */
  hasWaited: boolean;
  /** The conversation that the question is asked in; null for a new one, and where a form is answered. */
  askedIn: string | null;
}

/**
 * An answer that shows nothing for this long is put on record by its ids, so that it can be found again, and stopped from
 * another instance within a second.
 */
const RECORD_IDS_MS = 700;

/**
 * What an app writes between two renewals of the lease, at most: by so much may the card of an instance that died show more
 * than the record says.
 */
const UNRECORDED_CHARS = 3_600;

/** What is recorded of a text: about as much as can be shown of one. */
const MAX_RECORDED_CHARS = 50_000;

export function createProgress(options: ProgressOptions): Progress {
  const { lease, card, waiting, attachments, view, clock, isLookedFor, hasWaited, askedIn } = options;
  let answer: Answer = emptyAnswer;
  let hasIds = false;
  let isReplaced = false;
  let isShown = !isLookedFor;
  /** So many characters of an earlier answer does the card show, at least and at most; null when it shows none. */
  let shownChars: { least: number; most: number } | null = null;

  /**
   * With the ids of a run that goes on without its connection, another instance can find the whole answer, and the first
   * text may take long. They are written as soon as the card is open, so that the other instance does not open a second one.
   */
  function recordIds(): void {
    if (hasIds || Object.keys(answer.ids).length === 0) return;
    hasIds = true;
    const goesOn = survivesDisconnect(lease.progress.appType ?? 'chat', answer.ids);
    const opened = card?.opened ?? Promise.resolve();
    const write = () => lease.writeWithin(RECORD_IDS_MS, goesOn ? opened : undefined);
    // A write before would take from the record that the card is there, and then it is opened twice.
    if (hasWaited) void opened.then(write);
    else write();
  }

  /** A replaced text has to be on record soon: what it replaced must not be shown by another instance. */
  function recordReplaced(): void {
    if (isReplaced) return;
    isReplaced = true;
    lease.note({ isReplaced });
    lease.writeWithin(RECORD_IDS_MS);
  }

  function show(soFar: Answer): void {
    if (!Object.values(soFar.texts).some((text) => text !== '')) {
      if (soFar.activity && !shownChars) card?.hint(() => typingView(soFar, view));
      return;
    }
    const chars = shownChars ? answerText(soFar).text.length : 0;
    if (chars < (shownChars?.least ?? 0)) return;
    lease.noteText(() => beginning(answerText(soFar).text, MAX_RECORDED_CHARS));
    if (chars < (shownChars?.most ?? 0)) return;
    shownChars = null;
    card?.noteText();
    card?.writer.show(() => typingView(soFar, view));
  }

  return {
    get answer() {
      return answer;
    },
    see(soFar, isAlive = true) {
      answer = soFar;
      attachments?.see(soFar);
      waiting.see(soFar);
      lease.note({ ids: soFar.ids, ...(isAlive ? { eventAtMs: clock.now() } : {}) });
      const { conversationId } = soFar.ids;
      if (askedIn !== null && conversationId !== undefined && conversationId !== askedIn && !lease.progress.form) {
        lease.note({ isAnew: true });
      }
      recordIds();
      if (isShown) show(soFar);
      if (soFar.isReplaced && soFar.texts.chunk === '') recordReplaced();
    },
    wait(activity) {
      waiting.wait(activity);
      if (!shownChars) card?.hint(() => typingView({ ...emptyAnswer, activity }, view));
    },
    showContinuing() {
      const { text } = answerText(answer);
      card?.writer.show(() => continuing(text, view));
    },
    beginAgain() {
      const { length } = lease.progress.text;
      const unrecorded = isLookedFor ? UNRECORDED_CHARS : 0;
      shownChars = length === 0 ? null : { least: length, most: length + unrecorded };
      answer = emptyAnswer;
      hasIds = false;
      isShown = true;
    },
  };
}
