import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { closed } from '../http/exchange.ts';
import { isText, type Json } from '../http/shape.ts';
import { accept, blame, refuse, type Answer } from './answer.ts';
import type { DownloadTrouble } from './types.ts';
import type { World } from './world.ts';

/** Temporary, says protocol 6; for how long is not known. */
const linkLifeMs = 600_000;
const folder = '/robot-files/';
/** A client that sends one of these to a file host gives a credential away: the address alone opens the file. */
const credentials = ['x-acs-dingtalk-access-token', 'authorization', 'cookie'] as const;
const endlessPart = Buffer.alloc(65_536);

export interface FileRequest {
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

export const isFilePath = (path: string) => path.startsWith(folder);

/** Writes for as long as the client takes it. */
async function writeEndlessly(response: ServerResponse): Promise<void> {
  const gone = closed(response);
  while (!response.closed && !response.destroyed) {
    if (response.write(endlessPart)) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([gone, new Promise((resolve) => response.once('drain', resolve))]);
  }
}

/** Sends the file, as undisturbed or as disturbed as the settings say; gives the number of bytes. */
async function sendFile(response: ServerResponse, bytes: Uint8Array, trouble: DownloadTrouble | undefined) {
  const headers = { 'content-type': 'application/octet-stream' };
  switch (trouble?.kind) {
    case 'redirect':
      response.writeHead(302, { location: trouble.to, 'content-length': 0 }).end();
      return 0;
    case 'status':
      response.writeHead(trouble.status, { 'content-type': 'application/xml', 'content-length': 8 }).end('<Error/>');
      return 8;
    case 'hang':
      response.writeHead(200, { ...headers, 'content-length': bytes.length });
      response.flushHeaders();
      response.write(bytes.subarray(0, Math.min(trouble.afterBytes, bytes.length - 1)));
      await closed(response);
      return trouble.afterBytes;
    case 'endless':
      response.writeHead(200, headers);
      response.write(bytes);
      await writeEndlessly(response);
      return bytes.length;
    case 'length':
      response.writeHead(200, { ...headers, 'content-length': trouble.declared, connection: 'close' });
      // Nothing more follows: a client that waits for the rest is to see the end of the connection.
      response.write(bytes, () => response.socket?.end());
      await closed(response);
      return bytes.length;
    case 'url':
    case undefined:
      response.writeHead(200, { ...headers, 'content-length': bytes.length });
      response.end(bytes);
      return bytes.length;
    default:
      return trouble satisfies never;
  }
}

/** Where the files that people sent are fetched: an address from an API, then the address (protocol 6). */
export function createFileHost(world: World, origin: () => string) {
  const { settings } = world;
  const key = randomBytes(16);
  const sign = (path: string, expires: string) => createHmac('sha256', key).update(`${path} ${expires}`).digest('hex');

  /** POST /v1.0/robot/messageFiles/download */
  const giveAddress = (body: Json): Answer => {
    const { downloadCode: code, robotCode } = body;
    if (robotCode !== world.robotCode)
      return blame(400, 'invalidParameter.robotCode.notExist', 'robotCode must be that of the robot that got the file');
    if (!isText(code)) return blame(400, 'invalidParameter.downloadCode.empty', 'downloadCode is empty');
    // No violation: codes are forgotten after a while.
    if (!world.files.has(code))
      return refuse(400, 'invalidParameter.robotCode.downloadCode', 'downloadCode is invalid');
    if (settings.download?.kind === 'url') return accept({ downloadUrl: settings.download.url });
    const path = `${folder}${encodeURIComponent(code)}.file`;
    const expires = String(world.clock.now() + linkLifeMs);
    return accept({ downloadUrl: `${origin()}${path}?Expires=${expires}&Signature=${sign(path, expires)}` });
  };

  /** GET of such an address. */
  const serve = ({ path, query, headers }: FileRequest): Answer => {
    const expires = query.get('Expires') ?? '';
    if (query.get('Signature') !== sign(path, expires))
      return blame(403, 'SignatureDoesNotMatch', 'the address of the file was changed');
    if (Number(expires) <= world.clock.now()) return refuse(403, 'AccessDenied', 'Request has expired.');
    const file = world.files.get(decodeURIComponent(path.slice(folder.length, -'.file'.length)));
    if (!file) return refuse(404, 'NoSuchKey', 'The specified key does not exist.');
    const trouble = settings.download;
    const given = credentials.find((name) => headers[name] !== undefined);
    return {
      status: trouble?.kind === 'status' ? trouble.status : trouble?.kind === 'redirect' ? 302 : 200,
      code: given === undefined ? 'ok' : 'credentials-to-file-host',
      body: {},
      ...(given === undefined ? {} : { violation: `${given} was sent to the host of a file` }),
      send: (response) => sendFile(response, file.bytes, trouble),
    };
  };

  return { giveAddress, serve };
}
