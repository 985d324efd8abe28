// The wire form of Upstash's REST API (https://upstash.com/docs/redis/features/restapi): requests to
// Redis commands, Redis replies to JSON.
import { createHash } from 'node:crypto';
import type { RespReply } from './resp.ts';

/** The commands of a request, or the error that it is answered with. */
export function parseCommands(url: URL, body: string): string[][] | { error: string } {
  const segments = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const isBatch = url.pathname === '/pipeline' || url.pathname === '/multi-exec';
  if (segments.length > 0 && !isBatch) {
    const options = [...url.searchParams].filter(([name]) => name !== '_token').flat();
    return [[...segments, ...(body === '' ? [] : [body]), ...options.filter(Boolean)]];
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { error: `ERR failed to parse ${isBatch ? 'pipeline request' : 'command'}` };
  }
  if (!isBatch) return toCommands([json]);
  if (!Array.isArray(json)) return { error: 'ERR failed to parse pipeline request' };
  return json.length === 0 ? { error: 'ERR empty pipeline request' } : toCommands(json);
}

function toCommands(values: unknown[]): string[][] | { error: string } {
  const commands: string[][] = [];
  for (const value of values) {
    if (!Array.isArray(value) || value.length === 0) return { error: 'ERR failed to parse command' };
    commands.push(value.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))));
  }
  return commands;
}

/** Strings are base64 when that is asked for, but for a bare OK; numbers and null stay as they are. */
function toJson(reply: RespReply, base64: boolean): unknown {
  if (Array.isArray(reply)) return reply.map((item) => toJson(item, base64));
  if (reply instanceof Error) return reply.message;
  if (Buffer.isBuffer(reply)) return reply.toString(base64 ? 'base64' : 'utf8');
  if (typeof reply === 'string' && base64 && reply !== 'OK') return Buffer.from(reply).toString('base64');
  return reply;
}

export function toResult(reply: RespReply, base64: boolean): { result: unknown } | { error: string } {
  return reply instanceof Error ? { error: reply.message } : { result: toJson(reply, base64) };
}

/** A reply in Redis' own form, for clients that send `Upstash-Response-Format: resp2`. */
export function toResp2(reply: RespReply): Buffer {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (reply instanceof Error) return Buffer.from(`-${reply.message}\r\n`);
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (typeof reply === 'string') return Buffer.from(`+${reply}\r\n`);
  if (Array.isArray(reply)) return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(toResp2)]);
  return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from('\r\n')]);
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');

/** Upstash's own shebang flag, which Redis refuses ("Unexpected flag in script shebang"). */
function withoutUpstashFlag(script: string): string {
  const [shebang = '', ...rest] = script.split('\n');
  if (!shebang.startsWith('#!')) return script;
  const kept = shebang
    .replace(/\ballow-key-locking\b,?/u, '')
    .replace(/,(?=\s|$)/u, '')
    .replace(/\s+flags=(?=\s|$)/u, '');
  return [kept, ...rest].join('\n');
}

/**
 * Makes Redis take scripts written for Upstash. A changed script has another hash, so the hash that the
 * client knows is translated, once the script has been seen.
 */
export function createScriptTranslation(): (command: string[]) => string[] {
  const hashes = new Map<string, string>();
  const translate = (script: string) => {
    const translated = withoutUpstashFlag(script);
    hashes.set(sha1(script), sha1(translated));
    return translated;
  };
  return (command) => {
    const [name = '', first = '', ...rest] = command;
    switch (name.toUpperCase()) {
      case 'EVAL':
      case 'EVAL_RO':
        return [name, translate(first), ...rest];
      case 'EVALSHA':
      case 'EVALSHA_RO':
        return [name, hashes.get(first) ?? first, ...rest];
      case 'SCRIPT':
        return first.toUpperCase() === 'LOAD' ? [name, first, ...rest.map(translate)] : command;
      default:
        return command;
    }
  };
}
