import type { LookupAddress } from 'node:dns';
import { lookup as resolveName } from 'node:dns/promises';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { BridgeError, safeUpstreamCode } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { isPublicAddress } from './addresses.ts';

/** A file on its way in. Whoever has it reads it to the end or discards it. */
export interface IncomingFile {
  /** What the sender announced, or null. Never more bytes than this are given. */
  size: number | null;
  contentType: string | null;
  /** Can be read once. @throws BridgeError while reading, with the codes of `Download`. */
  bytes: AsyncIterable<Uint8Array>;
  /** Closes the connection. Does nothing when all has been read. */
  discard(): void;
}

export interface DownloadLimits {
  maxBytes: number;
  /** Milliseconds for everything, until the last byte is read. */
  timeoutMs: number;
  /** Milliseconds without a byte while somebody waits for one. */
  idleMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Fetches a file from an address that somebody else chose.
 *
 * @throws BridgeError `file_address_refused`, `file_unavailable` or `file_too_large`, without the address; after an
 * abort the signal's reason.
 */
export type Download = (url: string, limits: DownloadLimits) => Promise<IncomingFile>;

/** All addresses of a host name. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

export interface DownloadOptions {
  clock: Clock;
  /** Hosts, with their port as in `URL.host`, that an operator has named: they may be in a private network. */
  trustedHosts: ReadonlySet<string>;
  lookup?: Lookup;
}

/**
 * Uses Node's own client and not `fetch`, so that the very address that was checked is the one that is called: a name
 * could have another address a moment later. One connection for each file, without redirects, credentials or cookies.
 */
export function createDownload({ clock, trustedHosts, lookup = resolveAll }: DownloadOptions): Download {
  return async (address, limits) => {
    const url = readAddress(address);
    const isAllowed = trustedHosts.has(url.host) ? () => true : isPublicAddress;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // An address in place of a name is not looked up.
    if (isIP(host) !== 0 && !isAllowed(host)) throw refused();
    limits.signal?.throwIfAborted();
    return exchange(clock, url, checkedLookup(lookup, isAllowed), limits);
  };
}

const resolveAll: Lookup = (host) => resolveName(host, { all: true });

const refused = (facts = {}) => new BridgeError('file_address_refused', 'the address must not be called', facts);

const unavailable = (facts: BridgeError['facts'], cause?: unknown) =>
  new BridgeError('file_unavailable', 'the file could not be fetched', facts, cause);

const tooLarge = (maxBytes: number) => new BridgeError('file_too_large', 'the file is too large', { maxBytes });

/** The parser of `URL` also turns numbers like 0x7f.1 into the address they stand for. */
function readAddress(address: string): URL {
  const url = URL.parse(address);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!url || !isHttp || url.username !== '' || url.password !== '') throw refused();
  return url;
}

/** One private address among several is enough to refuse the name: which one is called is not known beforehand. */
function checkedLookup(lookup: Lookup, isAllowed: (address: string) => boolean): LookupFunction {
  const answer = async (...[host, options, callback]: Parameters<LookupFunction>) => {
    let addresses: readonly LookupAddress[];
    try {
      addresses = await lookup(host);
    } catch (error) {
      callback(error as Error, []);
      return;
    }
    const [first] = addresses;
    if (!first || !addresses.every(({ address }) => isAllowed(address))) callback(refused(), []);
    else if (options.all) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
  return (...parameters) => void answer(...parameters);
}

function exchange(clock: Clock, url: URL, lookup: LookupFunction, limits: DownloadLimits): Promise<IncomingFile> {
  const { maxBytes, timeoutMs, idleMs, signal } = limits;
  return new Promise((resolve, reject) => {
    /** Set once it is over: by the end of the file, by whoever discards it, or by a failure. */
    let outcome: { failure: unknown } | 'over' | null = null;
    let hasAnswered = false;

    const end = (how: { failure: unknown } | 'over') => {
      if (outcome !== null) return;
      outcome = how;
      cancelTimeout();
      cancelIdle();
      signal?.removeEventListener('abort', onAbort);
      request.destroy();
    };
    const fail = (failure: unknown) => {
      end({ failure });
      reject(failure);
    };
    const onAbort = () => fail(signal?.reason);
    const timeout = (limitMs: number) => () => fail(unavailable({ reason: 'timeout', limitMs }));
    const broken = (error: unknown) => {
      const network = safeUpstreamCode((error as NodeJS.ErrnoException).code);
      fail(error instanceof BridgeError ? error : unavailable({ reason: 'network', network }, error));
    };

    const cancelTimeout = clock.schedule(timeoutMs, timeout(timeoutMs));
    let cancelIdle = clock.schedule(idleMs, timeout(idleMs));
    signal?.addEventListener('abort', onAbort, { once: true });

    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      // A connection of its own, closed after the file.
      agent: false,
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
      lookup,
    });
    // Once there is a response, its own errors say what happened to the file.
    request.on('error', (error) => {
      if (!hasAnswered) broken(error);
    });
    request.on('upgrade', () => fail(unavailable({ status: 101 })));
    request.on('close', () => {
      if (!hasAnswered) fail(unavailable({ reason: 'network', network: null }));
    });
    request.on('response', (response) => {
      hasAnswered = true;
      cancelIdle();
      // Whoever reads hears of it; nobody may be reading.
      response.on('error', () => {});
      const problem = problemOf(response, maxBytes);
      if (problem) fail(problem);
      else resolve(fileOf(response));
    });
    request.end();

    const fileOf = (response: IncomingMessage): IncomingFile => {
      const size = sizeOf(response);
      const source = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
      let received = 0;
      const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
        let result: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };
        if (outcome === null) {
          // Only while somebody waits: a slow reader is not the sender's fault.
          cancelIdle = clock.schedule(idleMs, timeout(idleMs));
          try {
            result = await source.next();
            received += result.value?.byteLength ?? 0;
            if (received > maxBytes) fail(tooLarge(maxBytes));
            else if (result.done && size !== null && received < size) fail(unavailable({ reason: 'cut' }));
            else if (result.done) end('over');
          } catch (error) {
            fail(unavailable({ reason: 'cut' }, error));
          } finally {
            cancelIdle();
          }
        }
        if (outcome !== null && outcome !== 'over') throw outcome.failure;
        return outcome === 'over' ? { done: true, value: undefined } : result;
      };
      const leave = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
        end('over');
        return { done: true, value: undefined };
      };
      return {
        size,
        contentType: response.headers['content-type'] ?? null,
        bytes: { [Symbol.asyncIterator]: () => ({ next, return: leave }) },
        discard: () => end('over'),
      };
    };
  });
}

/** Why a response is not the file. */
function problemOf(response: IncomingMessage, maxBytes: number): BridgeError | null {
  const status = response.statusCode ?? 0;
  // It may lead anywhere, and none of the services that are asked for files redirects.
  if (status >= 300 && status < 400) return refused({ status });
  if (status !== 200) return unavailable({ status });
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') return unavailable({ status, reason: 'encoding' });
  return (sizeOf(response) ?? 0) > maxBytes ? tooLarge(maxBytes) : null;
}

function sizeOf({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  // Where both are there, the length does not count (RFC 9112, 6.3).
  return length === undefined || headers['transfer-encoding'] !== undefined ? null : Number(length);
}
