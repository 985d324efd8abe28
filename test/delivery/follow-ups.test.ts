import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { FormField, PendingForm } from '../../lib/answer/event.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { createFollowUps, type FinishedAnswer } from '../../lib/delivery/follow-ups.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createLogLines, createScriptedReply, settle, type Outcome } from '../support/delivery.ts';
import { robotConfig } from '../support/dingtalk.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const texts = textsFor('en');
const QUESTIONS = ['How long?', 'Who decides?'];

interface SceneOptions {
  buttons?: boolean;
  onCard?: boolean;
  isGroup?: boolean;
  maySpend?: boolean;
  answer?: Partial<Answer>;
  cardMaxChars?: number;
  app?: { type: AppType; suggestsQuestions: boolean } | Error;
  questions?: string[] | Error;
  /** How changes of the card, and messages, end. */
  outcome?: Outcome;
}

function scene(options: SceneOptions = {}) {
  const {
    buttons = false,
    onCard = true,
    isGroup = false,
    maySpend = true,
    cardMaxChars = 3_000,
    outcome = null,
  } = options;
  const { app = { type: 'chat', suggestsQuestions: true }, questions = QUESTIONS } = options;
  const clock = createVirtualClock();
  const { log, lines } = createLogLines(clock);
  const reply = createScriptedReply(clock, [outcome]);
  const robot = robotConfig({ DINGTALK_CARD_BUTTONS: String(buttons), DINGTALK_CARD_MAX_CHARS: String(cardMaxChars) });
  const asked: string[] = [];
  const amended: { turnId: string; variables: Readonly<Record<string, string>> }[] = [];
  const followUps = createFollowUps({
    robot,
    texts,
    async facts() {
      if (app instanceof Error) throw app;
      return app;
    },
    async suggest(messageId, user) {
      asked.push(`${messageId} for ${user}`);
      if (questions instanceof Error) throw questions;
      return questions;
    },
    async amend(turnId, variables) {
      amended.push({ turnId, variables });
      settle(outcome);
    },
    reply,
    log,
  });
  const finished: FinishedAnswer = {
    turn: { id: 'turn-1', reference: 'r', isGroup, user: 'staff-1', asker: '李雷', maySpend },
    answer: {
      ...emptyAnswer,
      texts: { ...emptyAnswer.texts, message: 'Take ten days.' },
      ids: { messageId: 'message-1' },
      ending: { kind: 'complete' },
      ...options.answer,
    },
    view: { texts, showThinking: false, cardMaxChars, links: !buttons && !isGroup },
    choices: [],
    onCard,
  };
  return { followUps, finished, asked, amended, messages: reply.messages, lines };
}

/** Plans what follows an answer, and shows it. */
async function followed(options: SceneOptions = {}) {
  const { followUps, finished, ...seen } = scene(options);
  const planned = await followUps.plan(finished);
  await planned?.show();
  return { calls: planned?.calls ?? null, ...seen };
}

const field = (name: string, type: FormField['type'], more: Partial<FormField> = {}): FormField => ({
  name,
  label: name.toUpperCase(),
  type,
  required: true,
  options: [],
  default: '',
  ...more,
});

const form: PendingForm = {
  content: '',
  fields: [
    field('days', 'text', { default: '3' }),
    field('kind', 'select', { required: false, options: ['paid', 'unpaid'] }),
    field('proof', 'file'),
    field('more', 'file-list'),
  ],
  actions: [{ id: 'ok', title: 'Approve' }],
  expiresAtMs: null,
  token: 'token-1',
  runId: 'run-1',
  nodeTitle: 'Approval',
};

describe('nothing follows', () => {
  test.each<[string, SceneOptions]>([
    ['an answer that did not end well', { answer: { ending: { kind: 'cut' } } }],
    ['an answer without an end', { answer: { ending: null } }],
    ['an answer whose message Dify does not name', { answer: { ids: {} } }],
    ['where the month allows no further call', { maySpend: false }],
    ['in a group without a card', { onCard: false, isGroup: true }],
    [
      'a text that fills its card',
      { answer: { texts: { ...emptyAnswer.texts, message: 'x'.repeat(400) } }, cardMaxChars: 500 },
    ],
    ['where the app cannot be asked', { app: new Error('on purpose') }],
    ['an app that suggests no questions', { app: { type: 'chat', suggestsQuestions: false } }],
    ['an app that is no chat', { app: { type: 'workflow', suggestsQuestions: true } }],
    ['a form on a card without buttons', { answer: { form, ending: { kind: 'paused' } } }],
    ['a form without a card', { buttons: true, onCard: false, answer: { form, ending: { kind: 'paused' } } }],
    [
      'a form that was sent by e-mail only',
      { buttons: true, answer: { form: { ...form, token: null }, ending: { kind: 'paused' } } },
    ],
    ['a pause without a form', { buttons: true, answer: { ending: { kind: 'paused' } } }],
  ])('%s', async (_what, options) => {
    expect(await followed(options)).toMatchObject({ calls: null, asked: [], amended: [], messages: [], lines: [] });
  });
});

test('an answer that cannot be rendered has nothing below it, and its turn goes on to its end', async () => {
  const { followUps, finished, asked, lines } = scene();
  const view = new Proxy(finished.view, {
    get() {
      throw new RangeError('on purpose');
    },
  });
  expect(await followUps.plan({ ...finished, view })).toBeNull();
  expect(asked).toEqual([]);
  expect(lines).toMatchObject([{ level: 'warn', event: 'extras_failed', turn: 'r', error: 'RangeError' }]);
});

describe('questions to ask next', () => {
  const list = texts.suggestions;

  test('are variables of a card with buttons', async () => {
    const { calls, asked, amended } = await followed({ buttons: true });
    expect(calls).toBe(1);
    expect(asked).toEqual(['message-1 for staff-1']);
    expect(amended).toEqual([
      { turnId: 'turn-1', variables: { suggestions: JSON.stringify(QUESTIONS.map((question) => ({ question }))) } },
    ]);
  });

  test('stand below the text of a card without buttons, as links', async () => {
    const { calls, amended } = await followed();
    expect(calls).toBe(1);
    expect(amended).toHaveLength(1);
    const text = amended[0]?.variables['content'] ?? '';
    expect(text).toMatch(/^Take ten days\.\n\n/);
    expect(text).toContain(`**${list}**`);
    expect(text).toContain('[How long?](dtmd://dingtalkclient/sendMessage?content=How%20long%3F)');
  });

  test('are words to type in a group', async () => {
    const { amended } = await followed({ isGroup: true });
    const text = amended[0]?.variables['content'] ?? '';
    expect(text).toContain(`**${texts.suggestionsToType}**\n\n- How long?\n- Who decides?`);
  });

  test('are a message of their own where there is no card', async () => {
    const { calls, amended, messages } = await followed({ onCard: false });
    expect(calls).toBe(0);
    expect(amended).toEqual([]);
    expect(messages).toMatchObject([{ title: list, mentionAsker: false }]);
    expect(messages[0]?.text).toContain('[Who decides?]');
  });

  test('are left out where there are none', async () => {
    expect(await followed({ questions: [] })).toMatchObject({ calls: 1, amended: [], messages: [] });
  });

  test('are left out where they are too long for the card after all', async () => {
    const { amended, lines } = await followed({ questions: ['why? '.repeat(100)], cardMaxChars: 500 });
    expect({ amended, lines }).toEqual({ amended: [], lines: [] });
  });

  test.each<[string, SceneOptions]>([
    ['Dify does not tell them', { questions: new TypeError('on purpose') }],
    ['the card refuses them', { outcome: new TypeError('on purpose') }],
    ['the message is refused', { onCard: false, outcome: new TypeError('on purpose') }],
  ])('that fail are in the log and nowhere else: %s', async (_why, options) => {
    const { lines } = await followed(options);
    expect(lines).toMatchObject([{ level: 'warn', event: 'extras_failed', turn: 'r', error: 'TypeError' }]);
  });
});

describe('a form', () => {
  const paused: SceneOptions = { buttons: true, answer: { form, ending: { kind: 'paused' } } };

  test('has its actions and fields on the card, without files', async () => {
    const { calls, asked, amended } = await followed({ ...paused, maySpend: false });
    expect(calls).toBe(1);
    expect(asked).toEqual([]);
    const { form_actions: actions = '', form_fields: fields = '', ...rest } = amended[0]?.variables ?? {};
    expect(rest).toEqual({ waiting_for: '李雷' });
    expect(JSON.parse(actions)).toEqual([{ id: 'ok', title: 'Approve' }]);
    expect(JSON.parse(fields)).toEqual({
      fields: [
        { name: 'days', label: 'DAYS', required: true, defaultValue: '3', type: 'TEXT' },
        {
          name: 'kind',
          label: 'KIND',
          required: false,
          defaultValue: '',
          type: 'SELECT',
          options: [
            { value: 'paid', text: 'paid' },
            { value: 'unpaid', text: 'unpaid' },
          ],
        },
      ],
    });
  });

  test('that the card refuses is in the log', async () => {
    const { lines } = await followed({ ...paused, outcome: 'dingtalk_qps' });
    expect(lines).toMatchObject([{ event: 'extras_failed', turn: 'r', code: 'dingtalk_qps' }]);
  });
});

describe('an answer that was stopped elsewhere', () => {
  test('says so on its card', async () => {
    const { followUps, finished, amended } = scene();
    await followUps.markStopped(finished, texts.stopped);
    expect(amended).toEqual([{ turnId: 'turn-1', variables: { content: `Take ten days.\n\n${texts.stopped}` } }]);
  });

  test('stays as it is where the card refuses that', async () => {
    const { followUps, finished, lines } = scene({ outcome: 'dingtalk_server_error' });
    await followUps.markStopped(finished, texts.stopped);
    expect(lines).toMatchObject([{ event: 'extras_failed', code: 'dingtalk_server_error' }]);
  });
});
