import { keepLast, keepNewest } from '../http/newest.ts';
import type { Call, Change, ChatItem, Frame, LogLine } from './protocol.ts';

/** A page may stay open for days: what is kept has an end. */
export const MAX_ITEMS = 300;
const MAX_CALLS = 600;
const MAX_LOGS = 500;
/** Frames are whole texts, so they are kept for the latest cards only. */
const MAX_CARDS_WITH_FRAMES = 20;
/** Older calls stay in the list without their bodies. */
const MAX_CALLS_WITH_BODIES = 200;
const MAX_BODY_CHARS = 8_000;

export type CallStart = Pick<Call, 'service' | 'name' | 'method' | 'target' | 'question' | 'request' | 'requestBytes'>;

export interface OpenCall {
  readonly call: Call;
  /** The first byte of a stream has come. */
  streaming(status: number): void;
  finish(result: Partial<Pick<Call, 'status' | 'code' | 'responseBytes' | 'counted' | 'response'>>): void;
}

/** What has happened so far, and who wants to hear of what happens next. */
export interface Journal {
  item(id: string): ChatItem | undefined;
  putItem(item: ChatItem): void;
  addFrame(frame: Frame): void;
  openCall(start: CallStart): OpenCall;
  addLog(line: Omit<LogLine, 'id'>): void;
  announce(change: Change): void;
  clear(): void;
  contents(): { items: ChatItem[]; frames: Frame[]; calls: Call[]; logs: LogLine[] };
  subscribe(listener: (change: Change) => void): () => void;
}

export function createJournal(now: () => number): Journal {
  const items = new Map<string, ChatItem>();
  const frames = new Map<string, Frame[]>();
  const calls: Call[] = [];
  const logs: LogLine[] = [];
  const listeners = new Set<(change: Change) => void>();
  let lastId = 0;

  const announce = (change: Change) => {
    for (const listener of listeners) listener(change);
  };

  const openCall = (start: CallStart): OpenCall => {
    const call: Call = {
      ...start,
      id: (lastId += 1),
      at: now(),
      firstByteMs: null,
      ms: null,
      status: null,
      code: null,
      responseBytes: 0,
      counted: false,
      request: cut(start.request),
      response: null,
    };
    calls.push(call);
    keepLast(calls, MAX_CALLS);
    const old = calls[calls.length - 1 - MAX_CALLS_WITH_BODIES];
    if (old) Object.assign(old, { request: null, response: null });
    announce({ kind: 'call', call });
    return {
      call,
      streaming(status) {
        Object.assign(call, { status, firstByteMs: now() - call.at });
        announce({ kind: 'call', call });
      },
      finish(result) {
        if (call.ms !== null) return;
        Object.assign(call, result, { ms: now() - call.at, response: cut(result.response ?? null) });
        announce({ kind: 'call', call });
      },
    };
  };

  return {
    item: (id) => items.get(id),
    putItem(item) {
      items.set(item.id, item);
      keepNewest(items, MAX_ITEMS);
      announce({ kind: 'item', item });
    },
    addFrame(frame) {
      const known = frames.get(frame.card) ?? [];
      if ((known.at(-1)?.index ?? -1) >= frame.index) return;
      known.push(frame);
      frames.set(frame.card, known);
      keepNewest(frames, MAX_CARDS_WITH_FRAMES);
      announce({ kind: 'frame', frame });
    },
    openCall,
    addLog(line) {
      const numbered = { ...line, id: (lastId += 1) };
      logs.push(numbered);
      keepLast(logs, MAX_LOGS);
      announce({ kind: 'log', line: numbered });
    },
    announce,
    clear() {
      items.clear();
      frames.clear();
      calls.length = 0;
      logs.length = 0;
      announce({ kind: 'cleared' });
    },
    contents: () => ({ items: [...items.values()], frames: [...frames.values()].flat(), calls, logs }),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const cut = (text: string | null) =>
  text !== null && text.length > MAX_BODY_CHARS
    ? `${text.slice(0, MAX_BODY_CHARS)}… (+${text.length - MAX_BODY_CHARS})`
    : text;
