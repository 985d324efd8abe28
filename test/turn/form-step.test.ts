// What a turn does about forms: before it asks, after it was answered, and what it keeps.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { FormField, PendingForm } from '../../lib/answer/event.ts';
import type { KeptForm } from '../../lib/ask/form.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { formView, keepForms } from '../../lib/turn/form-shown.ts';
import { askedWords, formStep, leftOut, settleForm, withSureForm, withWholeForm } from '../../lib/turn/form-step.ts';
import { noProgress } from '../../lib/turn/record.ts';
import { openTurnForms } from '../../lib/turn/turn-forms.ts';
import type { Turn, TurnProgress } from '../../lib/turn/turn.ts';
import { pdf } from '../support/files.ts';
import { createWorld, GROUP, messageOf, senderOf, turnOf } from '../support/turn.ts';

const ON_CARD = { anywhere: true, onCard: true, isQuoted: false };

const kept = (number: number, more: Partial<KeptForm> = {}): KeptForm => ({
  token: `token-${number}`,
  runId: `run-${number}`,
  shownChars: 6,
  appType: 'chatflow',
  user: 'staff-9',
  asker: 'staff-1',
  actions: [{ id: 'yes', title: 'Yes' }],
  title: 'Approval',
  number,
  generation: '',
  cardId: `card-${number}`,
  shownAtMs: 0,
  expiresAtMs: null,
  chosen: null,
  isOver: false,
  files: [],
  ...more,
});
const contextOf = (forms: readonly KeptForm[]) => ({
  generation: '',
  difyConversationId: null,
  form: null,
  forms: JSON.stringify({ last: forms.length, forms }),
});
const recordOf = (forms: readonly KeptForm[]) => ({ fence: 1, owner: 'o', hop: 0, context: contextOf(forms) });
const over = (code: ErrorCode, status = 412) => new BridgeError(code, 'over', { status });

function scene(
  changes: Partial<Turn> = {},
  { env = {}, forms = [kept(1)] }: { env?: Record<string, string>; forms?: KeptForm[] } = {},
) {
  const world = createWorld({ env });
  const { options, clock, dify } = world;
  const turn = turnOf(clock, { record: recordOf(forms), ...changes });
  const turnForms = openTurnForms(turn);
  let progress: TurnProgress = noProgress;
  const lease = {
    note: (more: Partial<TurnProgress>) => void (progress = { ...progress, ...more }),
    get progress() {
      return progress;
    },
  };
  const sentFiles = {
    addressOf: async (code: string) => code,
    async download() {
      const bytes = (async function* () {
        yield pdf();
      })();
      return { size: pdf().length, contentType: null, bytes, discard: () => undefined };
    },
    dify: dify.files,
  };
  const ports = { robot: options.config, dify, sentFiles, lease, forms: turnForms, clock };
  const step = () => formStep(turn, ports, new AbortController().signal);
  return { world, turn, ports, step, lease, forms: turnForms };
}
const field: FormField = { name: 'why', label: 'why', type: 'text', required: true, options: [], default: '' };

describe('before a turn asks', () => {
  test('an answer is noted with the form and its action', async () => {
    const { step, lease } = scene({ question: 'yes' });
    expect(await step()).toMatchObject({ kind: 'submit', submission: { token: 'token-1', user: 'staff-9' } });
    expect(lease.progress).toMatchObject({
      form: { token: 'token-1', action: 'Yes', shownChars: 6 },
      ids: { runId: 'run-1' },
    });
  });

  test('an answer that lacks something fails', async () => {
    const { step, world } = scene({ question: 'yes' });
    world.dify.pendingForm = { ...world.dify.pendingForm, fields: [field] };
    await expect(step()).rejects.toMatchObject({ code: 'form_invalid' });
  });

  test('a question is asked, in the words that say that it is one', async () => {
    const { step, turn, forms } = scene({ question: 'Ask: why?' });
    expect(await step()).toEqual({ kind: 'ask', question: 'why?' });
    expect(askedWords(turn, forms)).toBe('why?');
    expect(askedWords(turn, { forms: [] })).toBe('Ask: why?');
  });

  test('what is said instead is no answer of the app', async () => {
    const { step, forms } = scene({ question: 'why?' });
    expect(await step()).toMatchObject({ kind: 'end', answer: { ending: { kind: 'complete' } } });
    expect(forms.said).toMatchObject({ kind: 'belongs' });
  });

  test('a form that nobody has seen is shown', async () => {
    const { step, lease } = scene({ question: 'yes' }, { forms: [kept(1, { shownAtMs: null })] });
    const answer = { form: { runId: 'run-1', nodeTitle: 'Approval' }, ending: { kind: 'paused' } };
    expect(await step()).toMatchObject({ kind: 'end', answer });
    expect(lease.progress.form).toEqual({ user: 'staff-9', shownChars: 6 });
  });

  test('a file goes to the form that wants one', async () => {
    const content = { kind: 'file', downloadCode: 'd', fileName: 'a.pdf' } as const;
    const { step, world, forms } = scene({ message: messageOf('', { content }) });
    const files = { classes: ['document'], extensions: [], takesUploads: true, most: 1 } as const;
    world.dify.pendingForm = { ...world.dify.pendingForm, fields: [{ ...field, type: 'file', files }] };
    expect(await step()).toMatchObject({ kind: 'end' });
    expect(forms.forms).toMatchObject([{ files: [{ uploadId: 'upload-1' }] }]);
    expect(world.dify.calls['upload']).toEqual([{ user: 'staff-9' }]);
  });

  test.each([
    ['speech that was understood', { kind: 'audio', downloadCode: 'd', recognition: 'yes' }, 'yes', 'submit'],
    ['speech that was not', { kind: 'audio', downloadCode: 'd', recognition: '' }, 'Please listen', 'ask'],
    ['words beside a picture', { kind: 'rich-text', text: 'yes', pictures: ['p'] }, 'yes', 'submit'],
    ['pictures alone', { kind: 'rich-text', text: '', pictures: ['p'] }, 'Please look', 'ask'],
  ] as const)('%s', async (_, content, question, kind) => {
    expect(await scene({ question, message: messageOf('', { content }) }).step()).toMatchObject({ kind });
  });

  test('words that come with held files are about the files', async () => {
    const held = [{ kind: 'picture', downloadCode: 'p', name: null }] as const;
    expect(await scene({ question: 'why?', held: [...held] }).step()).toMatchObject({ kind: 'ask' });
    // Where the words answer a form all the same, the files are left out.
    expect([leftOut({ held: [...held] })?.code, leftOut({})]).toEqual(['file_expired', null]);
  });

  test.each([
    ['has a button', { ADMIN_USERS: 'staff-2', DINGTALK_CARD_BUTTONS: 'true' }, true],
    ['has no button', { ADMIN_USERS: 'staff-2' }, false],
    ['is nobody who may press it', { DINGTALK_CARD_BUTTONS: 'true' }, false],
  ])('somebody else who %s is told so', async (_, env, byButton) => {
    const message = messageOf('yes', { sender: senderOf('staff-2') });
    const { step, forms } = scene({ question: 'yes', message }, { env });
    await step();
    expect(forms.said).toMatchObject({ kind: 'not-yours', byButton });
  });
});

describe('the form of an answer that was found again', () => {
  const template: PendingForm = {
    token: 'token-1',
    runId: 'run-1',
    nodeTitle: 'Approval',
    content: '{{#start.query#}}',
    fields: [],
    actions: [],
    expiresAtMs: null,
  };
  const paused: Answer = { ...emptyAnswer, form: template, ending: { kind: 'paused' } };

  test('is that of its route', async () => {
    const { world } = scene();
    world.dify.pendingForm = { ...world.dify.pendingForm, content: '300' };
    const whole = await withWholeForm(paused, world.dify);
    expect(whole.form).toMatchObject({ content: '300', runId: 'run-1', nodeTitle: 'Approval' });
  });

  test.each<[string, Error, object]>([
    ['was answered meanwhile', over('form_closed'), { form: null, formExpired: false }],
    ['has expired', over('form_expired'), { form: null, formExpired: true }],
    ['went out by e-mail only', over('form_expired', 404), { form: { token: null } }],
    ['is not told', new BridgeError('dify_unreachable', 'no'), paused],
  ])('that %s', async (_, failure, expected) => {
    const { world } = scene();
    world.dify.failures['getForm'] = [failure];
    expect(await withWholeForm(paused, world.dify)).toMatchObject(expected);
  });

  test('gives way to the one that was to be answered, if that is still open', async () => {
    const { world } = scene();
    world.dify.getForm = async (token) => ({ ...template, token, runId: null });
    expect((await withWholeForm(paused, world.dify, 'token-9')).form).toMatchObject({
      token: 'token-9',
      runId: 'run-1',
    });
    world.dify.getForm = async (token) => {
      if (token === 'token-9') throw over('form_closed');
      return template;
    };
    expect((await withWholeForm(paused, world.dify, 'token-9')).form).toMatchObject({ token: 'token-1' });
  });

  test('is asked for once where its event does not tell enough of it', async () => {
    const { world } = scene();
    expect(await withSureForm(paused, world.dify)).toBe(paused);
    await withSureForm({ ...paused, form: { ...template, isUnsure: true } }, world.dify);
    expect(world.dify.calls['getForm']).toEqual(['token-1']);
  });

  test.each([
    { ...paused, ending: null },
    { ...paused, form: { ...template, token: null } },
  ])('is left alone', async (answer) => {
    const { world } = scene();
    expect(await withWholeForm(answer, world.dify)).toBe(answer);
    expect(world.dify.calls['getForm']).toBeUndefined();
  });
});

describe('the form that was answered', () => {
  const answered = { user: 'staff-9', shownChars: 6, token: 'token-1', action: 'Yes' };
  const settle = (
    answer: Partial<Answer>,
    failure: BridgeError | null = null,
    form: Turn['form'] = null,
    noted: TurnProgress['form'] = answered,
  ) => {
    const { turn, ports, lease, forms } = scene({ form });
    lease.note({ form: noted });
    settleForm(turn, { answer: { ...emptyAnswer, ...answer }, failure }, { ...ports, lease });
    return { ...forms.forms[0], overCards: forms.over };
  };
  const chosen = { chosen: { action: 'Yes' }, overCards: ['card-1'] };

  test.each<[string, Partial<Answer>, BridgeError | null, object]>([
    ['is known as answered', { ending: { kind: 'complete' } }, null, chosen],
    [
      'also where the run failed then',
      { ending: { kind: 'failed', cause: 'run', upstreamCode: null, status: null } },
      over('dify_run_failed'),
      chosen,
    ],
    ['is not where the answer was stopped', { ending: { kind: 'stopped' } }, null, { chosen: null, isOver: false }],
    [
      'is not where Dify did not take it',
      { ending: { kind: 'cut' } },
      over('dify_server_error'),
      { chosen: null, isOver: false },
    ],
    [
      'is over where it was answered before',
      { ending: { kind: 'cut' } },
      over('form_closed'),
      { isOver: true, overCards: ['card-1'] },
    ],
    [
      'is over where its time was, which is still to be told',
      { ending: { kind: 'cut' } },
      over('form_expired'),
      { isOver: true, overCards: [] },
    ],
    [
      'waits again where the run asks it again',
      { ending: { kind: 'paused' }, form: { token: 'token-1' } as PendingForm },
      null,
      { chosen: null },
    ],
  ])('%s', (_, answer, failure, expected) => {
    expect(settle(answer, failure)).toMatchObject(expected);
  });

  test('is that of the button where nothing was noted, and none without one', () => {
    const { token, runId, shownChars, appType, user } = kept(1);
    const pressed = { token, runId, shownChars, appType, user, action: 'yes', inputs: {} };
    expect(settle({ ending: { kind: 'complete' } }, null, pressed, null)).toMatchObject({ chosen: { action: 'yes' } });
    const expired = { ...pressed, cardId: 'card-1', expired: { title: '', earlierChars: 0 } };
    expect(settle({ ending: { kind: 'complete' } }, null, expired, null)).toMatchObject({
      isOver: true,
      chosen: null,
      overCards: ['card-1'],
    });
    expect(settle({ ending: { kind: 'complete' } }, null, null, null)).toMatchObject({ isOver: false, chosen: null });
  });
});

describe('a form that is shown', () => {
  const pending: PendingForm = {
    token: 'token-2',
    runId: 'run-2',
    nodeTitle: 'Second',
    content: '',
    fields: [],
    actions: [{ id: 'yes', title: 'Yes' }],
    expiresAtMs: 5_000,
  };
  const paused: Answer = { ...emptyAnswer, form: pending, ending: { kind: 'paused' } };

  test('waits from then on, in its group until its time is over', () => {
    const { turn, ports, lease, forms, world } = scene({ message: messageOf('q', { chat: GROUP }) });
    lease.note({ appType: 'chatflow' });
    const robot = world.options.config;
    const change = keepForms(turn, paused, ON_CARD, { ...ports, robot, lease });
    expect(change).toMatchObject({ waits: { untilMs: 5_000, group: expect.any(String) as unknown }, formsOver: [] });
    expect(forms.forms.at(-1)).toMatchObject({
      token: 'token-2',
      number: 2,
      shownAtMs: world.clock.now(),
      title: 'Second',
    });
    expect(formView(paused, turn, { lease, forms })).toEqual({ formNumber: 2 });
  });

  test('was seen by nobody where nothing could be shown, and has a week where no time is told', () => {
    const { turn, ports, lease, forms, world } = scene();
    lease.note({ appType: 'chatflow' });
    const timeless = { ...paused, form: { ...pending, expiresAtMs: null } };
    const change = keepForms(
      turn,
      timeless,
      { ...ON_CARD, anywhere: false },
      { ...ports, robot: world.options.config, lease },
    );
    expect(change.waits).toEqual({ untilMs: world.clock.now() + 7 * 86_400_000, group: null });
    expect(forms.forms.at(-1)).toMatchObject({ shownAtMs: null });
  });

  test('that nobody had seen keeps its number and the files that were sent for it', () => {
    const files = [{ class: 'document', extension: 'pdf', uploadId: 'upload-1' }] as const;
    const known = [kept(1), kept(2, { shownAtMs: null, files }), kept(3)];
    const { turn, ports, lease, forms, world } = scene({}, { forms: known });
    lease.note({ appType: 'chatflow' });
    keepForms(turn, paused, ON_CARD, { ...ports, robot: world.options.config, lease });
    expect(forms.forms.find(({ token }) => token === 'token-2')).toMatchObject({
      number: 2,
      shownAtMs: world.clock.now(),
      files,
    });
  });

  test('does not wait for an app of unknown type, nor where there is none', () => {
    const { turn, ports, lease, forms, world } = scene();
    const robot = world.options.config;
    keepForms(turn, paused, ON_CARD, { ...ports, robot, lease });
    expect(keepForms(turn, emptyAnswer, ON_CARD, { ...ports, robot, lease }).waits).toBeNull();
    expect(forms.forms).toHaveLength(1);
  });

  test('is told apart, with what was chosen before and what has expired', () => {
    const { turn, lease, forms } = scene({
      form: { ...kept(1), action: '', inputs: {}, expired: { title: 'First', earlierChars: 0 } },
    });
    lease.note({ form: { user: 'u', shownChars: 0, token: 't', action: 'Yes' } });
    expect(formView(emptyAnswer, turn, { lease, forms })).toEqual({ submitted: 'Yes', expiredForm: 'First' });
  });
});
