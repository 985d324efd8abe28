import { createParser } from 'eventsource-parser';
import type { AnswerEvent } from '../answer/event.ts';
import { BridgeError } from '../errors.ts';
import { isTimeout } from '../net/http.ts';
import { within, type Clock } from '../runtime/clock.ts';
import { readEvent } from './events.ts';

/** The events of a run, in order. Leaving the loop early closes the connection. */
export type EventStream = AsyncGenerator<AnswerEvent, void, undefined>;

/** Node events carry whole variables of up to 200 KB each, several to a line. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** Milliseconds for the end of an answer, after its last event. */
const END_MS = 300;

export interface StreamLimits {
  clock: Clock;
  /** Longest silence on the wire, in milliseconds. Dify's keep-alive comes every 10 s. */
  idleMs: number;
  /** The same before the first event, where that is longer: a question can wait for a worker, and Dify is silent meanwhile. */
  firstIdleMs?: number | undefined;
}

/** What the reader of a stream does with its connection. */
export interface Connection {
  /** The events were read: an abort of the caller's signal closes the connection no more. */
  leave(): void;
  close(): void;
}

/**
 * The events in the body of a response, until its end.
 *
 * Silence is measured in bytes, not events: the keep-alive `event: ping` has no data, and the parser does not report it.
 *
 * @throws BridgeError `dify_stalled` after too long a silence, `dify_not_started` after `firstIdleMs` before the first event,
 * `dify_cut` when the connection breaks.
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  connection: Connection,
  { clock, idleMs, firstIdleMs }: StreamLimits,
): EventStream {
  let hasBegun = firstIdleMs === undefined;
  const ready: AnswerEvent[] = [];
  const parser = createParser({
    maxBufferSize: MAX_LINE_CHARS,
    onEvent({ data }) {
      const event = readEvent(data);
      // Without the blank line between them the parser joins events, as its specification says.
      const lines = event === null && data.includes('\n') ? data.split('\n').map(readEvent) : [event];
      const events = lines.filter((line) => line !== null);
      hasBegun ||= events.length > 0;
      ready.push(...events);
    },
  });
  const feed = (text: string) => {
    try {
      parser.feed(text);
    } catch (error) {
      throw new BridgeError('dify_cut', 'a line of the stream is too long', { maxChars: MAX_LINE_CHARS }, error);
    }
  };
  const decoder = new TextDecoder();
  const source = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const silence = hasBegun
        ? ({ code: 'dify_stalled', idleMs } as const)
        : ({ code: 'dify_not_started', idleMs: firstIdleMs ?? idleMs } as const);
      const chunk = await readChunk(source, clock, silence);
      if (chunk === null) break;
      feed(decoder.decode(chunk, { stream: true }));
      yield* ready.splice(0);
    }
    // The last event may lack its blank line, and the parser would drop it.
    feed(`${decoder.decode()}\n\n`);
    yield* ready.splice(0);
  } catch (error) {
    // Dify may be asked once more at once, and must not have the first run on its hands then.
    connection.close();
    throw error;
  } finally {
    connection.leave();
    void letEnd(source, connection, clock);
  }
}

/**
 * Dify ends its answer right after the last event, and only an answer that was read to its end leaves the connection for the
 * next question. Where the end does not come, the connection is closed.
 */
async function letEnd(source: AsyncIterator<Uint8Array>, connection: Connection, clock: Clock): Promise<void> {
  const readToEnd = async () => {
    while (!(await source.next()).done);
  };
  // Closing ends the reading as well.
  await within(clock, END_MS, readToEnd()).catch(() => connection.close());
}

/** The next bytes; null at the end of the body. */
async function readChunk(
  source: AsyncIterator<Uint8Array>,
  clock: Clock,
  { code, idleMs }: { code: 'dify_stalled' | 'dify_not_started'; idleMs: number },
): Promise<Uint8Array | null> {
  try {
    const { done, value } = await within(clock, idleMs, source.next());
    return done ? null : value;
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    if (isTimeout(error)) throw new BridgeError(code, 'the stream of Dify went silent', { idleMs }, error);
    throw new BridgeError('dify_cut', 'the stream of Dify broke', {}, error);
  }
}
