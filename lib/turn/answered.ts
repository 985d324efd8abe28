import * as z from 'zod';
import type { Answer } from '../answer/answer.ts';
import type { RunIds } from '../answer/event.ts';
import { waitingForm, type KeptForm, type WaitingForm } from '../ask/form.ts';
import type { AppType } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import { readJson } from '../runtime/json.ts';
import type { FormChange } from '../state/state.ts';
import { askerOf } from './conversation.ts';
import { appTypeSchema, idsSchema, userOfRun } from './record.ts';
import type { Turn, TurnProgress } from './turn.ts';

/**
 * What is kept of an answered question, so that a button below the answer still works: ids and the chat's own reply
 * address, and no text.
 */
export interface AnsweredTurn {
  ids: RunIds;
  appType: AppType | null;
  /** Whom Dify shows the run to. */
  user: string;
  chat: { id: string; isGroup: boolean };
  sender: { staffId: string | null; unionId: string | null; id: string };
  session: Message['session'];
  corpId: string | null;
  /** What the run waits for. */
  form: WaitingForm | null;
}

/** Versions before this one kept no length. */
const shownChars = z.number().default(0);

const answeredSchema: z.ZodType<AnsweredTurn> = z.object({
  ids: idsSchema,
  appType: appTypeSchema.nullable(),
  user: z.string(),
  chat: z.object({ id: z.string(), isGroup: z.boolean() }),
  sender: z.object({ staffId: z.string().nullable(), unionId: z.string().nullable(), id: z.string() }),
  session: z.object({ webhook: z.string(), expiresAtMs: z.number().nullable() }).nullable(),
  corpId: z.string().nullable(),
  form: z.object({ token: z.string(), runId: z.string(), action: z.string(), shownChars }).nullable(),
});

const keptFormSchema: z.ZodType<KeptForm> = z.object({
  token: z.string(),
  runId: z.string(),
  shownChars,
  appType: appTypeSchema,
  user: z.string(),
  asker: z.string(),
  actions: z.array(z.object({ id: z.string(), title: z.string() })).catch([]),
});

export function writeAnswered(turn: Turn, progress: TurnProgress, form: WaitingForm | null): string {
  const { chat, sender, session, corpId } = turn.message;
  const { ids, appType } = progress;
  const answered: AnsweredTurn = {
    ids,
    appType,
    user: userOfRun(turn.user, progress),
    chat: { id: chat.id, isGroup: chat.isGroup },
    sender: { staffId: sender.staffId, unionId: sender.unionId, id: sender.id },
    session,
    corpId,
    form,
  };
  return JSON.stringify(answered);
}

/** Null when there is none, or it was written by a version that had another shape. */
export function readAnswered(text: string | null): AnsweredTurn | null {
  return text === null ? null : readJson(answeredSchema, text);
}

/** What the conversation waits for after this turn. `isOver`: the form that it waited for cannot be answered any more. */
export function formChange(
  turn: Turn,
  progress: TurnProgress,
  answer: Answer,
  { form, isOver }: { form: WaitingForm | null; isOver: boolean },
): FormChange {
  const { appType } = progress;
  if (!form || appType === null) return { kind: isOver ? 'forget' : 'keep' };
  const { token, runId, shownChars: chars } = form;
  const actions = answer.form?.actions ?? [];
  const kept: KeptForm = {
    token,
    runId,
    shownChars: chars,
    appType,
    user: userOfRun(turn.user, progress),
    asker: askerOf(turn.message),
    actions,
  };
  return { kind: 'wait', form: JSON.stringify(kept) };
}

export function readKeptForm(text: string | null): KeptForm | null {
  return text === null ? null : readJson(keptFormSchema, text);
}

/** How much of the run's text stood on earlier cards: before the form that this turn answers, if it answers one. */
export function shownBefore(turn: Pick<Turn, 'form'>, progress: TurnProgress): number {
  return (turn.form ?? progress.form)?.shownChars ?? 0;
}

/** The form that a paused answer waits for, for the next turn that answers it. */
export function formToAnswer(turn: Turn, progress: TurnProgress, answer: Answer): WaitingForm | null {
  const form = waitingForm(answer);
  return form && { ...form, shownChars: shownBefore(turn, progress) + form.shownChars };
}
