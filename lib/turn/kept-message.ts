import * as z from 'zod';
import type { RunIds } from '../answer/event.ts';
import type { FormSubmission } from '../ask/form.ts';
import type { AppType } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';

/** A value that has at least this shape, as it is: another version may have added to it. */
const shaped = <T>(shape: z.ZodType) => z.custom<T>((value) => shape.safeParse(value).success);

const text = z.string();
const textOrNull = text.nullable();

export const sentFileSchema: z.ZodType<SentFile> = z.object({
  kind: z.enum(['picture', 'audio', 'video', 'file']),
  downloadCode: text,
  name: textOrNull,
});

const content = z.union([
  z.object({ kind: z.literal('text'), text }),
  z.object({
    kind: z.literal('rich-text'),
    text,
    pictures: z.array(text),
    files: z.array(sentFileSchema).optional(),
  }),
  z.object({ kind: z.enum(['picture', 'video']), downloadCode: text }),
  z.object({ kind: z.literal('audio'), downloadCode: textOrNull, recognition: text }),
  z.object({ kind: z.literal('file'), downloadCode: text, fileName: text }),
  z.object({ kind: z.literal('document') }),
  z.object({ kind: z.literal('unknown'), messageType: text }),
]);

export const leftOutSchema = z.record(text, z.number());

const quoted = z.object({
  text,
  file: sentFileSchema.nullable(),
  moreFiles: z.array(sentFileSchema).optional(),
  cardKey: text.optional(),
});

/** A message in the payload of a turn: every field that some code reads without looking. */
export const messageSchema = shaped<Message>(
  z.object({
    id: text,
    chat: z.object({ id: text, isGroup: z.boolean(), title: textOrNull }),
    sender: z.object({ staffId: textOrNull, unionId: textOrNull, id: text, nick: text, isAdmin: z.boolean() }),
    session: z.object({ webhook: text, expiresAtMs: z.number().nullable() }).nullable(),
    corpId: textOrNull,
    content,
    quoted: quoted.nullable(),
    leftOut: leftOutSchema.optional(),
  }),
);

export const idsSchema = shaped<RunIds>(z.record(text, text));

export const appTypeSchema: z.ZodType<AppType> = z.enum(['chat', 'agent', 'chatflow', 'workflow', 'completion']);

/** A submission of a form. Versions before this one kept no length. */
export const submissionSchema = shaped<FormSubmission>(
  z.object({
    token: text,
    runId: text,
    appType: appTypeSchema,
    user: text,
    action: text,
    inputs: z.record(text, z.unknown()),
    shownChars: z.number().optional(),
    cardId: text.optional(),
    expired: z.object({ title: text, earlierChars: z.number() }).optional(),
  }),
).transform((form) => ({ ...form, shownChars: form.shownChars ?? 0 }));
