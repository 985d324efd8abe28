import type { LookupAddress } from 'node:dns';
import { lookup as resolveName } from 'node:dns/promises';
import type { IncomingMessage, request } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { BridgeError, safeUpstreamCode } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { isPublicAddress } from './addresses.ts';
import {
  createTransfer,
  fileOf,
  sizeOf,
  tooLarge,
  unavailable,
  type DownloadLimits,
  type IncomingFile,
} from './transfer.ts';

/**
 * Fetches a file from an address that an answer or a message names.
 *
 * @throws BridgeError `file_address_refused`, `file_unavailable` or `file_too_large`, without the address; after an
 * abort the signal's reason.
 */
export type Download = (url: string, limits: DownloadLimits) => Promise<IncomingFile>;

/** Finds all addresses of a host name. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

export interface DownloadOptions {
  clock: Clock;
  /** Hosts that the operator has configured, with their port as in `URL.host`. They may be in a private network. */
  trustedHosts: ReadonlySet<string>;
  lookup?: Lookup;
}

/**
 * Makes a `Download` on Node's own client. `fetch` would look the name up once more after the check, and a name can
 * have another address a moment later; here the connection goes to the address that was checked. Each file has a
 * connection of its own, without redirects, credentials or cookies.
 */
export function createDownload({ clock, trustedHosts, lookup = resolveAll }: DownloadOptions): Download {
  return async (address, limits) => {
    const url = readAddress(address);
    const isAllowed = trustedHosts.has(url.host) ? () => true : isPublicAddress;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // Node does not look up a host that is an IP address, so it is checked here.
    if (isIP(host) !== 0 && !isAllowed(host)) throw refused();
    // Loaded with the first file: they take longer to load than all of our own code, and a cold start counts.
    const client = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
    limits.signal?.throwIfAborted();
    return exchange(client.request, clock, url, checkedLookup(lookup, isAllowed), limits);
  };
}

const resolveAll: Lookup = (host) => resolveName(host, { all: true });

const refused = (facts = {}) => new BridgeError('file_address_refused', 'the address must not be called', facts);

/** `URL` also turns numbers like 0x7f.1 into the address that they stand for, so that the check sees it. */
function readAddress(address: string): URL {
  const url = URL.parse(address);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!url || !isHttp || url.username !== '' || url.password !== '') throw refused();
  return url;
}

/** Refuses a name that has one private address among several: Node chooses which of them it calls. */
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

function exchange(
  send: typeof request,
  clock: Clock,
  url: URL,
  lookup: LookupFunction,
  limits: DownloadLimits,
): Promise<IncomingFile> {
  return new Promise((resolve, reject) => {
    let hasAnswered = false;
    const sent = send(url, {
      // A connection of its own, closed after the file.
      agent: false,
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
      lookup,
    });
    const transfer = createTransfer(clock, limits, (outcome) => {
      sent.destroy();
      if (outcome !== 'closed') reject(outcome.failure);
    });
    transfer.startWaiting();
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // After the response has begun, reading it says what happened to the file.
      if (hasAnswered) return;
      const network = safeUpstreamCode(error.code);
      transfer.fail(error instanceof BridgeError ? error : unavailable({ reason: 'network', network }, error));
    });
    sent.on('upgrade', () => transfer.fail(unavailable({ status: 101 })));
    sent.on('close', () => {
      if (!hasAnswered) transfer.fail(unavailable({ reason: 'network', network: null }));
    });
    sent.on('response', (response) => {
      hasAnswered = true;
      transfer.stopWaiting();
      // The reader gets the error from the iterator. Without a listener Node would throw it when there is no reader.
      response.on('error', () => {});
      const problem = problemOf(response, limits.maxBytes);
      if (problem) transfer.fail(problem);
      else resolve(fileOf(response, transfer, limits.maxBytes));
    });
    sent.end();
  });
}

/** Why a response is not the file; null when it is. */
function problemOf(response: IncomingMessage, maxBytes: number): BridgeError | null {
  const status = response.statusCode ?? 0;
  // A redirect may lead anywhere. Dify and DingTalk serve files without one.
  if (status >= 300 && status < 400) return refused({ status });
  if (status !== 200) return unavailable({ status });
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') return unavailable({ status, reason: 'encoding' });
  return (sizeOf(response) ?? 0) > maxBytes ? tooLarge(maxBytes) : null;
}
