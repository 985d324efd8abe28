// Whether a message answers the form that its conversation waits for.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { FormField, PendingForm } from '../../lib/answer/event.ts';
import { decideForm, isFormOver, waitingForm, type FormSubmission, type KeptForm } from '../../lib/ask/form.ts';
import { BridgeError } from '../../lib/errors.ts';

const reason: FormField = { name: 'reason', label: '原因', type: 'text', required: true, options: [], default: '' };
const form: PendingForm = {
  token: 'token-1',
  runId: null,
  nodeTitle: '',
  content: '',
  fields: [reason],
  actions: [
    { id: 'approve', title: '同意' },
    { id: 'reject', title: '驳回' },
  ],
  expiresAtMs: null,
};
const waiting: KeptForm = {
  token: 'token-1',
  runId: 'run-1',
  shownChars: 4,
  appType: 'chatflow',
  user: 'user-1',
  asker: 'ann',
  actions: form.actions,
};

/** Decides of a question of Ann's; `dify` has the form, or fails. */
async function decide(
  question: string,
  {
    dify = form,
    ...more
  }: { dify?: PendingForm | Error; waiting?: KeptForm | null; asker?: string; form?: FormSubmission } = {},
) {
  const looked: string[] = [];
  const getForm = async (token: string) => {
    looked.push(token);
    if (dify instanceof Error) throw dify;
    return dify;
  };
  const candidate = { form: null, waiting, asker: 'ann', question, ...more };
  return { decision: await decideForm(candidate, { dify: { getForm } }), looked };
}

describe('a message', () => {
  test('that fills the form in goes to the run of the form, for the user whom the run was started for', async () => {
    const { decision, looked } = await decide('同意\n原因：合理');
    expect(decision).toEqual({
      kind: 'submission',
      submission: {
        token: 'token-1',
        runId: 'run-1',
        shownChars: 4,
        appType: 'chatflow',
        user: 'user-1',
        action: 'approve',
        inputs: { reason: '合理' },
      },
    });
    expect(looked).toEqual(['token-1']);
  });

  test('of a button is the answer that the button holds', async () => {
    const { actions: _actions, asker: _asker, ...rest } = waiting;
    const filled: FormSubmission = { ...rest, action: 'reject', inputs: {} };
    const { decision, looked } = await decide('驳回', { form: filled, waiting: null });
    expect(decision).toEqual({ kind: 'submission', submission: filled });
    expect(looked).toEqual([]);
  });

  test.each([
    ['nothing is waited for', { waiting: null }],
    ['another person was asked', { asker: 'bob' }],
  ])('is an ordinary question when %s', async (_why, changes) => {
    const { decision, looked } = await decide('同意', changes);
    expect(decision).toEqual({ kind: 'question', isOver: false });
    expect(looked).toEqual([]);
  });

  test('that names no action is an ordinary question; the form stays open', async () => {
    expect((await decide('年假几天？')).decision).toEqual({ kind: 'question', isOver: false });
  });

  test('that lacks a required field is told which', async () => {
    await expect(decide('同意')).rejects.toMatchObject({ code: 'form_invalid', facts: { fields: '原因' } });
  });
});

describe('a form that cannot be answered any more', () => {
  test.each(['form_closed', 'form_expired'] as const)('by %s', async (code) => {
    const over = new BridgeError(code, 'over');
    await expect(decide('同意', { dify: over })).rejects.toBe(over);
    expect((await decide('年假几天？', { dify: over })).decision).toEqual({ kind: 'question', isOver: true });
  });

  test('is not one that Dify did not show', async () => {
    const unreachable = new BridgeError('dify_unreachable', 'no connection');
    await expect(decide('年假几天？', { dify: unreachable })).rejects.toBe(unreachable);
    expect([unreachable, new Error('x'), null].map(isFormOver)).toEqual([false, false, false]);
  });
});

describe('the form of an answer', () => {
  const paused = (more: Partial<Answer> = {}, changes: Partial<PendingForm> = {}): Answer => ({
    ...emptyAnswer,
    ids: { runId: 'run-1' },
    texts: { message: '请确认。', agent: '', chunk: '' },
    form: { ...form, ...changes },
    ending: { kind: 'paused' },
    ...more,
  });

  test('is kept with the text that stands before it', () => {
    expect(waitingForm(paused())).toEqual({ token: 'token-1', runId: 'run-1', action: 'approve', shownChars: 4 });
    expect(waitingForm(paused({}, { runId: 'run-2', actions: [] }))).toMatchObject({ runId: 'run-2', action: '' });
  });

  test.each<[string, Answer]>([
    ['goes on', paused({ ending: null })],
    ['has no form', paused({ form: null })],
    ['has a form that was sent by e-mail', paused({}, { token: null })],
    ['has no run', paused({ ids: {} })],
  ])('is none when the answer %s', (_why, answer) => {
    expect(waitingForm(answer)).toBeNull();
  });
});
