import * as z from 'zod';
import type { AnswerFile, Citation } from '../answer/event.ts';
import { parseJson } from '../runtime/json.ts';
import { answerFileOf, answerFileShape } from './answer-file.ts';

/** What Dify keeps of a run of a workflow or chatflow. `status` is Dify's word (`docs/wire-dify.md`). */
export interface RunRecord {
  status: string;
  outputs: Readonly<Record<string, unknown>>;
  totalTokens: number | null;
}

/** What Dify keeps of one question of a conversation and its answer. */
export interface MessageRecord {
  id: string;
  query: string;
  /** Empty until Dify has saved it. Some answers are never saved (`docs/wire-dify.md`). */
  answer: string;
  status: 'normal' | 'error' | 'paused';
  createdAtMs: number;
  citations: readonly Citation[];
  files: readonly AnswerFile[];
}

export interface ConversationRecord {
  id: string;
  /** When something was last said in it. */
  updatedAtMs: number;
}

const text = z.string().nullish();

const outputsShape = z.record(z.string(), z.unknown());

const runShape = z.object({ status: z.string(), outputs: z.unknown(), total_tokens: z.number().nullish() });

/** Null for JSON that is not the detail of a run. */
export function readRun(json: unknown): RunRecord | null {
  const run = runShape.safeParse(json).data;
  return run ? { status: run.status, outputs: readOutputs(run.outputs), totalTokens: run.total_tokens ?? null } : null;
}

/** An object since 1.13, a raw JSON text up to 1.12, `{}` or null without results (`docs/wire-dify.md`). */
function readOutputs(outputs: unknown): Readonly<Record<string, unknown>> {
  return outputsShape.safeParse(typeof outputs === 'string' ? parseJson(outputs) : outputs).data ?? {};
}

const fileShape = answerFileShape.extend({ belongs_to: text });

const messageShape = z.object({
  id: z.string(),
  query: text,
  answer: text,
  status: text,
  created_at: z.number().nullish(),
  message_files: z.array(fileShape).nullish(),
  retriever_resources: z.array(z.object({ document_id: text, document_name: text })).nullish(),
});

/** The rows of `GET /messages` in no particular order; null for JSON that is no such page. */
export function readMessages(json: unknown): MessageRecord[] | null {
  return readPage(json, messageShape, (row) => ({
    id: row.id,
    query: row.query ?? '',
    answer: row.answer ?? '',
    status: row.status === 'error' || row.status === 'paused' ? row.status : 'normal',
    createdAtMs: (row.created_at ?? 0) * 1000,
    citations: (row.retriever_resources ?? []).flatMap((source) =>
      source.document_name ? [{ documentId: source.document_id ?? null, documentName: source.document_name }] : [],
    ),
    // `user` marks the files that the asker uploaded.
    files: (row.message_files ?? []).flatMap((file) => (file.belongs_to === 'user' ? [] : (answerFileOf(file) ?? []))),
  }));
}

const conversationShape = z.object({
  id: z.string(),
  created_at: z.number().nullish(),
  updated_at: z.number().nullish(),
});

/** The rows of `GET /conversations`, newest first; null for JSON that is no such page. */
export function readConversations(json: unknown): ConversationRecord[] | null {
  const rows = readPage(json, conversationShape, ({ id, created_at, updated_at }) => ({
    id,
    updatedAtMs: Math.max(created_at ?? 0, updated_at ?? 0) * 1000,
  }));
  return rows?.toSorted((a, b) => b.updatedAtMs - a.updatedAtMs) ?? null;
}

const pageShape = z.object({ data: z.array(z.unknown()) });

/** A row that cannot be read is left out. */
function readPage<T extends z.ZodType, R>(json: unknown, shape: T, read: (row: z.output<T>) => R): R[] | null {
  const page = pageShape.safeParse(json).data;
  if (!page) return null;
  return page.data.flatMap((row) => {
    const parsed = shape.safeParse(row);
    return parsed.success ? [read(parsed.data)] : [];
  });
}
