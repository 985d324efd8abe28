// The streams of forms of a real Dify 1.14.2, folded to what the chat sees.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answerText, type Answer } from '../../lib/answer/answer.ts';
import { finalView } from '../../lib/answer/view.ts';
import { follow } from '../../lib/ask/follow.ts';
import { waitingForm } from '../../lib/ask/form.ts';
import { resume } from '../../lib/ask/resume.ts';
import { readEvents } from '../../lib/dify/stream.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { zhCN } from '../../lib/texts/zh-CN.ts';
import { noConnection } from './support.ts';

const folder = new URL('../fixtures/dify-real/', import.meta.url);
const view = { texts: zhCN, showThinking: false, cardMaxChars: 3_000, links: true };
const options = { clock: systemClock, signal: new AbortController().signal, onProgress: () => undefined };

function eventsOf(file: string) {
  const { body } = new Response(readFileSync(new URL(file, folder)));
  if (!body) throw new Error('no body');
  return readEvents(body, noConnection, { clock: systemClock, idleMs: 5_000 });
}
const paused = (file: string) => follow(eventsOf(file), new AbortController(), options);
/** A run that goes on after its form was answered. */
const resumed = (file: string) =>
  resume({ ...options, runId: 'run', openEvents: async () => eventsOf(file), submit: async () => undefined });
const cardOf = (answer: Answer, more: Partial<typeof view> & { submitted?: string } = {}) =>
  finalView(answer, [], true, { ...view, ...more }).card ?? '';

/** Each paused stream: what its card says, what it does not, and how many links answer its form. */
const asked: Readonly<Record<string, { says: string[]; not?: string[]; links: number }>> = {
  'hitl-paused': {
    says: [
      '草稿是：你好',
      '人工审核',
      '### 报销审核',
      'comment（可不填；默认：没有意见）',
      'amount（可不填；默认：差旅费 300 元）',
    ],
    links: 3,
  },
  'hitlboth-paused': { says: ['两路审核：申请'], links: 2 },
  'hitlfile-paused': { says: ['doc（必填；请直接发送文件：图片、文档）', '1. 同意'], not: ['Dify 的网页'], links: 0 },
  'hitlflow-paused': { says: ['请确认：采购申请', 'comment（可不填）'], links: 2 },
  'hitlmail-paused': { says: ['邮件审核：邮件审批', '只能在邮件中处理'], not: ['可选操作'], links: 0 },
  'hitlpar-paused': { says: ['财务：申请'], not: ['主管'], links: 2 },
  'hitlselect-paused': {
    says: ['level（必填；可选：A 高，B 低）', 'who（必填；选项由流程决定，这里看不到，请直接输入）', 'why（可不填）'],
    links: 0,
  },
  'hitlsilent-paused': { says: ['确认：申请'], links: 2 },
};

/** Each stream after an answer: its text, and the form that follows. */
const answered: Readonly<Record<string, { text: string | RegExp; next?: string }>> = {
  'hitl-button': { text: /^\n已同意（按钮里的意见／80）：字1 字2.*完。$/u },
  'hitl-rejected': { text: '\n被驳回：没有意见' },
  'hitl-resumed': { text: /^\n已同意（可以\n再看一行／这张表单怎么填？）：字1 .*完。$/su },
  'hitl2-first': { text: '', next: '第二步，请写理由 「why」' },
  'hitl2-second': { text: '两步都通过：理由充分' },
  'hitlboth-answered': { text: '没有通过' },
  'hitlflow-resumed': { text: /字1 字2[\s\S]*好的/u },
  'hitlpar-answered': { text: '财务通过\n', next: '主管：申请' },
  'hitlpar-answered2': { text: '主管通过\n' },
  'hitlselect-answered': { text: '通过：高/丁/就这样' },
  'hitlsilent-answered': { text: '' },
};

test('every recording is a test', () => {
  const files = readdirSync(new URL('forms/', folder)).map((name) => name.replace('.sse', ''));
  expect(files.toSorted()).toEqual([...Object.keys(asked), ...Object.keys(answered)].toSorted());
});

describe.each(Object.entries(asked))('%s', (name, { says, not = [], links }) => {
  test('is shown as a form', async () => {
    const answer = await paused(`forms/${name}.sse`);
    expect(answer.ending).toEqual({ kind: 'paused' });
    // Whether it can be answered here is told, so Dify need not be asked.
    expect(answer.form).not.toHaveProperty('isUnsure');
    expect(waitingForm(answer) === null).toBe(name === 'hitlmail-paused');
    const card = cardOf(answer);
    for (const part of says) expect(card).toContain(part);
    for (const part of not) expect(card).not.toContain(part);
    expect(card.match(/dtmd:/gu)?.length ?? 0).toBe(links);
  });
});

describe.each(Object.entries(answered))('%s', (name, { text, next }) => {
  test('goes on after the form, without what stood before it', async () => {
    const answer = await resumed(`forms/${name}.sse`);
    const shown = answerText(answer).text;
    if (typeof text === 'string') expect(shown).toBe(text);
    else expect(shown).toMatch(text);
    expect(answer.ending).toEqual({ kind: next === undefined ? 'complete' : 'paused' });
    if (next === undefined) expect(answer.form).toBeNull();
    else expect(cardOf(answer)).toContain(next);
    if (name === 'hitlsilent-answered') expect(cardOf(answer, { submitted: '驳回' })).toBe('已提交：驳回。');
  });
});

test('a snapshot has the template of a form', async () => {
  const answer = await paused('events-snapshot-of-a-paused-run.sse');
  expect(answer.form).toMatchObject({
    token: 'SV1B7c7tz9BJwzUAx01pJJ',
    actions: [{ title: '同意' }, { title: '拒绝' }],
  });
  expect(answer.form?.content).toContain('{{#start.query#}}');
});
