import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** A file on its way in. Its holder reads it to the end or discards it; otherwise the connection stays open. */
export interface IncomingFile {
  /** Bytes, as the sender announced them, or null. `bytes` never gives more. */
  size: number | null;
  contentType: string | null;
  /** Can be read once. @throws BridgeError while reading, with the codes of `Download`. */
  bytes: AsyncIterable<Uint8Array>;
  /** Closes the connection. Does nothing when all has been read. */
  discard(): void;
}

export interface DownloadLimits {
  maxBytes: number;
  /** Milliseconds for the whole download, until the last byte is read. */
  timeoutMs: number;
  /** Milliseconds without a byte while the reader waits for one. */
  idleMs: number;
  signal?: AbortSignal | undefined;
}

export const unavailable = (facts: BridgeError['facts'], cause?: unknown) =>
  new BridgeError('file_unavailable', 'the file could not be fetched', facts, cause);

export const tooLarge = (maxBytes: number) => new BridgeError('file_too_large', 'the file is too large', { maxBytes });

/** How a transfer ended: `closed` after the last byte, or when its reader left it. */
type Outcome = { failure: unknown } | 'closed';

/** One file on its way. It ends once; whatever comes later changes nothing. */
export interface Transfer {
  /** Null until it has ended. */
  outcome(): Outcome | null;
  close(): void;
  fail(failure: unknown): void;
  /** Counts the idle time from now on, until `stopWaiting`. */
  startWaiting(): void;
  stopWaiting(): void;
}

/** Ends a transfer also when its time is up or its signal aborts. `onEnd` closes the connection. */
export function createTransfer(
  clock: Clock,
  { timeoutMs, idleMs, signal }: DownloadLimits,
  onEnd: (outcome: Outcome) => void,
): Transfer {
  let ended: Outcome | null = null;
  const end = (outcome: Outcome) => {
    if (ended !== null) return;
    ended = outcome;
    cancelTimeout();
    cancelIdle();
    signal?.removeEventListener('abort', onAbort);
    onEnd(outcome);
  };
  const fail = (failure: unknown) => end({ failure });
  const onAbort = () => fail(signal?.reason);
  const failAfter = (limitMs: number) =>
    clock.schedule(limitMs, () => fail(unavailable({ reason: 'timeout', limitMs })));
  const cancelTimeout = failAfter(timeoutMs);
  let cancelIdle = () => {};
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    outcome: () => ended,
    close: () => end('closed'),
    fail,
    startWaiting() {
      cancelIdle = failAfter(idleMs);
    },
    stopWaiting: () => cancelIdle(),
  };
}

/** The file in a response, read through its transfer. */
export function fileOf(response: IncomingMessage, transfer: Transfer, maxBytes: number): IncomingFile {
  type Step = IteratorResult<Uint8Array, undefined>;
  const atEnd: Step = { done: true, value: undefined };
  const size = sizeOf(response);
  const source = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let received = 0;

  /** Reads on; ends the transfer at the last byte or at a failure. */
  async function step(): Promise<Step> {
    // The idle time counts only while a reader waits: the sender cannot help a slow reader.
    transfer.startWaiting();
    try {
      const result = await source.next();
      received += result.value?.byteLength ?? 0;
      if (received > maxBytes) transfer.fail(tooLarge(maxBytes));
      else if (result.done && size !== null && received < size) transfer.fail(unavailable({ reason: 'cut' }));
      else if (result.done) transfer.close();
      return result;
    } catch (error) {
      transfer.fail(unavailable({ reason: 'cut' }, error));
      return atEnd;
    } finally {
      transfer.stopWaiting();
    }
  }

  const iterator: AsyncIterator<Uint8Array, undefined> = {
    async next() {
      const result = transfer.outcome() === null ? await step() : atEnd;
      const outcome = transfer.outcome();
      if (outcome === null) return result;
      if (outcome === 'closed') return atEnd;
      throw outcome.failure;
    },
    async return() {
      transfer.close();
      return atEnd;
    },
  };
  return {
    size,
    contentType: response.headers['content-type'] ?? null,
    bytes: { [Symbol.asyncIterator]: () => iterator },
    discard: () => transfer.close(),
  };
}

export function sizeOf({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  // With a transfer encoding the length does not count (RFC 9112, 6.3).
  return length === undefined || headers['transfer-encoding'] !== undefined ? null : Number(length);
}
