import * as z from 'zod';
import { parseJson } from '../../runtime/json.ts';

/** What a connection asks for. Each topic brings the same body as the HTTP callback of its kind. */
export const TOPICS = { message: '/v1.0/im/bot/messages/get', press: '/v1.0/card/instances/callback' } as const;

/** What DingTalk sends down a connection (the protocol page of Stream mode). */
export type Frame =
  /** A robot message, or a press on a card. DingTalk waits for an acknowledgement that names `id`. */
  | { kind: 'message' | 'press'; id: string; body: string; sentAtMs: number | null }
  /** Wants `data` back. */
  | { kind: 'ping'; id: string; data: string }
  /** Nothing new comes on this connection. DingTalk closes it 10 s later. */
  | { kind: 'disconnect' }
  /** Of a topic that was not asked for. */
  | { kind: 'foreign'; id: string }
  /** Wants no answer: what DingTalk says of the connection itself, and what cannot be read. */
  | { kind: 'other' };

const wire = z.object({
  type: z.string(),
  headers: z.object({ topic: z.string(), messageId: z.string().nullish(), time: z.unknown().optional() }),
  data: z.string().nullish(),
});

export function readFrame(text: string): Frame {
  const parsed = wire.safeParse(parseJson(text)).data;
  if (!parsed) return { kind: 'other' };
  const { topic, messageId: id, time } = parsed.headers;
  const data = parsed.data ?? '';
  if (parsed.type === 'SYSTEM') {
    if (topic === 'disconnect') return { kind: 'disconnect' };
    return topic === 'ping' ? { kind: 'ping', id: id ?? '', data } : { kind: 'other' };
  }
  if (!id) return { kind: 'other' };
  if (parsed.type !== 'CALLBACK') return { kind: 'foreign', id };
  if (topic !== TOPICS.message && topic !== TOPICS.press) return { kind: 'foreign', id };
  const sentAtMs = /^\d{13}$/.test(String(time)) ? Number(time) : null;
  return { kind: topic === TOPICS.message ? 'message' : 'press', id, body: data, sentAtMs };
}

/** How a callback ended, in the codes of the protocol: taken, not readable, not asked for, failed. */
export type AckCode = 200 | 400 | 404 | 500;

const WORDS: Readonly<Record<AckCode, string>> = { 200: 'OK', 400: 'bad request', 404: 'not found', 500: 'failed' };

/** @param data what goes back, as the text of a JSON value. */
export function acknowledgement(id: string, code: AckCode, data: string): string {
  return JSON.stringify({
    code,
    message: WORDS[code],
    headers: { messageId: id, contentType: 'application/json' },
    data,
  });
}

/** The data of the acknowledgement of a callback. For a press, `response` is what the HTTP callback would answer. */
export const responseData = (response: object): string => JSON.stringify({ response });
