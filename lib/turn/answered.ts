import * as z from 'zod';
import type { Answer } from '../answer/answer.ts';
import type { RunIds } from '../answer/event.ts';
import type { OthersForm } from '../ask/form-decision.ts';
import { waitingForm, type ShownForm } from '../ask/form.ts';
import type { AppType } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import { readJson } from '../runtime/json.ts';
import { askerOf } from './conversation.ts';
import { actionsSchema } from './kept-forms.ts';
import { appTypeSchema, idsSchema } from './kept-message.ts';
import { userOfRun } from './record.ts';
import type { Turn, TurnProgress } from './turn.ts';

/**
 * What is kept of an answered question, so that a button below the answer still works: ids and no text, and for as long as
 * DingTalk takes it the chat's own reply address.
 */
export interface AnsweredTurn {
  ids: RunIds;
  appType: AppType | null;
  /** Whom Dify shows the run to. */
  user: string;
  chat: { id: string; isGroup: boolean };
  /** The name is kept only while a form waits, for the card of the form. */
  sender: { staffId: string | null; unionId: string | null; id: string; nick: string };
  session: Message['session'];
  corpId: string | null;
  /** What the run waits for. */
  form: ShownForm | null;
}

const sessionSchema = z.object({ webhook: z.string(), expiresAtMs: z.number().nullable() });

const answeredSchema: z.ZodType<AnsweredTurn> = z.object({
  ids: idsSchema,
  appType: appTypeSchema.nullable(),
  user: z.string(),
  chat: z.object({ id: z.string(), isGroup: z.boolean() }),
  sender: z.object({
    staffId: z.string().nullable(),
    unionId: z.string().nullable(),
    id: z.string(),
    nick: z.string().default(''),
  }),
  session: sessionSchema.nullable(),
  corpId: z.string().nullable(),
  form: z
    .object({
      token: z.string(),
      runId: z.string(),
      action: z.string(),
      // Versions before this one kept no length, then no more than that.
      shownChars: z.number().default(0),
      title: z.string().default(''),
      actions: actionsSchema.default([]),
      number: z.number().default(0),
      expiresAtMs: z.number().nullable().default(null),
      earlierChars: z.number().default(0),
      cardId: z.string().default(''),
      onCard: z.boolean().optional(),
      isQuoted: z.boolean().optional(),
    })
    .nullable(),
});

export function writeAnswered(turn: Turn, progress: TurnProgress, form: ShownForm | null): string {
  const { chat, sender, corpId } = turn.message;
  const { ids, appType } = progress;
  // Nothing reads the id of a task whose run has ended.
  const { taskId: _task, ...lasting } = ids;
  const answered: AnsweredTurn = {
    ids: lasting,
    appType,
    user: userOfRun(turn.user, progress),
    chat: { id: chat.id, isGroup: chat.isGroup },
    sender: {
      staffId: sender.staffId,
      unionId: sender.unionId,
      id: sender.id,
      nick: form ? sender.nick : '',
    },
    session: null,
    corpId,
    form,
  };
  return JSON.stringify(answered);
}

/** The reply address of a turn, which is kept apart from the rest because it closes long before (`FinishRequest.reply`). */
export function writeReply({ message: { session } }: Turn): { text: string; untilMs: number | null } | null {
  return session && { text: JSON.stringify(session), untilMs: session.expiresAtMs };
}

/**
 * Null when there is none, or it was written by a version that had another shape. Versions before this one kept the reply
 * address with the rest.
 */
export function readAnswered(text: string | null, reply: string | null = null): AnsweredTurn | null {
  const answered = text === null ? null : readJson(answeredSchema, text);
  return answered && { ...answered, session: answered.session ?? readJson(sessionSchema, reply ?? '') };
}

/** The forms that answered turns of other people wait for. */
export function readOthers(receipts: readonly string[]): OthersForm[] {
  return receipts.flatMap((receipt) => {
    const answered = readAnswered(receipt);
    if (!answered?.form) return [];
    const { token, actions, cardId, title, number } = answered.form;
    return [{ token, actions, cardId, title, number, asker: askerOf(answered) }];
  });
}

/** How much of the run's text stood on earlier cards: before the form that this turn answers, if it answers one. */
export function shownBefore(turn: Pick<Turn, 'form'>, progress: TurnProgress): number {
  return (turn.form ?? progress.form)?.shownChars ?? 0;
}

/** The form that a paused answer waits for, for the next turn that answers it. */
export function formToAnswer(turn: Turn, progress: TurnProgress, answer: Answer, number: number): ShownForm | null {
  const waiting = waitingForm(answer);
  if (!waiting || !answer.form) return null;
  const { nodeTitle: title, actions, expiresAtMs } = answer.form;
  const earlierChars = shownBefore(turn, progress);
  const shownChars = earlierChars + waiting.shownChars;
  return { ...waiting, shownChars, earlierChars, title, actions, number, expiresAtMs, cardId: turn.id };
}
