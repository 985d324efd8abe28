// Files from the chat for the forms that wait for some, and what is offered then.
import { describe, expect, test } from 'vitest';
import type { FormField, PendingForm } from '../../lib/answer/event.ts';
import { takeFiles, takesFile } from '../../lib/ask/form-files.ts';
import { actionChoices, askBack } from '../../lib/ask/form-questions.ts';
import type { OpenForm } from '../../lib/ask/open-form.ts';
import type { KeptForm } from '../../lib/ask/form.ts';
import { readParameters } from '../../lib/dify/app-facts.ts';
import { readVersion } from '../../lib/dify/version.ts';
import type { SentFile } from '../../lib/dingtalk/message-kinds.ts';
import { pdf, png } from '../support/files.ts';

const rules = { classes: ['document'], extensions: [], takesUploads: true, most: 1 } as const;
const receipt: FormField = {
  name: 'receipt',
  label: '凭证',
  type: 'file',
  required: true,
  options: [],
  default: '',
  files: rules,
};
const pictures: FormField = {
  ...receipt,
  name: 'pictures',
  label: '照片',
  type: 'file-list',
  files: { ...rules, classes: ['image'], most: 2 },
};
const reason: FormField = { ...receipt, name: 'reason', label: '原因', type: 'text', required: false };
const level: FormField = {
  ...reason,
  name: 'level',
  label: 'level',
  type: 'select',
  required: true,
  options: ['高', '低'],
};

const open = (number: number, fields: readonly FormField[], kept: Partial<KeptForm> = {}): OpenForm => ({
  kept: {
    token: `token-${number}`,
    runId: 'run',
    shownChars: 0,
    appType: 'chatflow',
    user: 'user-1',
    asker: 'ann',
    actions: [],
    title: '甲',
    number,
    generation: '',
    cardId: 'card',
    shownAtMs: 0,
    expiresAtMs: null,
    chosen: null,
    isOver: false,
    files: [],
    ...kept,
  },
  form: {
    token: `token-${number}`,
    runId: null,
    nodeTitle: '',
    content: '',
    fields,
    actions: [{ id: 'approve', title: '同意' }],
    expiresAtMs: null,
  } satisfies PendingForm,
});
const document: SentFile = { kind: 'file', downloadCode: 'document', name: 'a.pdf' };
const picture: SentFile = { kind: 'picture', downloadCode: 'picture', name: null };
const speech: SentFile = { kind: 'audio', downloadCode: 'speech', name: null };

async function take(sent: readonly SentFile[], waiting: readonly OpenForm[]) {
  const users: string[] = [];
  const taken = await takeFiles(
    sent,
    waiting,
    {
      dify: {
        facts: async () => ({
          type: 'chatflow',
          isTypeKnown: true,
          ...readVersion(null, undefined),
          ...readParameters({}),
        }),
      },
      sentFiles: {
        addressOf: async (code) => code,
        async download(code) {
          const bytes = code === 'picture' ? png() : pdf();
          const whole = (async function* () {
            yield bytes;
          })();
          return { size: bytes.length, contentType: null, bytes: whole, discard: () => undefined };
        },
        dify: {
          async upload({ user }) {
            users.push(user);
            return { id: `upload-${users.length}` };
          },
          transcribe: async () => '',
        },
      },
    },
    new AbortController().signal,
  );
  return {
    ...taken,
    users,
    held: [...taken.files].map(([{ kept }, files]) => [kept.number, files.map(({ uploadId }) => uploadId)]),
  };
}

describe('a form', () => {
  test.each<[string, FormField, SentFile, boolean]>([
    ['wants a file', receipt, document, true],
    ['wants a file of another class, which is told', receipt, picture, true],
    ['has no field for one', reason, document, false],
    ['takes none from here', { ...receipt, files: { ...rules, takesUploads: false } }, document, false],
    ['does not ask for speech', receipt, speech, false],
    ['asks for speech', { ...receipt, files: { ...rules, classes: ['audio'] } }, speech, true],
  ])('%s', (_, field, file, expected) => {
    expect(takesFile([field], file)).toBe(expected);
  });
});

describe('files that were sent', () => {
  test('go to Dify for the user of the run, and wait with the form for an action', async () => {
    const { held, users, said } = await take([document], [open(1, [receipt, reason])]);
    expect([held, users]).toEqual([[[1, ['upload-1']]], ['user-1']]);
    expect(said).toMatchObject({ kind: 'files-kept', count: 1, choices: [{ action: '同意', form: { number: 1 } }] });
  });

  test('are kept for each form that takes them: the tap decides', async () => {
    const forms = [open(1, [receipt]), open(2, [pictures]), open(3, [receipt]), open(4, [receipt], { user: 'user-2' })];
    const { held, said } = await take([document], forms);
    expect(held).toEqual([
      [1, ['upload-1']],
      [3, ['upload-1']],
    ]);
    expect(said.choices).toHaveLength(2);
  });

  test('offer no action while something else is missing', async () => {
    expect((await take([document], [open(1, [receipt, level])])).said.choices).toEqual([]);
  });

  test('that are more than the form has room for, or of no class of it, are refused', async () => {
    const one = { class: 'image', extension: 'png', uploadId: 'before' } as const;
    const full = [open(1, [pictures], { files: [one] })];
    await expect(take([picture, picture], full)).rejects.toMatchObject({
      code: 'file_not_accepted',
      facts: { most: 1 },
    });
    await expect(take([picture], [open(1, [receipt])])).rejects.toMatchObject({
      code: 'file_not_accepted',
      facts: { kinds: 'document' },
      named: { label: '凭证', extensions: [] },
    });
    const custom = { ...receipt, files: { ...rules, classes: ['custom'], extensions: ['dwg'] } } as const;
    await expect(take([picture], [open(1, [custom])])).rejects.toMatchObject({ named: { extensions: ['dwg'] } });
  });

  test('take the place of a single file that was sent before', async () => {
    const before = { class: 'document', extension: 'pdf', uploadId: 'before' } as const;
    expect((await take([document], [open(1, [receipt], { files: [before] })])).held).toEqual([
      [1, ['before', 'upload-1']],
    ]);
  });
});

describe('a question back', () => {
  test('offers the actions that the words are enough for', () => {
    const both = askBack('低', [open(1, [reason]), open(2, [level]), open(3, [reason, level]), open(4, [])]);
    expect(both).toMatchObject({ field: '原因' });
    expect(both.choices.map((choice) => (choice.kind === 'action' ? choice.form.number : choice.kind))).toEqual([
      1,
      2,
      'question',
    ]);
    expect(askBack('中', [open(2, [level])])).toMatchObject({ field: null, choices: [{ kind: 'question' }] });
    expect(askBack('中', [open(2, [{ ...level, options: [] }])])).toMatchObject({ field: 'level' });
    expect(askBack('level：低\n原因：好', [open(3, [reason, level])])).toMatchObject({
      choices: [{ kind: 'action' }, {}],
    });
  });

  test('offers no action that would lack something', () => {
    expect(actionChoices(open(1, [level]))).toEqual([]);
    expect(actionChoices(open(1, [reason]))).toHaveLength(1);
  });
});
