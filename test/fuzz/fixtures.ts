// The recorded values that the fuzzers begin with.
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../fixtures/', import.meta.url);

const read = (path: string): string => readFileSync(new URL(path, folder), 'utf8');

const filesIn = (path: string, ending: string): string[] =>
  readdirSync(new URL(path, folder))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => `${path}${name}`);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Bodies of robot callbacks, as DingTalk was seen to send them. */
export const callbackBodies: readonly Record<string, unknown>[] = ['dingtalk/', 'quotes/', 'cases/']
  .flatMap((path) => filesIn(path, '.json'))
  .map((path) => JSON.parse(read(path)) as unknown)
  .flatMap((file) => (isRecord(file) && isRecord(file['body']) ? [file['body']] : []))
  .filter((body) => 'msgtype' in body || 'errorCode' in body);

/** Whole streams of Dify. */
export const streams: readonly string[] = [
  ...filesIn('dify/', '.sse'),
  ...filesIn('dify-real/', '.sse'),
  ...filesIn('dify-real/0.15.3/', '.sse'),
  ...filesIn('dify-real/forms/', '.sse'),
]
  .map(read)
  // A few are very long, and say nothing more.
  .filter((text) => text.length < 60_000);

/** Refusals of Dify before a stream. */
export const refusals = (JSON.parse(read('dify/http-bodies.json')) as { status: number; body: unknown }[]).filter(
  ({ status }) => status >= 400,
);
