import * as z from 'zod';
import type { RobotStatus } from '../state.ts';
import type { ConversationContext, Held, StartedTurn, TurnRecord } from '../told.ts';
import { readArrivals } from './arrivals.ts';

// The replies of the scripts. They are lists, because a script cannot reply with anything else that has parts. Numbers may
// come as texts.

export const count = z.coerce.number();

export const ids = z.array(z.string());

const levels = z.enum(['full', 'few', 'last', 'none']);

// What comes most often stands first: a shape that does not fit makes a list of what is wrong with it.
export const accepted = z.union([
  z.tuple([
    z.enum(['started', 'queued', 'full', 'limited', 'unheld']),
    z.string(),
    z.string(),
    z.string(),
    count,
    count,
    count,
    ids,
    levels,
    count,
    z.string(),
    z.string(),
    z.array(z.string()),
    ids,
  ]),
  z.tuple([z.literal('duplicate')]),
  z.tuple([z.literal('silent')]),
]);

export const contextOf = (
  generation: string,
  dify: string,
  form: string,
  forms: string,
  others: readonly string[],
): ConversationContext => ({
  generation,
  difyConversationId: dify || null,
  form: form || null,
  forms: forms || null,
  others,
});

export const held = z.union([
  z.tuple([z.literal('duplicate')]).transform(([kind]): Held => ({ kind })),
  z
    .tuple([z.literal('held'), z.array(z.string()), count, count, ids, z.string(), z.string(), z.string()])
    .transform(([kind, files, added, first, overdue, generation, form, forms]): Held => ({
      kind,
      files,
      added,
      isFirst: first === 1,
      overdue,
      context: contextOf(generation, '', form, forms, []),
    })),
]);

const turn = z
  .tuple([
    z.string(),
    count,
    count,
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    levels,
    z.string(),
    z.string(),
    z.array(z.string()),
  ])
  .transform(
    ([
      turnId,
      fence,
      hop,
      asked,
      conversationKey,
      generation,
      dify,
      form,
      payload,
      progress,
      level,
      stopped,
      ...more
    ]): StartedTurn => ({
      turnId,
      fence,
      hop,
      mayHaveBeenAsked: asked !== '0',
      isStopped: stopped !== '',
      conversationKey,
      context: contextOf(generation, dify, form, ...more),
      payload,
      progress: progress || null,
      level,
    }),
  );

export const renewed = z.union([
  z.tuple([z.literal('held'), count, z.string(), ids, z.enum(['nothing', 'others', 'asker']), count]),
  z.tuple([z.enum(['lost', 'unknown'])]),
]);

export const finished = z.union([
  z.tuple([z.literal('finished'), count, z.string(), count]),
  z.tuple([z.literal('finished'), count, z.string(), count, turn]),
  z.tuple([z.literal('lost')]),
]);

export const takenOver = z.union([
  z.tuple([z.enum(['gone', 'held', 'dropped', 'late'])]),
  z.tuple([z.literal('taken'), turn]),
]);

export const claimed = z.tuple([count, ids]);

export const waiting = z.tuple([z.enum(['queued', 'started', 'dropped', 'over']), z.string()]);

const dropped = z.array(
  z.tuple([z.string(), z.string()]).transform(([turnId, progress]) => ({ turnId, progress: progress || null })),
);

export const stopped = z.union([z.tuple([dropped]), z.tuple([dropped, z.string(), z.string(), z.string()])]);

export const lookedUp = z.union([
  z.tuple([]),
  z.tuple([
    z.enum(['queued', 'started', 'dropped', 'done', 'full', 'limited', 'unheld']),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
  ]),
]);

/** What is on record of a turn; null for nothing, and for a question that was not taken. */
export function recordOf(reply: z.output<typeof lookedUp>): TurnRecord | null {
  if (reply.length === 0 || reply[0] === 'full' || reply[0] === 'limited' || reply[0] === 'unheld') return null;
  const [state, asker, conversationKey, payload, progress, receipt, isStopped, address, formNote] = reply;
  return {
    state,
    asker,
    conversationKey,
    payload: payload || null,
    progress: progress || null,
    isStopped: isStopped !== '',
    receipt: receipt || null,
    reply: address || null,
    formNote: formNote || null,
  };
}

export const rating = z.enum(['like', 'dislike', '']);

const pairs = z.array(z.string()).transform((list) => {
  const entries: [string, string][] = [];
  for (let index = 0; index + 1 < list.length; index += 2) entries.push([list[index] ?? '', list[index + 1] ?? '']);
  return new Map(entries);
});

export const status = z
  .tuple([count, count, count, z.string(), pairs, pairs, pairs])
  .transform(([running, waitingCount, calls, acceptedAt, counts, last, arrivals]): RobotStatus => ({
    running,
    waiting: waitingCount,
    calls,
    lastAcceptedAtMs: acceptedAt === '' ? null : Number(acceptedAt),
    arrivals: readArrivals(arrivals),
    failures: [...counts].map(([code, n]) => ({ code, count: Number(n), lastMs: Number(last.get(code) ?? 0) })),
  }));
