import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import {
  formChange,
  formToAnswer,
  readAnswered,
  readKeptForm,
  shownBefore,
  writeAnswered,
} from '../../lib/turn/answered.ts';
import { noProgress } from '../../lib/turn/record.ts';
import type { TurnProgress } from '../../lib/turn/turn.ts';
import { RUN_IDS } from '../support/fake-dify.ts';
import { messageOf, turnOf } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const clock = createVirtualClock();
const pending: PendingForm = {
  token: 'token-2',
  runId: 'run-1',
  nodeTitle: 'Approval',
  content: '',
  fields: [],
  actions: [{ id: 'yes', title: 'Yes' }],
  expiresAtMs: null,
};
/** A run that has said five characters and waits for a person. */
const paused: Answer = {
  ...emptyAnswer,
  ids: RUN_IDS,
  texts: { ...emptyAnswer.texts, message: 'words' },
  form: pending,
  ending: { kind: 'paused' },
};
const chatflow: TurnProgress = { ...noProgress, ids: RUN_IDS, appType: 'chatflow' };
const pressed = {
  token: 'token-1',
  runId: 'run-1',
  action: 'yes',
  inputs: {},
  shownChars: 10,
  appType: 'chatflow',
  user: 'staff-9',
} as const;

describe('what is kept of an answered question', () => {
  test('is ids and the chat’s reply address, and no words of the people', () => {
    const message = messageOf('secret words', {
      session: { webhook: 'https://oapi.dingtalk.com/robot', expiresAtMs: 9 },
      corpId: 'corp-1',
    });
    const kept = writeAnswered(turnOf(clock, { message, question: 'secret words' }), chatflow, null);
    expect(kept).not.toContain('secret words');
    expect(readAnswered(kept)).toEqual({
      ids: RUN_IDS,
      appType: 'chatflow',
      user: 'staff-1',
      chat: { id: 'chat-1', isGroup: false },
      sender: { staffId: 'staff-1', unionId: null, id: 'sender-1' },
      session: message.session,
      corpId: 'corp-1',
      form: null,
    });
  });

  test('names the person whom the run was started for, so that ratings reach it', () => {
    const progress = { ...chatflow, form: { user: 'staff-9', shownChars: 0 } };
    expect(readAnswered(writeAnswered(turnOf(clock), progress, null))?.user).toBe('staff-9');
  });

  test('of a version that kept no length of the text before a form takes nothing off its answer', () => {
    const form = { token: 'token-2', runId: 'run-1', action: 'yes', shownChars: 5 };
    const kept = writeAnswered(turnOf(clock), chatflow, form);
    expect(readAnswered(kept)?.form).toEqual(form);
    expect(readAnswered(kept.replace(',"shownChars":5', ''))?.form).toEqual({ ...form, shownChars: 0 });
  });

  test.each([null, '', '{"ids":{}}'])('is null when it cannot be read: %s', (text) => {
    expect(readAnswered(text)).toBeNull();
  });
});

describe('a form that a run waits for', () => {
  test('is kept with who asked, whom the run belongs to and what was offered', () => {
    const change = formChange(turnOf(clock), chatflow, paused, {
      form: { token: 'token-2', runId: 'run-1', action: 'yes', shownChars: 5 },
      isOver: true,
    });
    expect(change).toMatchObject({ kind: 'wait' });
    expect(readKeptForm(change.kind === 'wait' ? change.form : null)).toEqual({
      token: 'token-2',
      runId: 'run-1',
      shownChars: 5,
      appType: 'chatflow',
      user: 'staff-1',
      asker: 'staff-1',
      actions: [{ id: 'yes', title: 'Yes' }],
    });
  });

  test.each<[string, Partial<Answer>, TurnProgress, boolean, string]>([
    ['is forgotten when it cannot be answered any more', { form: null, ending: null }, chatflow, true, 'forget'],
    ['is kept as it was when the turn had nothing to do with it', { ending: null }, chatflow, false, 'keep'],
    ['is not waited for by an app of unknown type', {}, { ...chatflow, appType: null }, false, 'keep'],
    [
      'is not waited for when only e-mail can answer it',
      { form: { ...pending, token: null } },
      chatflow,
      false,
      'keep',
    ],
  ])('%s', (_, changes, progress, isOver, kind) => {
    const answer = { ...paused, ...changes };
    const form = formToAnswer(turnOf(clock), progress, answer);
    expect(formChange(turnOf(clock), progress, answer, { form, isOver })).toEqual({ kind });
  });

  test('offers nothing when its actions are not told', () => {
    const form = { token: 'token-2', runId: 'run-1', action: '', shownChars: 0 };
    const change = formChange(turnOf(clock), chatflow, { ...paused, form: null }, { form, isOver: false });
    expect(readKeptForm(change.kind === 'wait' ? change.form : null)?.actions).toEqual([]);
  });

  test('of a version with another shape is null, and of one that kept no length or actions has none', () => {
    const old = { token: 'token-1', runId: 'run-1', appType: 'chatflow', user: 'u', asker: 'a' };
    expect(readKeptForm(JSON.stringify(old))).toEqual({ ...old, shownChars: 0, actions: [] });
    expect(readKeptForm('{}')).toBeNull();
    expect(readKeptForm(null)).toBeNull();
  });
});

describe('the text that stands on earlier cards', () => {
  test('is none before an ordinary question', () => {
    expect(shownBefore(turnOf(clock), chatflow)).toBe(0);
    expect(formToAnswer(turnOf(clock), chatflow, paused)?.shownChars).toBe(5);
  });

  test('is all before the form that is answered, also in words', () => {
    const typed = { ...chatflow, form: { user: 'staff-1', shownChars: 10 } };
    expect(shownBefore(turnOf(clock), typed)).toBe(10);
    expect(shownBefore(turnOf(clock, { form: pressed }), chatflow)).toBe(10);
  });

  test('adds up from form to form', () => {
    expect(formToAnswer(turnOf(clock, { form: pressed }), chatflow, paused)?.shownChars).toBe(15);
  });
});
