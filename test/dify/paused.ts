// A run that asks a person.
import type { Answer } from '../../lib/answer/answer.ts';
import { resume } from '../../lib/ask/resume.ts';
import { submitForm } from '../../lib/dify/forms.ts';
import { followRun } from '../../lib/dify/runs.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { ChunkScript, DifyOptions, DifyRun, Pause } from '../../playground/dify/types.ts';
import { startDify } from '../playground/support.ts';
import { httpOf } from './support.ts';

export const user = 'staff-0001';
export const pause: Pause = {
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

/** A sample Dify with a run that waits for its form. */
export async function paused(
  ending: Pause = pause,
  mode: 'advanced-chat' | 'workflow' = 'advanced-chat',
  options: Partial<DifyOptions> = {},
) {
  const script: ChunkScript = { chunks: [{ text: '请确认。' }], ending };
  const started = await startDify({ script, ...options });
  await started.ask(mode);
  const run = started.dify.runs[0] as DifyRun;
  const http = httpOf(started.dify.url, `app-${mode}`);
  const runId = run.workflowRunId ?? '';
  const submission = (inputs: Record<string, string> = { comment: '好', priority: 'low' }) => ({
    token: run.forms.at(-1)?.token ?? '',
    action: 'approve',
    inputs,
    user,
  });
  const submit = (inputs?: Record<string, string>) => submitForm(http, submission(inputs));
  const progress: Answer[] = [];
  const resumed = (more: Partial<Parameters<typeof resume>[0]> = {}) =>
    resume({
      runId,
      openEvents: (signal) => followRun(http, { runId, user, signal }),
      submit,
      clock: systemClock,
      signal: new AbortController().signal,
      onProgress: (answer) => progress.push(answer),
      ...more,
    });
  return { ...started, run, http, runId, submission, submit, resumed, progress };
}
