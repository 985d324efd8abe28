// Whether a message answers one of the forms that its conversation knows.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { FormField, PendingForm } from '../../lib/answer/event.ts';
import { decideForm, type FormCandidate } from '../../lib/ask/form-decision.ts';
import { isFormOver, waitingForm, type FormSubmission, type KeptForm } from '../../lib/ask/form.ts';
import { BridgeError } from '../../lib/errors.ts';

const reason: FormField = { name: 'reason', label: '原因', type: 'text', required: true, options: [], default: '' };
const form: PendingForm = {
  token: 'token-1',
  runId: null,
  nodeTitle: '',
  content: '',
  fields: [],
  actions: [
    { id: 'approve', title: '同意' },
    { id: 'reject', title: '驳回' },
  ],
  expiresAtMs: null,
};
const kept = (number: number, more: Partial<KeptForm> = {}): KeptForm => ({
  token: `token-${number}`,
  runId: `run-${number}`,
  shownChars: 4,
  appType: 'chatflow',
  user: 'user-1',
  asker: 'ann',
  actions: form.actions,
  title: `表单${number}`,
  number,
  generation: 'g',
  cardId: `card-${number}`,
  shownAtMs: 1_000,
  expiresAtMs: null,
  chosen: null,
  isOver: false,
  files: [],
  ...more,
});
const over = (code: 'form_closed' | 'form_expired') => new BridgeError(code, 'over');

/** Decides of words of Ann's; `dify` has the forms by their tokens, or fails. */
async function decide(
  words: string | null,
  { dify = {}, ...more }: Partial<FormCandidate> & { dify?: Record<string, Partial<PendingForm> | Error> } = {},
) {
  const looked: string[] = [];
  const getForm = async (token: string) => {
    looked.push(token);
    const found = dify[token];
    if (found instanceof Error) throw found;
    return { ...form, token, ...found };
  };
  const candidate: FormCandidate = {
    form: null,
    forms: [kept(1)],
    others: [],
    generation: 'g',
    asker: 'ann',
    mayPress: false,
    words,
    files: [],
    acceptedAtMs: 2_000,
    nowMs: 3_000,
    ...more,
  };
  return { decision: await decideForm(candidate, { dify: { getForm } }), looked };
}

const submitted = (number: number, action: string, inputs = {}) => ({
  kind: 'submission',
  submission: { token: `token-${number}`, runId: `run-${number}`, user: 'user-1', action, inputs },
});
const plainQuestion = { kind: 'question', words: null, over: [] };

describe('words that are an action', () => {
  test('answer the only form that waits, for the user whom its run was started for', async () => {
    const { decision, looked } = await decide('同意\n原因：合理', { dify: { 'token-1': { fields: [reason] } } });
    expect(decision).toMatchObject({ ...submitted(1, 'approve', { reason: '合理' }), action: '同意' });
    expect(looked).toEqual(['token-1']);
  });

  test('that lack a required field are told which', async () => {
    const { decision } = await decide('同意', { dify: { 'token-1': { fields: [reason] } } });
    expect(decision).toMatchObject({
      kind: 'refused',
      error: { code: 'form_invalid', facts: {}, named: { missing: ['原因'] } },
    });
  });

  test.each<[string, Partial<FormCandidate>, object]>([
    ['it was shown only later', { forms: [kept(1, { shownAtMs: 2_001 })] }, { said: { kind: 'not-shown-yet' } }],
    ['nobody has seen it', { forms: [kept(1, { shownAtMs: null })] }, { kind: 'show', kept: { number: 1 } }],
    ['two wait', { forms: [kept(1), kept(2)] }, { said: { kind: 'which-form' } }],
    [
      'it was answered from here',
      { forms: [kept(1, { chosen: { action: '驳回', atMs: 0 } })] },
      { said: { action: '驳回' } },
    ],
  ])('do not answer a form when %s', async (_why, changes, expected) => {
    expect((await decide('同意', changes)).decision).toMatchObject(expected);
  });

  test('that were shown in the same millisecond may have been read', async () => {
    expect((await decide('同意', { forms: [kept(1, { shownAtMs: 2_000 })] })).decision).toMatchObject(
      submitted(1, 'approve'),
    );
  });

  test.each<[string, Partial<FormCandidate>]>([
    ['nothing is waited for', { forms: [] }],
    ['the conversation has begun anew', { generation: 'next' }],
    ['it was answered long ago', { forms: [kept(1, { chosen: { action: '同意', atMs: 0 } })], nowMs: 600_001 }],
    ['it is known to be over', { forms: [kept(1, { isOver: true })] }],
  ])('are an ordinary question when %s, and Dify is not asked about forms', async (_why, changes) => {
    const { decision, looked } = await decide('同意', changes);
    expect(decision).toEqual(plainQuestion);
    expect(looked).toEqual([]);
  });

  test('name one of two by its number, also after the conversation has begun anew', async () => {
    const forms = [kept(1), kept(2)];
    expect((await decide('驳回 #2', { forms })).decision).toMatchObject(submitted(2, 'reject'));
    expect((await decide('驳回 #2', { forms, generation: 'next' })).decision).toMatchObject(submitted(2, 'reject'));
    const late = [kept(1), kept(2, { shownAtMs: 2_500 })];
    expect((await decide('驳回 #2', { forms: late })).decision).toMatchObject({ said: { kind: 'not-shown-yet' } });
  });

  test('name the form whose card they quote, and no other one', async () => {
    const forms = [kept(1, { cardKey: 'first' }), kept(2, { cardKey: 'second' })];
    const reply = (words: string, cardKey: string | null, known = forms) =>
      decide(words, { forms: known, quote: { cardKey } }).then(({ decision }) => decision);
    expect(await reply('同意', 'second')).toMatchObject(submitted(2, 'approve'));
    expect(await reply('同意 #2', 'second')).toMatchObject(submitted(2, 'approve'));
    expect(await reply('同意 #1', 'second')).toMatchObject(submitted(1, 'approve'));
    expect(await reply('好', 'second')).toMatchObject({ said: { kind: 'belongs', forms: [{ number: 2 }] } });
    expect(await reply('同意', 'unknown', [kept(1)])).toMatchObject({ said: { kind: 'which-form' } });
    // A quoted text may be the form itself, shown as a message.
    expect(await reply('同意', null, [kept(1)])).toMatchObject(submitted(1, 'approve'));
  });

  test('are the choice between those that were shown and are open', async () => {
    const forms = [kept(1), kept(2), kept(3), kept(4, { shownAtMs: 2_500 })];
    const { decision } = await decide('同意', { forms, dify: { 'token-2': over('form_closed') } });
    expect(decision).toMatchObject({
      over: [{ token: 'token-2', isExpired: false }],
      said: { choices: [1, 3].map((number) => ({ kind: 'action', action: '同意', form: { number } })) },
    });
  });

  test('answer the one of two that is left', async () => {
    const { decision } = await decide('同意', { forms: [kept(1), kept(2)], dify: { 'token-1': over('form_expired') } });
    expect(decision).toMatchObject({ ...submitted(2, 'approve'), over: [{ token: 'token-1', isExpired: true }] });
  });

  test('are a choice even where only one of two forms has the action', async () => {
    const forms = [kept(1), kept(2, { actions: [{ id: 'ok', title: '知道了' }] })];
    const { decision } = await decide('同意', {
      forms,
      dify: { 'token-2': { actions: [{ id: 'ok', title: '知道了' }] } },
    });
    expect(decision).toMatchObject({ said: { kind: 'which-form', choices: [{ form: { number: 1 } }] } });
  });
});

describe('a form that cannot be answered any more', () => {
  test.each(['form_closed', 'form_expired'] as const)('by %s', async (code) => {
    const dify = { 'token-1': over(code) };
    const told = [{ token: 'token-1', isExpired: code === 'form_expired' }];
    expect((await decide('同意', { dify })).decision).toMatchObject({ kind: 'refused', error: { code }, over: told });
    expect((await decide('年假几天？', { dify })).decision).toEqual({ ...plainQuestion, over: told });
    const forms = [kept(1), kept(2)];
    const both = { 'token-1': over(code), 'token-2': over(code) };
    expect((await decide('同意', { forms, dify: both })).decision).toMatchObject({ kind: 'refused', error: { code } });
  });

  test('is not one that Dify did not show', async () => {
    const unreachable = new BridgeError('dify_unreachable', 'no connection');
    await expect(decide('同意', { dify: { 'token-1': unreachable } })).rejects.toBe(unreachable);
    expect([unreachable, new Error('x'), null].map(isFormOver)).toEqual([false, false, false]);
  });
});

describe('words that are no action', () => {
  test('are asked about, with the actions that they would be enough for', async () => {
    const { decision } = await decide('出差', { dify: { 'token-1': { fields: [reason] } } });
    expect(decision).toMatchObject({
      said: {
        kind: 'belongs',
        field: '原因',
        choices: [
          { kind: 'action', action: '同意', form: { number: 1 }, words: '出差' },
          { kind: 'action', action: '驳回', form: { number: 1 }, words: '出差' },
          { kind: 'question', words: '出差' },
        ],
      },
    });
  });

  test('name their field themselves', async () => {
    const other = { ...reason, name: 'other', label: '其他', required: false };
    const { decision } = await decide('原因：出差', { dify: { 'token-1': { fields: [reason, other] } } });
    expect(decision).toMatchObject({ said: { field: '原因', choices: [{ words: '原因：出差' }, {}, {}] } });
  });

  test.each<[string, Partial<FormCandidate>]>([
    ['the form was shown only later', { forms: [kept(1, { shownAtMs: 2_001 })] }],
    ['the form is of somebody else', { asker: 'bob' }],
    ['it was answered', { forms: [kept(1, { chosen: { action: '同意', atMs: 0 } })] }],
  ])('are a question when %s', async (_why, changes) => {
    expect((await decide('年假几天？', changes)).decision).toEqual(plainQuestion);
  });

  test('that quote another message are a question about it', async () => {
    expect((await decide('为什么？', { quote: { cardKey: null } })).decision).toEqual(plainQuestion);
    expect((await decide('为什么？', { quote: { cardKey: 'other' } })).decision).toEqual(plainQuestion);
  });

  test('that say themselves that they are a question are one', async () => {
    expect((await decide('提问：同意')).decision).toEqual({ ...plainQuestion, words: '同意' });
    expect((await decide('Ask: why?')).decision).toEqual({ ...plainQuestion, words: 'why?' });
    expect((await decide('提问：同意', { forms: [] })).decision).toEqual(plainQuestion);
  });
});

describe('a button', () => {
  const { token, runId, shownChars, appType, user } = kept(1);
  const pressed: FormSubmission = { token, runId, shownChars, appType, user, action: 'reject', inputs: {} };

  test('answers its form, with defaults for what it leaves out', async () => {
    const fields = [
      { ...reason, default: '没有意见' },
      { ...reason, name: 'more', required: false },
    ];
    const { decision } = await decide('驳回', { form: pressed, forms: [], dify: { 'token-1': { fields } } });
    expect(decision).toMatchObject({ ...submitted(1, 'reject', { reason: '没有意见', more: '' }), action: '驳回' });
  });

  test('asks for what has no value, and says what was chosen before', async () => {
    const dify = { 'token-1': { fields: [reason] } };
    expect((await decide('驳回', { form: pressed, dify })).decision).toMatchObject({ kind: 'refused' });
    const forms = [kept(1, { chosen: { action: '同意', atMs: 0 } })];
    expect((await decide('驳回', { form: pressed, forms })).decision).toMatchObject({ said: { action: '同意' } });
    const closed = { 'token-1': over('form_closed') };
    expect((await decide('驳回', { form: pressed, dify: closed })).decision).toMatchObject({ kind: 'refused' });
  });
});

describe('an action of a form of somebody else', () => {
  const others = [{ token: 'token-9', title: '甲', number: 4, actions: form.actions, cardId: 'card-9', asker: 'ann' }];
  const asBob = { asker: 'bob', forms: [], others, mayPress: true };

  test('is no question of a person who may press its button', async () => {
    const said = { kind: 'not-yours', form: { title: '甲', number: 4 }, byButton: true };
    expect((await decide('同意', asBob)).decision).toMatchObject({ said });
    expect((await decide('同意 #4', asBob)).decision).toMatchObject({ said });
  });

  test.each([
    ['it is answered by then', '同意', { dify: { 'token-9': over('form_closed') } }],
    ['it is a number', '1', {}],
    ['it is their own', '同意', { asker: 'ann' }],
  ])('is a question when %s', async (_why, words, more) => {
    expect((await decide(words, { ...asBob, ...more })).decision).toMatchObject({ kind: 'question' });
  });

  test('is no question in one context either', async () => {
    const said = { kind: 'not-yours', byButton: false };
    expect((await decide('同意', { asker: 'bob' })).decision).toMatchObject({ said });
  });
});

describe('files', () => {
  const document = { kind: 'file', downloadCode: 'd', name: 'a.pdf' } as const;
  const speech = { kind: 'audio', downloadCode: 'd', name: null } as const;
  const files = { classes: ['document'], extensions: [], takesUploads: true, most: 1 } as const;
  const receipt: FormField = { ...reason, type: 'file', files };
  const dify = { 'token-1': { fields: [receipt] } };

  test('are for a form that wants some', async () => {
    const { decision } = await decide(null, { files: [document], dify });
    expect(decision).toMatchObject({ kind: 'files', open: [{ kept: { number: 1 } }] });
  });

  test.each<[string, Partial<FormCandidate>, Record<string, Partial<PendingForm>>]>([
    ['no form wants one', { files: [document] }, {}],
    ['the form was shown only later', { files: [document], forms: [kept(1, { shownAtMs: 2_001 })] }, dify],
    ['it is speech, and no form wants speech', { files: [speech] }, dify],
    [
      'files cannot be given here',
      { files: [document] },
      { 'token-1': { fields: [{ ...receipt, files: { ...files, takesUploads: false } }] } },
    ],
    ['there are none', {}, dify],
  ])('are a question when %s', async (_why, changes, known) => {
    expect((await decide(null, { ...changes, dify: known })).decision).toMatchObject({ kind: 'question' });
  });
});

test('whatever is known and said, only a form that was shown before, and is named or the only one, is answered', async () => {
  const one = fc.record({
    asker: fc.constantFrom('ann', 'bob'),
    generation: fc.constantFrom('g', 'before'),
    shownAtMs: fc.constantFrom(null, 1_000, 2_000, 2_001),
    chosen: fc.constantFrom(null, { action: '同意', atMs: 900 }),
    isOver: fc.boolean(),
  });
  const words = fc.oneof(
    fc.constantFrom('同意', '1', '驳回 #1', '同意 #2', '同意 #3：好', '提问：同意', '好', '同意\n好', ' approve '),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(one, { maxLength: 4 }),
      fc.subarray(['1', '2', '3', '4']),
      words,
      async (known, closed, said) => {
        const forms = known.map((more, index) => kept(index + 1, more));
        const dify = Object.fromEntries(closed.map((number) => [`token-${number}`, over('form_closed')]));
        const { decision } = await decide(said, { forms, dify });
        if (decision.kind !== 'submission') return;
        const answered = forms.find(({ token }) => token === decision.submission.token);
        expect(answered).toMatchObject({ asker: 'ann', chosen: null });
        expect(closed).not.toContain(String(answered?.number));
        expect(answered?.shownAtMs ?? Infinity).toBeLessThanOrEqual(2_000);
        const isOpen = ({ number, asker, generation, chosen, isOver }: KeptForm) =>
          asker === 'ann' && generation === 'g' && !chosen && !isOver && !closed.includes(String(number));
        const isNamed = said.split('\n')[0]?.includes(`#${answered?.number}`) ?? false;
        if (!isNamed) expect(forms.filter(isOpen)).toEqual([answered]);
      },
    ),
    { numRuns: 2_000 },
  );
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
