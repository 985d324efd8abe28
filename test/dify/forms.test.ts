// A run that asks a person, from its form to its end.
import { describe, expect, test } from 'vitest';
import { answerText, type Answer } from '../../lib/answer/answer.ts';
import type { DifyEvent } from '../../lib/answer/event.ts';
import { getForm, submitForm } from '../../lib/dify/forms.ts';
import { followRun } from '../../lib/dify/runs.ts';
import { BridgeError } from '../../lib/errors.ts';
import { resumeRun } from '../../lib/ask/resume.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { ChunkScript, DifyOptions, DifyRun, Pause } from '../../playground/dify/types.ts';
import { eventually, startDify } from '../playground/support.ts';
import { configOf, json, startServer } from '../recovery/support.ts';

const user = 'staff-0001';
const pause: Pause = {
  kind: 'paused',
  formContent: '退款吗？\n\n{{#$output.comment#}}',
  inputs: [
    { type: 'paragraph', name: 'comment' },
    { type: 'select', name: 'priority', options: ['low', 'high'] },
  ],
  defaults: { comment: '无' },
  onSubmit: ({ action, inputs }) => ({
    chunks: [{ text: `${action}：` }, { afterMs: 20, text: String(inputs['comment']) }],
  }),
};

async function paused(
  ending: Pause = pause,
  mode: 'advanced-chat' | 'workflow' = 'advanced-chat',
  options: Partial<DifyOptions> = {},
) {
  const script: ChunkScript = { chunks: [{ text: '请确认。' }], ending };
  const started = await startDify({ script, ...options });
  await started.ask(mode);
  const run = started.dify.runs[0] as DifyRun;
  const config = configOf(started.dify.url, `app-${mode}`);
  const runId = run.workflowRunId ?? '';
  const submission = (inputs: Record<string, string> = { comment: '好', priority: 'low' }) => ({
    token: run.forms.at(-1)?.token ?? '',
    action: 'approve',
    inputs,
    user,
  });
  const submit = (inputs?: Record<string, string>) => submitForm(config, fetch, systemClock, submission(inputs));
  const progress: Answer[] = [];
  const resume = (more: Partial<Parameters<typeof resumeRun>[0]> = {}) =>
    resumeRun({
      runId,
      openEvents: (signal) => followRun(config, fetch, systemClock, { runId, user, signal }),
      submit,
      clock: systemClock,
      signal: new AbortController().signal,
      onProgress: (answer) => progress.push(answer),
      ...more,
    });
  return { ...started, run, config, runId, submission, submit, resume, progress };
}

describe('a form', () => {
  test('is read as the event told it', async () => {
    const { config, run, dify } = await paused();
    const form = await getForm(config, fetch, systemClock, run.forms[0]?.token ?? '');
    expect(form).toMatchObject({
      content: '退款吗？\n\n{{#$output.comment#}}',
      fields: [
        { name: 'comment', type: 'text', required: false, default: '无' },
        { name: 'priority', type: 'select', required: true, options: ['low', 'high'] },
      ],
      actions: [
        { id: 'approve', title: 'Approve' },
        { id: 'reject', title: 'Reject' },
      ],
    });
    expect(Math.abs((form.expiresAtMs ?? 0) - (run.forms[0]?.expiresAt ?? 0))).toBeLessThan(1_000);
    expect(dify.violations).toEqual([]);
  });

  test('takes one answer; a refused one leaves it open', async () => {
    const { submit, config, run, dify } = await paused();
    await expect(submit({ comment: '', priority: 'medium' })).rejects.toMatchObject({ code: 'form_invalid' });
    await submit();
    await expect(submit()).rejects.toMatchObject({ code: 'form_closed' });
    await expect(getForm(config, fetch, systemClock, run.forms[0]?.token ?? '')).rejects.toMatchObject({
      code: 'form_closed',
    });
    expect(run.forms[0]).toMatchObject({ user, submitted: { action: 'approve' } });
    expect(dify.violations).toEqual([]);
  });

  test('that nobody knows, or that is over, has expired', async () => {
    const { config, submission, submit } = await paused({ ...pause, expiresInS: -1 });
    await expect(submit()).rejects.toMatchObject({ code: 'form_expired' });
    const unknown = { ...submission(), token: 'no/such?form' };
    await expect(submitForm(config, fetch, systemClock, unknown)).rejects.toMatchObject({ code: 'form_expired' });
    await expect(getForm(config, fetch, systemClock, 'none')).rejects.toMatchObject({ code: 'form_expired' });
  });

  test('that meets a page or an error is a failure of Dify', async () => {
    const page = await startServer((_path, response) => response.end('<html>'));
    const body = { token: 't', action: 'a', inputs: {}, user };
    await expect(submitForm(configOf(page.url), fetch, systemClock, body)).rejects.toMatchObject({
      code: 'dify_server_error',
    });
    await expect(getForm(configOf(page.url), fetch, systemClock, 't')).rejects.toMatchObject({
      code: 'dify_server_error',
    });
    const closed = await startServer((_path, response) => json(response, { code: 'unauthorized' }, 401));
    await expect(getForm(configOf(closed.url), fetch, systemClock, 't')).rejects.toMatchObject({
      code: 'dify_unauthorized',
    });
  });
});

describe('a run that is resumed', () => {
  test('is followed from the form to its end; what was said before is not repeated', async () => {
    const { resume, dify, progress, runId } = await paused();
    const answer = await resume();
    expect(answerText(answer).text).toBe('approve：好');
    expect(answer).toMatchObject({ ending: { kind: 'complete' }, ids: { runId }, form: null });
    expect(progress.map((told) => answerText(told).text)).toContain('approve：');
    const paths = dify.requests.map(({ api, query }) => [api, query['include_state_snapshot']]);
    expect(paths.slice(-2)).toEqual([
      ['runEvents', undefined],
      ['submitForm', undefined],
    ]);
    await eventually(() => dify.openStreams.length === 0);
  });

  test('without a word after the form says nothing', async () => {
    const { resume } = await paused({ ...pause, onSubmit: () => ({ chunks: [] }) });
    const answer = await resume();
    expect(answerText(answer).text).toBe('');
    expect(answer.ending).toEqual({ kind: 'complete' });
  });

  test('of a workflow ends in its outputs', async () => {
    const outputs = { result: '已退款' };
    const { resume } = await paused({ ...pause, onSubmit: () => ({ chunks: [], outputs }) }, 'workflow');
    expect(answerText(await resume()).text).toBe('已退款');
  });

  test('may ask again', async () => {
    const again: Pause = { kind: 'paused', formContent: '真的？', title: 'Again' };
    const { resume } = await paused({ ...pause, onSubmit: () => ({ chunks: [{ text: '嗯。' }], ending: again }) });
    const answer = await resume();
    expect(answer).toMatchObject({ ending: { kind: 'paused' }, form: { nodeTitle: 'Again', content: '真的？' } });
    expect(answerText(answer).text).toBe('嗯。');
  });

  test('may fail', async () => {
    const failing: ChunkScript = { chunks: [], ending: { kind: 'failed', message: 'x' } };
    const { resume } = await paused({ ...pause, onSubmit: () => failing });
    expect((await resume()).ending).toMatchObject({ kind: 'failed', cause: 'run' });
  });

  test('ends with the run, not with its message, although its start was not heard', async () => {
    const ids = { messageId: 'm' };
    async function* events(): AsyncGenerator<DifyEvent> {
      yield { kind: 'message-ended', ids, citations: [], files: [], totalTokens: null, price: null };
      await Promise.resolve();
      yield { kind: 'run-finished', ids, status: 'failed', outputs: {}, files: [] };
    }
    const { resume } = await paused();
    expect((await resume({ openEvents: () => Promise.resolve(events()) })).ending).toMatchObject({ kind: 'failed' });
  });

  test('is left alone when its form was not taken', async () => {
    const { resume, dify, run } = await paused();
    const refused = new BridgeError('form_invalid', 'no');
    await expect(resume({ submit: () => Promise.reject(refused) })).rejects.toBe(refused);
    expect(run.status).toBe('paused');
    await eventually(() => dify.openStreams.length === 0);
  });

  test('is to be looked for when its events break off', async () => {
    const { resume, dify, run } = await paused();
    dify.faults.inject({ api: 'runEvents', kind: 'cut', afterBytes: 200 });
    await expect(resume()).rejects.toMatchObject({ code: 'dify_cut' });
    await eventually(() => run.status === 'succeeded');
  });

  test.each(['no such route', 'no answer'])('is to be looked for when there are no events: %s', async (why) => {
    const { resume, submit, run } = await paused();
    let submitted = 0;
    const answering = resume({
      openEvents: () =>
        why === 'no answer' ? Promise.reject(new BridgeError('dify_timeout', 'no')) : Promise.resolve(null),
      submit: async () => {
        submitted += 1;
        await submit();
      },
    });
    await expect(answering).rejects.toMatchObject({ code: 'dify_cut' });
    expect(submitted).toBe(1);
    await eventually(() => run.status === 'succeeded');
  });

  test('can be given up, before the form or after', async () => {
    const reason = new Error('time is up');
    const early = await paused();
    await expect(early.resume({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(early.run.status).toBe('paused');
    const late = await paused({
      ...pause,
      onSubmit: () => ({ chunks: [{ text: 'a' }, { afterMs: 5_000, text: 'b' }] }),
    });
    const controller = new AbortController();
    const given = late.resume({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(given).rejects.toBe(reason);
    await eventually(() => late.dify.openStreams.length === 0);
  });

  test('is unknown to other people', async () => {
    const { config, runId } = await paused();
    const { signal } = new AbortController();
    expect(await followRun(config, fetch, systemClock, { runId, user: 'staff-0002', signal })).toBeNull();
  });
});
