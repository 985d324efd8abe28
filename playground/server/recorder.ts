import type { Callback } from '../dingtalk/types.ts';
import type { Setup } from './protocol.ts';

/** Longest body that is kept of one answer of Dify; an answer of an hour has less. */
const MAX_BODY_CHARS = 1_000_000;
/** What is kept of all questions together; the oldest go first. */
const MAX_KEPT_CHARS = 8_000_000;

/** One request to Dify and what came back, as it was on the wire but for the headers. */
export interface Exchange {
  method: string;
  path: string;
  request: string | null;
  status: number | null;
  contentType: string | null;
  /** Null when it was no text. */
  response: string | null;
  /** The end of a longer answer is missing. */
  isCut: boolean;
}

export interface TapRecord {
  outTrackId: string;
  userId: string;
  actionId: string;
  params: Record<string, unknown>;
}

/** What came in for one question or tap, and what was said to Dify for it. */
export interface Recording {
  question: string;
  at: number;
  /** The settings that held then. */
  setup: Setup;
  input: { kind: 'message'; callback: Callback } | { kind: 'tap'; tap: TapRecord };
  exchanges: Exchange[];
}

export interface OpenExchange {
  answered(status: number, contentType: string | null): void;
  append(text: string): void;
}

/** Keeps whole what the panel shows cut, so that a session can be exported. */
export interface Recorder {
  noteMessage(question: string, callback: Callback): void;
  noteTap(question: string, tap: TapRecord): void;
  /** Null for work that belongs to no question that is kept. */
  openExchange(question: string | null, start: Pick<Exchange, 'method' | 'path' | 'request'>): OpenExchange | null;
  /** Oldest first. */
  recordings(): Recording[];
  clear(): void;
}

export function createRecorder(now: () => number, setup: () => Setup): Recorder {
  const recordings = new Map<string, Recording>();
  let keptChars = 0;

  const sizeOf = ({ exchanges }: Recording) =>
    exchanges.reduce((sum, { request, response }) => sum + (request?.length ?? 0) + (response?.length ?? 0), 0);

  const grow = (chars: number) => {
    keptChars += chars;
    for (const [question, recording] of recordings) {
      if (keptChars <= MAX_KEPT_CHARS || recordings.size === 1) return;
      recordings.delete(question);
      keptChars -= sizeOf(recording);
    }
  };

  const note = (question: string, input: Recording['input']) => {
    recordings.set(question, { question, at: now(), setup: setup(), input, exchanges: [] });
  };

  return {
    noteMessage: (question, callback) => note(question, { kind: 'message', callback }),
    noteTap: (question, tap) => note(question, { kind: 'tap', tap }),
    openExchange(question, start) {
      const recording = recordings.get(question ?? '');
      if (!recording) return null;
      const exchange: Exchange = { ...start, status: null, contentType: null, response: null, isCut: false };
      recording.exchanges.push(exchange);
      const isKept = () => recordings.get(recording.question) === recording;
      grow(start.request?.length ?? 0);
      return {
        answered(status, contentType) {
          Object.assign(exchange, { status, contentType });
        },
        append(text) {
          if (exchange.isCut || !isKept()) return;
          const before = exchange.response ?? '';
          const after = before + text;
          exchange.isCut = after.length > MAX_BODY_CHARS;
          // Whole lines only: half an event could not be searched for what must not leave.
          exchange.response = exchange.isCut ? after.slice(0, after.lastIndexOf('\n', MAX_BODY_CHARS) + 1) : after;
          grow(exchange.response.length - before.length);
        },
      };
    },
    recordings: () => [...recordings.values()],
    clear() {
      recordings.clear();
      keptChars = 0;
    },
  };
}
