import * as z from 'zod';
import type { AnswerFile, Citation, FailureReason } from '../answer/event.ts';
import { parseJson } from '../runtime/json.ts';
import { answerFileOf, answerFileShape } from './answer-file.ts';
import { runEnd } from './failures.ts';
import { citationsOf, sources } from './message-end.ts';
import { readModelFailure } from './model-failures.ts';
import { number, text } from './wire-fields.ts';

/** What Dify keeps of a run of a workflow or chatflow. */
export interface RunRecord {
  /** Dify's word (`docs/wire-dify.md`), or what it means: a stop can end a run as `failed`, moderation as `stopped`. */
  status: string;
  /** Why a model of the run failed; null where none did, or where the record does not tell. */
  reason: FailureReason | null;
  outputs: Readonly<Record<string, unknown>>;
  totalTokens: number | null;
  /** What it was started with. */
  inputs: Readonly<Record<string, unknown>>;
}

/** A run in the list of a user's runs. */
export interface RunSummary {
  id: string;
  createdAtMs: number;
}

/** What Dify keeps of one question of a conversation and its answer. */
export interface MessageRecord {
  id: string;
  query: string;
  /** Empty until Dify has saved it. Some answers are never saved (`docs/wire-dify.md`). */
  answer: string;
  /** What an agent keeps of its steps, also of a run whose client is gone; null where there are none. */
  thoughts: Thoughts | null;
  status: 'normal' | 'error' | 'paused';
  /** Why the model failed, as with a run. */
  reason: FailureReason | null;
  createdAtMs: number;
  citations: readonly Citation[];
  files: readonly AnswerFile[];
}

/** The steps of an agent, in their order. */
export interface Thoughts {
  /** The text of the steps that use no tool. */
  text: string;
  /** The last step uses no tool and has its text: the agent is done. A step that still runs has no text. */
  isWhole: boolean;
  /** Changes with each step that begins, uses a tool or ends. */
  mark: string;
}

export interface ConversationRecord {
  id: string;
  /** When something was last said in it. */
  updatedAtMs: number;
}

const valuesShape = z.record(z.string(), z.unknown());

const runShape = z.object({
  status: z.string().nullable(),
  error: text,
  outputs: z.unknown().optional(),
  total_tokens: number,
  inputs: z.unknown().optional(),
});

/** Null for JSON that is not the detail of a run. Of a run that it does not know, Dify 0.15 tells nulls only. */
export function readRun(json: unknown): RunRecord | 'unknown' | null {
  const run = runShape.safeParse(json).data;
  if (!run) return null;
  const { status, error, outputs, total_tokens: totalTokens = null, inputs } = run;
  if (status === null) return 'unknown';
  const hasFailed = status === 'failed' || status === 'stopped';
  const end = hasFailed ? runEnd(status, error ?? '') : { status, reason: null };
  return { ...end, outputs: readValues(outputs), totalTokens, inputs: readValues(inputs) };
}

const runRow = z.object({
  created_at: number,
  workflow_run: z.object({ id: z.string(), created_at: number }),
});

/** The rows of `GET /workflows/logs`, newest first; null for JSON that is no such page. */
export function readRunList(json: unknown): RunSummary[] | null {
  const rows = readPage(json, runRow, ({ created_at: loggedAt, workflow_run: { id, created_at: createdAt } }) => ({
    id,
    createdAtMs: (createdAt ?? loggedAt ?? 0) * 1000,
  }));
  return rows?.toSorted((a, b) => b.createdAtMs - a.createdAtMs) ?? null;
}

/**
 * Outputs are an object since 1.13, a raw JSON text up to 1.12, `{}` or null without results; inputs are a JSON text
 * (`docs/wire-dify.md`).
 */
function readValues(values: unknown): Readonly<Record<string, unknown>> {
  return valuesShape.safeParse(typeof values === 'string' ? parseJson(values) : values).data ?? {};
}

const fileShape = answerFileShape.extend({ belongs_to: text });

const thoughtShape = z.object({ position: number, thought: text, tool: text });

/** Dify joins the steps of an answer with a line break, and so does this. */
function readThoughts(rows: readonly z.output<typeof thoughtShape>[]): Thoughts | null {
  const steps = rows.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
  const last = steps.at(-1);
  if (!last) return null;
  const spoken = steps.filter(({ tool }) => !tool).map(({ thought }) => thought ?? '');
  return {
    text: spoken.filter((part) => part !== '').join('\n'),
    isWhole: !last.tool && Boolean(last.thought),
    mark: steps.map(({ position, tool, thought }) => `${position} ${tool} ${thought?.length ?? 0}`).join(),
  };
}

const messageShape = z.object({
  id: z.string(),
  query: text,
  answer: text,
  status: text,
  error: text,
  created_at: number,
  agent_thoughts: z.array(thoughtShape).nullish().catch(null),
  message_files: z.array(fileShape.nullable().catch(null)).nullish().catch(null),
  retriever_resources: sources,
});

/** The rows of `GET /messages` in no particular order; null for JSON that is no such page. */
export function readMessages(json: unknown): MessageRecord[] | null {
  return readPage(json, messageShape, (row) => ({
    id: row.id,
    query: row.query ?? '',
    answer: row.answer ?? '',
    thoughts: readThoughts(row.agent_thoughts ?? []),
    status: row.status === 'error' || row.status === 'paused' ? row.status : 'normal',
    reason: row.status === 'error' ? readModelFailure(row.error ?? '') : null,
    createdAtMs: (row.created_at ?? 0) * 1000,
    citations: citationsOf(row.retriever_resources),
    // `user` marks the files that the asker uploaded.
    files: (row.message_files ?? []).flatMap(
      (file) => (file && file.belongs_to !== 'user' && answerFileOf(file)) || [],
    ),
  }));
}

const conversationShape = z.object({
  id: z.string(),
  created_at: number,
  updated_at: number,
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
