import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { ended, RUN_IDS, words, type Step } from '../support/fake-dify.ts';
import { error, obtain, whole } from '../support/obtain.ts';
import { createWorld } from '../support/turn.ts';

describe('an answer to a form', () => {
  const kept = {
    token: 'token-1',
    runId: 'run-1',
    shownChars: 6,
    appType: 'chatflow',
    user: 'staff-9',
    asker: 'staff-1',
    actions: [{ id: 'yes', title: 'Yes' }],
  } as const;
  const context = { generation: '', difyConversationId: null, form: JSON.stringify(kept) };
  const typed: Partial<Turn> = { question: 'Yes', record: { fence: 1, owner: 'o', hop: 0, context } };
  const pressed: Partial<Turn> = {
    question: 'Yes',
    user: 'staff-9',
    form: { ...kept, action: 'yes', inputs: { reason: 'because' } },
  };
  const after: Step[] = [words('done', RUN_IDS), { ...ended, ids: RUN_IDS }, runFinished()];

  test.each([
    ['in words', typed, {}],
    ['by a button', pressed, { reason: 'because' }],
  ])('%s is given as the person whom the run was started for, once its events are open', async (_, turn, inputs) => {
    const world = createWorld();
    world.dify.afterForm = after;
    const reason = { name: 'reason', label: '', type: 'text', required: false, options: [], default: '' } as const;
    world.dify.pendingForm = { ...world.dify.pendingForm, fields: turn === pressed ? [reason] : [] };
    const { summary: outcome, dify, lease } = await obtain(turn, { world });
    expect(outcome).toBe('done, complete, no failure');
    expect(Object.keys(dify.calls).filter((name) => name !== 'getForm')).toEqual(['followRun', 'submitForm']);
    expect(dify.calls['followRun']).toEqual([{ runId: 'run-1', user: 'staff-9' }]);
    expect(dify.calls['submitForm']).toEqual([{ token: 'token-1', action: 'yes', inputs, user: 'staff-9' }]);
    expect(lease.progress).toMatchObject({ appType: 'chatflow', form: { user: 'staff-9', shownChars: 6 } });
  });

  test('in words is on record before Dify has it, so that its run is found if this instance dies', async () => {
    const world = createWorld();
    const onRecord: unknown[] = [];
    let before: unknown[] = [];
    world.dify.submitForm = async () => void (before = [...onRecord]);
    await obtain(typed, { world, onRecord, opened: new Promise(() => undefined) });
    expect(before).toMatchObject([{ ids: { runId: 'run-1' }, form: { user: 'staff-9', shownChars: 6 } }]);
  });

  test.each([
    ['in words', typed],
    ['by a button', pressed],
  ])('%s is looked for when its stream breaks, and does not repeat what stood before the form', async (_, turn) => {
    const world = createWorld();
    world.dify.afterForm = [words('do', RUN_IDS), error('dify_cut')];
    world.found.push({ kind: 'answer', answer: whole('beforedone') });
    const { summary: outcome, lookedFor } = await obtain(turn, { world });
    expect(outcome).toBe('done, complete, no failure');
    expect(lookedFor).toMatchObject([{ type: 'chatflow', user: 'staff-9', ids: { runId: 'run-1' } }]);
  });

  test('by a button is looked for by its form when the instance before had put nothing on record', async () => {
    const world = createWorld();
    world.found.push({ kind: 'answer', answer: whole('beforedone') });
    const { summary: outcome, lookedFor, dify } = await obtain({ ...pressed, mayHaveBeenAsked: true }, { world });
    expect(outcome).toBe('done, complete, no failure');
    expect(lookedFor).toMatchObject([{ type: 'chatflow', user: 'staff-9', ids: { runId: 'run-1' } }]);
    expect(dify.calls['submitForm']).toBeUndefined();
  });

  test.each<ErrorCode>(['form_closed', 'form_invalid'])('that Dify refuses with %s ends so', async (code) => {
    const world = createWorld();
    world.dify.failures['submitForm'] = [error(code)];
    const { obtained } = await obtain(pressed, { world });
    expect(obtained).toMatchObject({ failure: { code } });
  });

  test('in words is noted with its action once Dify has it', async () => {
    const world = createWorld();
    world.dify.afterForm = after;
    const { forms } = await obtain(typed, { world });
    expect(forms.forms).toMatchObject([{ token: 'token-1', chosen: { action: 'Yes' } }]);
  });

  test('that says something else than its actions is not asked: the asker is told what waits', async () => {
    const { summary: outcome, dify, forms } = await obtain({ ...typed, question: 'why?' });
    expect(outcome).toBe(', complete, no failure');
    expect(dify.calls['ask']).toBeUndefined();
    expect(forms.said).toMatchObject({ kind: 'belongs' });
  });

  test('is none when the form cannot be answered any more, which the conversation then knows', async () => {
    const world = createWorld();
    world.dify.failures['getForm'] = [error('form_expired')];
    const { obtained, forms } = await obtain({ ...typed, question: 'what is it about?' }, { world });
    expect(obtained).toMatchObject({ failure: null });
    expect(world.dify.calls['ask']).toMatchObject([{ query: 'what is it about?' }]);
    expect(forms.forms).toMatchObject([{ isOver: true }]);
  });
});

function runFinished(): Step {
  return { kind: 'run-finished', status: 'succeeded', outputs: { answer: 'beforedone' }, files: [], ids: RUN_IDS };
}
