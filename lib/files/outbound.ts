import type { DingTalkClient } from '../dingtalk/client.ts';
import { asSendable, MAX_SENDABLE_BYTES, type SendableFile } from '../dingtalk/file-message.ts';
import { BridgeError, hasCode } from '../errors.ts';
import type { Download } from '../net/download.ts';
import type { IncomingFile } from '../net/transfer.ts';
import type { Clock } from '../runtime/clock.ts';
import { extensionOf, inspect, type ExpectedFile } from './inspect.ts';

/** A file that an answer names. */
export interface ResultLink {
  /** As Dify wrote it. */
  url: string;
  /** Null if only the address is known. */
  name: string | null;
  kind: ExpectedFile['kind'];
}

/** A file that was uploaded to DingTalk, to be sent into a chat. */
export interface DingTalkFile {
  kind: SendableFile['kind'];
  mediaId: string;
  name: string;
  extension: string;
}

export interface ResultFilesOptions {
  download: Download;
  dingtalk: Pick<DingTalkClient, 'upload'>;
  /** The address where Dify serves files. `download` trusts its host. */
  filesUrl: string;
  clock: Clock;
}

export interface ResultFiles {
  /**
   * Fetches a file from Dify and uploads it to DingTalk. Dify's links are valid for five minutes.
   *
   * @throws BridgeError with a `file_…` or `dingtalk_…` code; after an abort also the signal's reason.
   */
  upload(link: ResultLink, signal?: AbortSignal): Promise<DingTalkFile>;
}

/** DingTalk accepts 20 MB. */
const LIMITS = { maxBytes: MAX_SENDABLE_BYTES, timeoutMs: 60_000, idleMs: 15_000 };

/** The path below which Dify serves all its files. */
const FILES_PATH = '/files/';

export function createResultFiles({ download, dingtalk, filesUrl, clock }: ResultFilesOptions): ResultFiles {
  async function bring(link: ResultLink, signal: AbortSignal | undefined): Promise<DingTalkFile> {
    const url = resolveResultUrl(link.url, filesUrl);
    if (url === null || isElsewhereOnTrusted(url, filesUrl)) {
      throw new BridgeError('file_address_refused', 'the answer names a file at no address of files');
    }
    const incoming = await download(url, { ...LIMITS, signal });
    try {
      const sendable = await prepare(incoming, { name: link.name ?? nameIn(url), kind: link.kind });
      const { kind, name, mimeType, size, bytes, extension } = sendable;
      const mediaId = await dingtalk.upload({ type: kind, name, mimeType, size, bytes, signal });
      return { kind, mediaId, name, extension };
    } finally {
      incoming.discard();
    }
  }

  async function prepare(incoming: IncomingFile, expected: ExpectedFile): Promise<SendableFile> {
    const inspected = await inspect(incoming.bytes, expected);
    return asSendable({ ...inspected, size: incoming.size }, clock);
  }

  return {
    async upload(link, signal) {
      try {
        return await bring(link, signal);
      } catch (error) {
        if (!hasCode(error, 'dingtalk_token_invalid')) throw error;
        // Another instance has renewed the token, or it was revoked. The bytes are used up, so the file is fetched
        // again.
        return bring(link, signal);
      }
    },
  };
}

/**
 * The address to fetch a file from that an answer names. Two kinds of link are fetched from `filesUrl`: relative links,
 * which Dify writes when its own address is not configured, and links to `/files/` on any host, because Dify may write
 * a host that is known in its own network only. Other http addresses stay as they are. Null for anything else.
 */
export function resolveResultUrl(url: string, filesUrl: string): string | null {
  const base = withSlash(filesUrl);
  const absolute = URL.parse(url);
  // A link that is only a fragment names no file.
  const link = absolute ?? (url === '' || url.startsWith('#') ? null : URL.parse(url, base.href));
  if (!link || (link.protocol !== 'http:' && link.protocol !== 'https:')) return null;
  const isRelative = absolute === null && link.host === base.host;
  if (!isRelative && !link.pathname.startsWith(FILES_PATH)) return link.href;
  // A relative link begins at the root, also where `filesUrl` has a path.
  const path = isRelative && link.pathname.startsWith(base.pathname) ? link.pathname.slice(base.pathname.length) : '';
  return `${base.origin}${base.pathname}${path === '' ? link.pathname.slice(1) : path}${link.search}`;
}

/** The host of Dify's files may be in a private network. An answer must not reach anything but files there. */
function isElsewhereOnTrusted(url: string, filesUrl: string): boolean {
  const base = withSlash(filesUrl);
  const { host, pathname } = new URL(url);
  return host === base.host && !pathname.startsWith(`${base.pathname}${FILES_PATH.slice(1)}`);
}

function withSlash(filesUrl: string): URL {
  const url = new URL(filesUrl);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\./i;

/** The last part of the path, if it looks like the name of a file. */
function nameIn(url: string): string | null {
  const last = decoded(new URL(url).pathname.split('/').at(-1) ?? '');
  const extension = extensionOf(last);
  if (extension === '') return null;
  // Dify's own links end in a UUID, which tells a reader nothing.
  return UUID.test(last) ? `file.${extension}` : last;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
