// The forms of a conversation, as the store keeps them for this version and for the one before.
import { describe, expect, test } from 'vitest';
import type { KeptForm } from '../../lib/ask/form.ts';
import type { ConversationContext } from '../../lib/state/told.ts';
import { formChange, readForms, type KeptForms } from '../../lib/turn/kept-forms.ts';
import { openTurnForms } from '../../lib/turn/turn-forms.ts';
import { turnOf } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const kept = (number: number, more: Partial<KeptForm> = {}): KeptForm => ({
  token: `token-${number}`,
  runId: `run-${number}`,
  shownChars: 5,
  appType: 'chatflow',
  user: 'staff-1',
  asker: 'staff-1',
  actions: [{ id: 'yes', title: 'Yes' }],
  title: 'Approval',
  number,
  generation: 'g',
  cardId: `card-${number}`,
  shownAtMs: 7,
  expiresAtMs: null,
  chosen: null,
  isOver: false,
  files: [],
  ...more,
});
const context = (more: Partial<ConversationContext> = {}): ConversationContext => ({
  generation: 'g',
  difyConversationId: null,
  form: null,
  ...more,
});
const write = (before: KeptForms, after: KeptForms, of: ConversationContext | null = context()) => {
  const change = formChange(before, after, of);
  if (change.kind === 'keep') throw new Error('nothing has changed');
  return change;
};
const none: KeptForms = { last: 0, forms: [] };

describe('what is on record', () => {
  test('is read as it was written', () => {
    const forms = { last: 2, forms: [kept(1), kept(2, { chosen: { action: 'Yes', atMs: 9 } })] };
    const { all, newest } = write(none, forms);
    expect(readForms(context({ forms: all, form: newest }))).toEqual(forms);
  });

  test('has the newest form that waits for an instance of the version before', () => {
    const forms = [kept(1), kept(2), kept(3, { isOver: true }), kept(4, { generation: 'before' })];
    expect(JSON.parse(write(none, { last: 4, forms }).newest ?? '')).toMatchObject({ token: 'token-2' });
    expect(write(none, { last: 1, forms: [kept(1, { isOver: true })] }).newest).toBeNull();
  });

  test('that the version before has put there gets the next number, and was shown', () => {
    const old = { token: 'old', runId: 'run', shownChars: 3, appType: 'chatflow', user: 'u', asker: 'a', actions: [] };
    const { all } = write(none, { last: 2, forms: [kept(1), kept(2)] });
    const { last, forms } = readForms(context({ forms: all, form: JSON.stringify(old) }));
    expect(last).toBe(3);
    expect(forms[2]).toMatchObject({ ...old, number: 3, shownAtMs: 0, generation: 'g', isOver: false });
  });

  test.each([
    ['nothing', null],
    ['an empty context', context()],
    ['what cannot be read', context({ forms: '{', form: '{}' })],
  ])('is no form in %s', (_, of) => {
    expect(readForms(of)).toEqual(none);
  });
});

describe('a change', () => {
  test('is none where nothing has changed', () => {
    expect(formChange(none, none, context())).toEqual({ kind: 'keep' });
  });

  test('keeps ten forms that wait and ten that are over, the newest of each, in their order', () => {
    const forms = Array.from({ length: 30 }, (_, index) => kept(index, { isOver: index % 2 === 0 }));
    const { all } = write(none, { last: 29, forms });
    expect(readForms(context({ forms: all })).forms.map(({ number }) => number)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 10),
    );
  });

  test('of a turn without its context leaves the other forms on record alone', () => {
    expect(write(none, { last: 1, forms: [kept(1, { generation: '' })] }, null).all).toBeNull();
  });
});

describe('the forms of a turn', () => {
  const clock = createVirtualClock();
  const open = (forms: readonly KeptForm[], last = forms.length) => {
    const { all } = write(none, { last, forms });
    return openTurnForms(turnOf(clock, { record: { fence: 1, owner: 'o', hop: 0, context: context({ forms: all }) } }));
  };
  const after = (change: ReturnType<typeof open>['change']) =>
    readForms(context(change.kind === 'change' ? { forms: change.all, form: change.newest } : {})).forms;

  test('have a number each, which is told where the reader may know another one', () => {
    const first = open([], 0);
    expect([first.numberOf('new'), first.isMarked('new')]).toEqual([1, false]);
    const second = open([kept(1)]);
    expect([second.numberOf('token-1'), second.isMarked('token-1')]).toEqual([1, false]);
    expect([second.numberOf('new'), second.isMarked('new')]).toEqual([2, true]);
  });

  test('name the cards of those that are over, but not of one whose end is still to be shown', () => {
    const forms = open([kept(1), kept(2), kept(3)]);
    forms.noteOver('token-1', false);
    forms.noteOver('token-2', true);
    forms.noteChosen('token-3', { action: 'Yes', atMs: 5 });
    forms.noteChosen('token-3', { action: 'No', atMs: 6 });
    expect(forms.over).toEqual(['card-1', 'card-3']);
    expect(after(forms.change)).toMatchObject([
      { isOver: true },
      { isOver: true },
      { chosen: { action: 'Yes', atMs: 5 } },
    ]);
  });

  test('keep files, and take a form again that is shown again', () => {
    const forms = open([kept(1, { chosen: { action: 'Yes', atMs: 5 } }), kept(2)]);
    forms.noteFiles('token-2', [{ class: 'image', extension: 'png', uploadId: 'u' }]);
    forms.noteWaiting(kept(1, { shownAtMs: 20 }));
    expect(after(forms.change)).toMatchObject([
      { number: 2, files: [{ uploadId: 'u' }] },
      { number: 1, chosen: null },
    ]);
  });
});
