import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import {
  formToAnswer,
  readAnswered,
  readOthers,
  shownBefore,
  writeAnswered,
  writeReply,
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
  test('is ids and, apart from them, the chat’s reply address, and no words of the people', () => {
    const message = messageOf('secret words', {
      session: { webhook: 'https://oapi.dingtalk.com/robot', expiresAtMs: 9 },
      corpId: 'corp-1',
    });
    const turn = turnOf(clock, { message, question: 'secret words' });
    const kept = writeAnswered(turn, chatflow, null);
    const reply = writeReply(turn);
    expect(kept + (reply?.text ?? '')).not.toContain('secret words');
    expect(reply?.untilMs).toBe(9);
    const { taskId: _task, ...ids } = RUN_IDS;
    const answered = {
      ids,
      appType: 'chatflow',
      user: 'staff-1',
      chat: { id: 'chat-1', isGroup: false },
      sender: { staffId: 'staff-1', unionId: null, id: 'sender-1', nick: '' },
      session: message.session,
      corpId: 'corp-1',
      form: null,
    };
    expect(readAnswered(kept, reply?.text)).toEqual(answered);
    expect(readAnswered(kept)).toEqual({ ...answered, session: null });
    // A version before this one kept them together.
    expect(readAnswered(JSON.stringify(answered))).toEqual(answered);
  });

  test('names the person whom the run was started for, so that ratings reach it', () => {
    const progress = { ...chatflow, form: { user: 'staff-9', shownChars: 0 } };
    expect(readAnswered(writeAnswered(turnOf(clock), progress, null))?.user).toBe('staff-9');
  });

  test('has its form, of which a version before kept less', () => {
    const form = formToAnswer(turnOf(clock), chatflow, paused, 3);
    expect(form).toEqual({
      token: 'token-2',
      runId: 'run-1',
      action: 'yes',
      shownChars: 5,
      earlierChars: 0,
      title: 'Approval',
      actions: [{ id: 'yes', title: 'Yes' }],
      number: 3,
      expiresAtMs: null,
      cardId: 'turn-1-of-a-test',
    });
    const kept = writeAnswered(turnOf(clock), chatflow, form);
    expect(readAnswered(kept)?.form).toEqual(form);
    const old = { token: 'token-2', runId: 'run-1', action: 'yes' };
    const before = { ...(JSON.parse(kept) as object), form: old };
    expect(readAnswered(JSON.stringify(before))?.form).toMatchObject({ ...old, shownChars: 0, actions: [], number: 0 });
  });

  test('tells an administrator of its form, and whose it is', () => {
    const kept = writeAnswered(turnOf(clock), chatflow, formToAnswer(turnOf(clock), chatflow, paused, 3));
    expect(readOthers([kept, writeAnswered(turnOf(clock), chatflow, null), '{}'])).toEqual([
      {
        token: 'token-2',
        title: 'Approval',
        number: 3,
        actions: [{ id: 'yes', title: 'Yes' }],
        cardId: 'turn-1-of-a-test',
        asker: 'staff-1',
      },
    ]);
  });

  test.each([null, '', '{"ids":{}}'])('is null when it cannot be read: %s', (text) => {
    expect(readAnswered(text)).toBeNull();
  });
});

describe('the text that stands on earlier cards', () => {
  test('is none before an ordinary question', () => {
    expect(shownBefore(turnOf(clock), chatflow)).toBe(0);
    expect(formToAnswer(turnOf(clock), chatflow, paused, 1)?.shownChars).toBe(5);
  });

  test('is all before the form that is answered, also in words', () => {
    const typed = { ...chatflow, form: { user: 'staff-1', shownChars: 10 } };
    expect(shownBefore(turnOf(clock), typed)).toBe(10);
    expect(shownBefore(turnOf(clock, { form: pressed }), chatflow)).toBe(10);
  });

  test('adds up from form to form', () => {
    expect(formToAnswer(turnOf(clock, { form: pressed }), chatflow, paused, 2)?.shownChars).toBe(15);
  });
});
