import { createParser } from 'eventsource-parser';
import type { DifyEvent } from '../answer/event.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { readEvent } from './events.ts';

/** Node events carry whole variables of up to 200 KB each, several to a line. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

export interface StreamLimits {
  clock: Clock;
  /** Longest silence on the wire, in milliseconds. Dify's keep-alive comes every 10 s. */
  idleMs: number;
}

/**
 * The events of a Dify stream, in order, until the stream ends. Leaving the loop early cancels the stream.
 *
 * Silence is measured in bytes, not events: the keep-alive `event: ping` has no data, so that no parser reports it.
 *
 * @throws BridgeError `dify_stalled` after too long a silence, `dify_cut` when the connection breaks.
 */
export async function* readEvents(
  body: NonNullable<Response['body']>,
  { clock, idleMs }: StreamLimits,
): AsyncGenerator<DifyEvent, void, undefined> {
  const ready: DifyEvent[] = [];
  const parser = createParser({
    maxBufferSize: MAX_LINE_CHARS,
    onEvent({ data }) {
      const event = readEvent(data);
      if (event) ready.push(event);
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
  const reader = body.getReader();
  try {
    for (;;) {
      const chunk = await readChunk(reader, clock, idleMs);
      if (chunk === null) break;
      feed(decoder.decode(chunk, { stream: true }));
      yield* ready.splice(0);
    }
    // The last event may lack its blank line, and the parser would drop it.
    feed(`${decoder.decode()}\n\n`);
    yield* ready.splice(0);
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** The part of a stream's reader that is used. */
interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

async function readChunk(reader: Reader, clock: Clock, idleMs: number): Promise<Uint8Array | null> {
  let cancel: (() => void) | undefined;
  const silence = new Promise<never>((_, reject) => {
    cancel = clock.schedule(idleMs, () => {
      reject(new BridgeError('dify_stalled', 'the stream of Dify went silent', { idleMs }));
    });
  });
  try {
    const { done, value } = await Promise.race([reader.read(), silence]);
    return done ? null : (value ?? new Uint8Array());
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    throw new BridgeError('dify_cut', 'the stream of Dify broke', {}, error);
  } finally {
    cancel?.();
  }
}
