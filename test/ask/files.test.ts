// Files on their way with a question.
import { expect, onTestFinished, test } from 'vitest';
import { createDify } from '../../lib/dify/dify.ts';
import type { QuestionFile } from '../../lib/dify/file-inputs.ts';
import { ask } from '../../lib/ask/ask.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createLog } from '../../lib/runtime/log.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { AppMode, SampleApp } from '../../playground/dify/types.ts';
import { configOf } from '../dify/support.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const user = 'staff-0001';

async function asking(mode: AppMode, parameters: SampleApp['parameters'], names: readonly string[]) {
  const app: SampleApp = {
    mode,
    name: mode,
    script: { chunks: [{ text: '好' }] },
    ...(parameters ? { parameters } : {}),
  };
  const dify = await createDifySimulator({ apps: { key: app } });
  onTestFinished(() => dify.close());
  const files: QuestionFile[] = [];
  for (const name of names) {
    const form = new FormData();
    form.set('user', user);
    form.set('file', new Blob(['%PDF-1.7'], { type: 'application/pdf' }), name);
    const headers = { authorization: 'Bearer key' };
    const response = await fetch(`${dify.url}/files/upload`, { method: 'POST', headers, body: form });
    const { id } = (await response.json()) as { id: string };
    files.push({ class: 'document', extension: 'pdf', uploadId: id });
  }
  const log = createLog(systemClock, 'error', () => {});
  const asked = ask({
    dify: createDify(configOf(dify.url, 'key'), { fetch: createFetch(), clock: systemClock, log }),
    question: { query: '总结', inputs: {}, queryInput: 'query', user, conversationId: null, files },
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  return { dify, asked };
}

const fileUpload = { enabled: true, allowed_file_types: ['document'], allowed_file_upload_methods: ['local_file'] };

test.each<AppMode>(['chat', 'advanced-chat', 'agent-chat', 'completion'])(
  'they go with the question in a %s app',
  async (mode) => {
    const { dify, asked } = await asking(mode, { file_upload: { ...fileUpload, number_limits: 2 } }, [
      'a.pdf',
      'b.pdf',
    ]);
    expect((await asked).ending).toEqual({ kind: 'complete' });
    expect(dify.runs[0]?.files.map(({ name, variable, type }) => [name, variable, type])).toEqual([
      ['a.pdf', null, 'document'],
      ['b.pdf', null, 'document'],
    ]);
    expect(dify.violations).toEqual([]);
  },
);

test.each<AppMode>(['workflow', 'advanced-chat'])('they go into the inputs that a %s declares', async (mode) => {
  const user_input_form = [
    { paragraph: { variable: 'query', label: 'query', required: true } },
    { file: { variable: 'report', label: 'Report', required: true, allowed_file_types: ['document'] } },
    { 'file-list': { variable: 'more', label: 'More', allowed_file_types: ['document'], max_length: 2 } },
  ];
  const form = mode === 'workflow' ? user_input_form : user_input_form.slice(1);
  const { dify, asked } = await asking(mode, { user_input_form: form }, ['a.pdf', 'b.pdf']);
  expect((await asked).ending).toEqual({ kind: 'complete' });
  expect(dify.runs[0]?.files.map(({ name, variable }) => [name, variable])).toEqual([
    ['a.pdf', 'report'],
    ['b.pdf', 'more'],
  ]);
  expect(dify.violations).toEqual([]);
});

test('the question is not asked without one that has no place', async () => {
  const few = await asking('chat', { file_upload: { ...fileUpload, number_limits: 1 } }, ['a.pdf', 'b.pdf']);
  await expect(few.asked).rejects.toMatchObject({ code: 'file_not_accepted', facts: { most: 1 } });
  expect(few.dify.runs).toEqual([]);
  const none = await asking('chat', undefined, ['a.pdf']);
  await expect(none.asked).rejects.toMatchObject({ code: 'file_not_accepted' });
});
