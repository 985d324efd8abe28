import * as z from 'zod';
import type { AppType } from './dify/app-facts.ts';
import type { RunIds } from './dify/events.ts';
import type { Message } from './dingtalk/callback.ts';
import type { TurnProgress } from './turn-record.ts';

/**
 * What remains of an answered question, so that a button below the answer still works: ids and the chat's own reply
 * address, nothing that anybody wrote.
 */
export interface Receipt {
  ids: RunIds;
  appType: AppType | null;
  /** Whom Dify knows the asker as. */
  user: string;
  chat: { id: string; isGroup: boolean };
  sender: { staffId: string | null; unionId: string | null; id: string };
  session: Message['session'];
  corpId: string | null;
  /** What the run waits for. */
  form: WaitingForm | null;
}

/** A form of a paused run: its token is the right to answer it. */
export interface WaitingForm {
  token: string;
  runId: string;
  /** The id of its first action; empty where it has none. */
  action: string;
}

const receiptSchema = z.object({
  ids: z.custom<RunIds>((value) => typeof value === 'object' && value !== null),
  appType: z.custom<AppType>((value) => typeof value === 'string').nullable(),
  user: z.string(),
  chat: z.object({ id: z.string(), isGroup: z.boolean() }),
  sender: z.object({ staffId: z.string().nullable(), unionId: z.string().nullable(), id: z.string() }),
  session: z.object({ webhook: z.string(), expiresAtMs: z.number().nullable() }).nullable(),
  corpId: z.string().nullable(),
  form: z.object({ token: z.string(), runId: z.string(), action: z.string() }).nullable(),
});

export function writeReceipt(
  { chat, sender, session, corpId }: Message,
  { ids, appType }: TurnProgress,
  user: string,
  form: WaitingForm | null,
): string {
  const receipt: Receipt = {
    ids,
    appType,
    user,
    chat: { id: chat.id, isGroup: chat.isGroup },
    sender: { staffId: sender.staffId, unionId: sender.unionId, id: sender.id },
    session,
    corpId,
    form,
  };
  return JSON.stringify(receipt);
}

/** Null when there is none, or it was written by a version that had another shape. */
export function readReceipt(text: string | null): Receipt | null {
  if (text === null) return null;
  try {
    return receiptSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
