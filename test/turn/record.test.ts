import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  keepProgress,
  noProgress,
  readPayload,
  readProgress,
  referenceOf,
  turnIdOf,
  userOfRun,
} from '../../lib/turn/record.ts';
import { messageOf } from '../support/turn.ts';

const message = messageOf('a question');
const form = { token: 'token-1', runId: 'run-1', action: 'yes', appType: 'chatflow', user: 'staff-1', inputs: {} };

describe('the payload of a turn', () => {
  test('is read as it was written', () => {
    const payload = { message, question: 'a question', acceptedAtMs: 7, form: { ...form, shownChars: 12 } };
    expect(readPayload(JSON.stringify(payload))).toEqual(payload);
  });

  test('of the first versions, which knew no forms, has none', () => {
    expect(readPayload(JSON.stringify({ message, question: 'a', acceptedAtMs: 7 }))?.form).toBeNull();
  });

  test('of a version that kept no length of the text before the form takes nothing off the answer', () => {
    const old = readPayload(JSON.stringify({ message, question: 'a', acceptedAtMs: 7, form }));
    expect(old?.form).toEqual({ ...form, shownChars: 0 });
  });

  test.each([
    ['was erased', ''],
    ['is no JSON', '{'],
    ['has no message', JSON.stringify({ question: 'a', acceptedAtMs: 7 })],
    ['has a message without a sender', JSON.stringify({ message: { chat: {} }, question: 'a', acceptedAtMs: 7 })],
    ['has a form that is none', JSON.stringify({ message, question: 'a', acceptedAtMs: 7, form: 'yes' })],
  ])('that %s is null', (_, text) => {
    expect(readPayload(text)).toBeNull();
  });
});

describe('the progress of a turn', () => {
  test.each([null, 7])('that says of what is missing %j cannot be read', (missed) => {
    expect(readProgress(JSON.stringify({ ...noProgress, missed }))).toBeNull();
  });

  test('is read as it was written', () => {
    const progress = { ...noProgress, ids: { runId: 'run-1' }, text: 'so far', form: { user: 'u', shownChars: 3 } };
    expect(readProgress(JSON.stringify(progress))).toEqual(progress);
  });

  test('of a version that noted no form has none', () => {
    const { form: _, ...old } = noProgress;
    expect(readProgress(JSON.stringify(old))).toEqual(noProgress);
  });

  test('with what is known since is read as it was written', () => {
    const progress = {
      ...noProgress,
      askedAtMs: 1,
      eventAtMs: 2,
      isReplaced: true,
      isAskedAgain: true,
      cardKey: 'k',
      missed: { answer: true },
    };
    expect(readProgress(JSON.stringify(progress))).toEqual(progress);
  });

  test('of the version before all of that, beside this one on the same store, is read; and that version reads this one', () => {
    const old = { hasCard: true, text: 'so far', ids: { runId: 'run-1' }, appType: 'workflow', calls: 3 };
    expect(readProgress(JSON.stringify(old))).toMatchObject(old);
    // The schema of that version. It leaves out what it does not know.
    const schema = z.object({
      hasCard: z.boolean().nullable(),
      text: z.string(),
      ids: z.record(z.string(), z.string()),
      appType: z.string().nullable(),
      calls: z.number(),
    });
    const written = JSON.stringify({
      ...noProgress,
      ...old,
      askedAtMs: 1,
      eventAtMs: 2,
      isReplaced: true,
      isAskedAgain: true,
    });
    expect(schema.parse(JSON.parse(written))).toEqual(old);
  });

  test.each([
    ['never was', null],
    ['cannot be read', '{'],
    ['has another shape', '{"hasCard":true}'],
    ['has no ids', JSON.stringify({ ...noProgress, ids: null })],
    ['has a type that is none', JSON.stringify({ ...noProgress, appType: 7 })],
  ])('that %s is null', (_, text) => {
    expect(readProgress(text)).toBeNull();
  });

  test('changes by what is noted; its text is worked out only when it is looked at', () => {
    let worked = 0;
    const kept = keepProgress({ ...noProgress, text: 'first' });
    expect(kept.progress).toEqual({ ...noProgress, text: 'first' });
    kept.note({ calls: 2 });
    kept.note({ hasCard: true });
    kept.noteText(() => {
      worked += 1;
      return 'second';
    });
    expect(kept.progress.calls).toBe(2);
    expect(worked).toBe(0);
    expect(kept.progress).toEqual({ ...noProgress, calls: 2, hasCard: true, text: 'second' });
  });
});

test('the run of a form is shown to the person whom it was started for, any other run to the asker', () => {
  expect(userOfRun('staff-2', { ...noProgress, form: { user: 'staff-1', shownChars: 0 } })).toBe('staff-1');
  expect(userOfRun('staff-2', noProgress)).toBe('staff-2');
  expect(userOfRun('staff-2', null)).toBe('staff-2');
});

test('a message has one turn however often it is delivered, and its reference is the beginning of the turn’s id', () => {
  expect(turnIdOf('message-1')).toBe(turnIdOf('message-1'));
  expect(turnIdOf('message-1')).not.toBe(turnIdOf('message-2'));
  expect(turnIdOf('message-1')).toMatch(/^[0-9a-f]{32}$/);
  expect(turnIdOf('message-1').startsWith(referenceOf(turnIdOf('message-1')))).toBe(true);
  expect(referenceOf(turnIdOf('message-1'))).toHaveLength(8);
});
