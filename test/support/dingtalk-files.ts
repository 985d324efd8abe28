import { onTestFinished } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { createFetch } from '../../lib/net/fetch.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { readBody } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import { robotConfig } from './dingtalk.ts';

export interface ScriptedAnswer {
  status?: number;
  body: unknown;
}

/** What came in at `media/upload`. */
export interface SeenUpload {
  token: string | null;
  type: string | null;
  fields: string[];
  length: string | undefined;
  name: string;
  mimeType: string;
  bytes: Buffer;
}

export type MediaAnswer = (upload: SeenUpload, count: number) => ScriptedAnswer;

const takeAll: MediaAnswer = (_upload, count) => ({
  body: { errcode: 0, errmsg: 'ok', media_id: `@lADP${count}`, created_at: 1 },
});

/** The file calls of a DingTalk whose answers are scripted; its tokens are token-1, token-2 … */
export async function startFileCalls(
  options: { media?: MediaAnswer; address?: (body: Record<string, unknown>) => ScriptedAnswer } = {},
) {
  const uploads: SeenUpload[] = [];
  const asked: unknown[] = [];
  let tokens = 0;
  const answerOf = async (url: URL, body: Buffer, type: string, length: string | undefined) => {
    if (url.pathname === '/v1.0/oauth2/accessToken') {
      tokens += 1;
      return { body: { accessToken: `token-${tokens}`, expireIn: 7200 } };
    }
    if (url.pathname === '/v1.0/robot/messageFiles/download') {
      const request = JSON.parse(body.toString()) as Record<string, unknown>;
      asked.push(request);
      return options.address?.(request) ?? { body: { downloadUrl: 'http://files.example.com/a.file?Signature=s' } };
    }
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    const file = form.get('media') as File;
    const upload = {
      token: url.searchParams.get('access_token'),
      type: url.searchParams.get('type'),
      fields: [...form.keys()],
      length,
      name: file.name,
      mimeType: file.type,
      bytes: Buffer.from(await file.arrayBuffer()),
    };
    uploads.push(upload);
    return (options.media ?? takeAll)(upload, uploads.length);
  };
  const server = await startServer(async (request, response) => {
    const body = await readBody(request);
    const { 'content-type': type = '', 'content-length': length } = request.headers;
    const answer = await answerOf(new URL(request.url ?? '/', server.origin), body, type, length);
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(('status' in answer ? answer.status : undefined) ?? 200).end(text);
  });
  onTestFinished(() => server.close());
  const { origin } = server;
  const { dingtalk: config } = robotConfig({ DINGTALK_API_URL: origin, DINGTALK_OAPI_URL: origin });
  const clientWith = (fetch: Fetch) => createDingTalkClient(config, fetch, systemClock);
  return { uploads, asked, client: clientWith(createFetch()), clientWith };
}

export async function* bytesOf(content: Uint8Array | string, partBytes = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}
