// Every way in which an answer can end: the state of its card, its last line, and what can be tapped or pressed then.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer, type Ending } from '../../lib/answer/answer.ts';
import { endingLine, endingState } from '../../lib/answer/ending.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import { formEndLine } from '../../lib/answer/form-end.ts';
import { closedFormView, finalView } from '../../lib/answer/view.ts';
import {
  BridgeError,
  repeatOf,
  TURN_ERROR_CODES,
  type ErrorFacts,
  type Named,
  type TurnErrorCode,
} from '../../lib/errors.ts';
import { textsFor } from '../../lib/texts/index.ts';

const texts = textsFor('zh-CN');
const REFERENCE = '3f9a1c07';
const form: PendingForm = {
  token: 'token-1',
  runId: 'run-1',
  nodeTitle: '报销',
  content: '可以吗？',
  fields: [],
  actions: [
    { id: 'yes', title: '同意' },
    { id: 'no', title: '驳回' },
  ],
  expiresAtMs: Date.UTC(2026, 10, 30, 6, 32),
};

const ended = (kind: Exclude<Ending['kind'], 'failed'>, message = '', more: Partial<Answer> = {}): Answer => ({
  ...emptyAnswer,
  ids: { conversationId: 'c', messageId: 'm' },
  texts: { ...emptyAnswer.texts, message },
  ending: { kind },
  ...more,
});
const failure = (code: TurnErrorCode, facts: ErrorFacts = {}, named: Named = {}) =>
  new BridgeError(code, 'on purpose', facts, undefined, named);

/** Where it is shown: on a card of a template without or with buttons, or as messages; to one person, or to a group. */
const PLACES = {
  card: { hasCard: true, cardButtons: false, isGroup: false },
  buttons: { hasCard: true, cardButtons: true, isGroup: false },
  group: { hasCard: true, cardButtons: false, isGroup: true },
  message: { hasCard: false, cardButtons: false, isGroup: false },
} as const;

type Place = keyof typeof PLACES;

/** The labels of what can be tapped. `[重试]` is the button that a template has on a failed card. */
function show(answer: Answer, failed: BridgeError | null, place: Place, question: string | null = '年假几天？') {
  const { hasCard, cardButtons, isGroup } = PLACES[place];
  const options = {
    reference: REFERENCE,
    canTap: !isGroup,
    hasRetry: hasCard && cardButtons,
    retryText: question,
    toldAdmins: false,
  };
  const line = endingLine(answer, failed, options, texts);
  const links = !cardButtons && !isGroup;
  const view = finalView(answer, [line], hasCard, { texts, showThinking: false, cardMaxChars: 3_000, links });
  const shown = view.card ?? view.messages.at(-1) ?? '';
  const last = shown.split('\n').at(-1) ?? '';
  const state = hasCard ? (endingState(answer, failed, options) === 'failed' ? '失败' : '完成') : null;
  const isOffered = state === '失败' && cardButtons ? ['[重试]'] : [];
  const labels = [...last.matchAll(/\[([^\]]*)\]\(dtmd:[^)]*\)/gu)].map(([, label = '']) => label);
  return {
    state,
    last: last.replace(/ ?\[[^\]]*\]\(dtmd:[^)]*\)( ·)?/gu, '').trim(),
    offers: [...isOffered, ...labels],
  };
}

const AGAIN = '🔄 再试一次';
const GO_ON = '▶️ 继续';
const [OWN, BUTTON] = [
  [AGAIN, GO_ON],
  ['[重试]', GO_ON],
];
const busy = `⚠️ ${texts.failures.dify_busy}（编号 ${REFERENCE}）`;
const waits = '⏳ 等待处理，11月30日 14:32 前有效';

describe.each<{
  end: string;
  answer: Answer;
  failed?: BridgeError;
  state: '完成' | '失败';
  last: string;
  offers?: string[];
  /** With a template that has buttons, where that is another. */
  withButtons?: string[];
  stateWithButtons?: '完成';
  inGroup?: string;
}>([
  { end: 'complete', answer: ended('complete', '十天。'), state: '完成', last: '十天。' },
  { end: 'complete without a text', answer: ended('complete'), state: '完成', last: texts.emptyAnswer },
  {
    end: 'complete with nothing but files',
    answer: ended('complete', '', {
      files: [{ id: 'f', name: 'a.png', kind: 'image', url: '/f', extension: 'png', mimeType: null, sizeBytes: null }],
    }),
    state: '完成',
    last: texts.onlyFiles,
  },
  {
    end: 'stopped',
    answer: ended('stopped', '十'),
    state: '完成',
    last: '（已停止）',
    offers: OWN,
    inGroup: '（已停止） 要接着写，请 @我 并发送“继续”。',
  },
  { end: 'stopped before any text', answer: ended('stopped'), state: '完成', last: '（已停止）', offers: [AGAIN] },
  {
    end: 'stopped, of a run without a conversation',
    answer: ended('stopped', '十', { ids: { runId: 'r' } }),
    state: '完成',
    last: '（已停止）',
    offers: [AGAIN],
  },
  {
    end: 'broken off',
    answer: ended('cut', '十'),
    state: '失败',
    last: texts.incomplete(REFERENCE),
    offers: OWN,
    withButtons: BUTTON,
    inGroup: `${texts.incomplete(REFERENCE)} 要接着写，请 @我 并发送“继续”。`,
  },
  {
    end: 'failed',
    answer: ended('cut'),
    failed: failure('dify_busy'),
    state: '失败',
    last: busy,
    offers: [AGAIN],
    withButtons: ['[重试]'],
  },
  {
    end: 'failed below a text',
    answer: ended('cut', '十'),
    failed: failure('dify_busy'),
    state: '失败',
    last: `⚠️ 回答没有完成：${texts.failures.dify_busy}（编号 ${REFERENCE}）`,
    offers: OWN,
    withButtons: BUTTON,
    inGroup: `⚠️ 回答没有完成：${texts.failures.dify_busy}（编号 ${REFERENCE}） 要接着写，请 @我 并发送“继续”。`,
  },
  {
    end: 'out of time',
    answer: ended('cut', '十'),
    failed: failure('out_of_time'),
    state: '失败',
    stateWithButtons: '完成',
    last: `⚠️ 回答没有完成：${texts.failures.out_of_time}（编号 ${REFERENCE}）`,
    offers: [GO_ON],
    inGroup: `⚠️ 回答没有完成：${texts.failures.out_of_time}（编号 ${REFERENCE}） 要接着写，请 @我 并发送“继续”。`,
  },
  {
    end: 'too long for the model',
    answer: ended('cut'),
    failed: failure('dify_context_too_long'),
    state: '失败',
    stateWithButtons: '完成',
    last: `⚠️ ${texts.failures.dify_context_too_long}（编号 ${REFERENCE}）`,
    offers: ['🆕 开始新会话'],
  },
  {
    end: 'waiting for a form',
    answer: ended('paused', '已提交。', { form }),
    state: '完成',
    last: waits,
  },
  {
    end: 'waiting for a form without a time',
    answer: ended('paused', '', { form: { ...form, expiresAtMs: null } }),
    state: '完成',
    last: '⏳ 等待处理',
  },
  {
    end: 'waiting for a form by e-mail',
    answer: ended('paused', '', { form: { ...form, token: null, expiresAtMs: null } }),
    state: '完成',
    last: '⏳ 等待处理',
  },
  { end: 'waiting for what is not known', answer: ended('paused'), state: '完成', last: texts.paused },
])('an answer that is $end', (row) => {
  const { answer, failed = null, state, last, offers = [] } = row;

  test.each<[Place, unknown]>([
    ['card', { state, last, offers }],
    ['buttons', { state: row.stateWithButtons ?? state, last, offers: row.withButtons ?? offers }],
    ['group', { state, last: row.inGroup ?? last, offers: [] }],
    ['message', { state: null, last, offers }],
  ])('in the place %s', (place, expected) => {
    expect(show(answer, failed, place)).toEqual(expected);
  });
});

describe('a failure', () => {
  test.each(TURN_ERROR_CODES.map((code) => [code]))('%s offers to ask again only where that can help', (code) => {
    const helps = repeatOf(failure(code));
    const { state, offers } = show(ended('cut'), failure(code), 'card');
    expect(offers.includes(AGAIN)).toBe(helps === 'again');
    expect(state).toBe(code.startsWith('form_') ? '完成' : '失败');
    // What an administrator has mended can be asked again for an hour: the template's button stays.
    const withButton = show(ended('cut'), failure(code), 'buttons');
    expect(withButton.offers.includes('[重试]')).toBe(helps !== 'never');
  });

  test.each<[TurnErrorCode, ErrorFacts, Named?]>([
    ['file_too_large', {}],
    ['file_wrong_type', {}],
    ['file_not_accepted', {}],
    ['form_closed', {}],
    ['form_expired', {}],
    ['form_invalid', {}],
    ['dify_content_refused', {}],
    ['dify_input_invalid', { maxChars: 5, chars: 9 }],
    ['dify_input_missing', {}, { missingFiles: ['Report'] }],
  ])('%s is one that no repeat helps', (code, facts, named) => {
    expect(repeatOf(failure(code, facts, named))).toBe('never');
  });

  test('of a question that no words can ask again offers none', () => {
    expect(show(ended('cut'), failure('dify_busy'), 'card', null).offers).toEqual([]);
    expect(show(ended('stopped', '十'), null, 'card', null).offers).toEqual([GO_ON]);
  });
});

test('a long answer that is not complete says so on its card and below its last message', () => {
  const options = { texts, showThinking: false, cardMaxChars: 400 };
  const long = '一句话。\n\n'.repeat(200);
  const stopped = finalView(ended('stopped', long), [texts.stopped], true, options);
  expect(stopped.card?.endsWith(`${texts.continuesBelow}\n\n${texts.stopped}`)).toBe(true);
  expect(stopped.card?.length).toBeLessThanOrEqual(400);
  expect(stopped.messages.at(-1)?.endsWith(texts.stopped)).toBe(true);
  const complete = finalView(ended('complete', long), [''], true, options);
  expect(complete.card?.endsWith(texts.continuesBelow)).toBe(true);
});

describe('the card of a form that is over', () => {
  const atMs = Date.UTC(2026, 10, 27, 6, 32);
  test.each([
    [
      'who chose what and when',
      { kind: 'chosen', action: '同意', by: '小王', atMs },
      '✅ 小王 选择了「同意」（11月27日 14:32）',
    ],
    [
      'what was chosen and when',
      { kind: 'chosen', action: '同意', by: null, atMs },
      '✅ 已选择「同意」（11月27日 14:32）',
    ],
    ['that it was answered elsewhere', { kind: 'closed' }, '☑️ 这张表单已在别处处理。'],
    ['that its time was over', { kind: 'expired', title: '报销' }, '（表单「报销」没有在限定时间内处理，已经过期。）'],
  ] as const)('says %s, below what was asked and without its actions', (_what, end, expected) => {
    const line = formEndLine(end, texts);
    const closed = { text: '已提交。', quote: '> 小王：报销', form, line };
    const shown = closedFormView(closed, { texts, showThinking: false, cardMaxChars: 3_000 });
    expect(shown.split('\n').at(-1)).toBe(expected);
    expect(shown).toMatch(/^> 小王：报销\n\n已提交。\n\n📝 \*\*需要你来处理：报销\*\*\n\n可以吗？\n\n/u);
    expect(shown).not.toContain('驳回');
  });

  test('has only the line where the form and the text are not known any more', () => {
    const closed = { text: '', quote: '> 小王：报销', form: null, line: texts.form.closed };
    const shown = closedFormView(closed, { texts, showThinking: false, cardMaxChars: 500 });
    expect(shown).toBe(`> 小王：报销\n\n${texts.form.closed}`);
  });

  test('stays within what a card takes', () => {
    const closed = { text: '字'.repeat(5_000), quote: `> ${'问'.repeat(99)}`, form, line: texts.form.closed };
    const shown = closedFormView(closed, { texts, showThinking: false, cardMaxChars: 500 });
    expect(shown.length).toBeLessThanOrEqual(500);
    expect(shown.endsWith(texts.form.closed)).toBe(true);
  });
});
