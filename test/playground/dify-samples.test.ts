import { describe, expect, test } from 'vitest';
import { chineseTexts } from '../../playground/dify/sample-texts-zh.ts';
import { englishTexts } from '../../playground/dify/sample-texts-en.ts';
import {
  plays,
  providerError,
  SAMPLE_NAMES,
  sampleNameFor,
  sampleScript,
  steadyScript,
  type SampleName,
} from '../../playground/dify/samples.ts';
import type { AppMode, ChunkScript, Question } from '../../playground/dify/types.ts';
import { recordOf } from '../../playground/http/shape.ts';
import { chipWords } from '../playground-page/playground.ts';
import { createFastClock } from '../support/virtual-clock.ts';
import { startDify, textOf } from './support.ts';

/** Plays the samples a hundred times as fast. */
const start = () => startDify({ clock: createFastClock(100) });

const question = (text: string, mode: AppMode = 'chat', turn = 1): Question => ({
  text,
  mode,
  turn,
  user: 'u',
  inputs: {},
  body: {},
  files: [],
});

const textOfScript = ({ chunks }: ChunkScript) => chunks.map((chunk) => ('text' in chunk ? chunk.text : '')).join('');

const textFor = (query: string, turn = 1) => textOfScript(sampleScript(question(query, 'chat', turn)));

describe('a sample that simply ends', () => {
  test.each([
    ['请给一个短答', 'a short answer please', chineseTexts.short, englishTexts.short],
    ['来一个长文', 'a long answer please', chineseTexts.long, englishTexts.long],
    ['用表格回答', 'show me a table', chineseTexts.table, englishTexts.table],
    ['写点代码', 'some code please', chineseTexts.code, englishTexts.code],
    ['给我一份清单', 'a checklist please', chineseTexts.list, englishTexts.list],
    ['看看图表', 'show a chart', chineseTexts.chart, englishTexts.chart],
    ['年假怎么申请？', 'how do I file leave?', chineseTexts.leave, englishTexts.leave],
    ['怎么报销', 'how do I claim expenses?', chineseTexts.expense, englishTexts.expense],
    ['VPN 连不上', 'the VPN is down', chineseTexts.vpn, englishTexts.vpn],
  ])('%s · %s', async (chinese, english, chineseText, englishText) => {
    const { dify, ask } = await start();
    const first = await ask('chat', { query: chinese });
    expect(textOf(first.events)).toBe(chineseText);
    expect(first.names.at(-1)).toBe('message_end');
    expect(textFor(english)).toBe(englishText);
    expect(dify.runs).toMatchObject([{ status: 'succeeded' }]);
  });

  test('long is several thousand characters', () => {
    expect(chineseTexts.long.length).toBeGreaterThan(4000);
    expect(englishTexts.long.length).toBeGreaterThan(4000);
  });
});

describe.each(['chat', 'agent-chat', 'agent', 'advanced-chat', 'completion', 'workflow'] as const)(
  'what %s plays',
  (mode) => {
    const played = SAMPLE_NAMES.filter((name) => plays(mode, name));

    test.each([
      ['示例', chineseTexts],
      ['samples', englishTexts],
    ])('%s lists words that each choose a sample of their own', (ask, texts) => {
      const help = textOfScript(sampleScript(question(ask, mode)));
      expect(help).toContain(texts.helpIntroduction);
      const listed = [...help.matchAll(/\*\*(.+?)\*\*/gu)].map(([, word = '']) => word);
      const names = listed.map(sampleNameFor);
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((name) => !played.includes(name) || name === 'fallback')).toEqual([]);
      const answers = listed.map((word) => JSON.stringify(sampleScript(question(word, mode))));
      expect(new Set(answers).size).toBe(answers.length);
      // The rest are the questions of the opening, and what other words than these get.
      const topics: SampleName[] = ['leave', 'expense', 'vpn', 'help', 'fallback'];
      expect(played.filter((name) => !names.includes(name) && !topics.includes(name))).toEqual([]);
    });
  },
);

test.each([
  ['Chinese', chipWords.zh],
  ['English', chipWords.en],
])('each %s chip chooses the sample that it is named after', (_, chips) => {
  const commands = ['new', 'help', 'stop', 'id'];
  for (const [name, [, text]] of Object.entries(chips)) {
    if (commands.includes(name)) expect(text).toBe(`/${name}`);
    else expect(sampleNameFor(text)).toBe(name === 'samples' ? 'help' : name);
  }
});

test('think: the tags arrive in pieces', async () => {
  const { ask } = await start();
  const { events } = await ask('chat', { query: '思考一下' });
  expect(textOf(events)).toBe(`<think>\n${chineseTexts.thought}\n</think>${chineseTexts.afterThought}`);
  expect(events.some(({ answer }) => String(answer).includes('<think>'))).toBe(false);
});

test('error: half an answer, then the provider’s raw words in an error event', async () => {
  const { ask } = await start();
  const { events } = await ask('chat', { query: '请报错' });
  expect(textOf(events)).toBe(chineseTexts.beforeError);
  expect(events.at(-1)).toMatchObject({ event: 'error', message: providerError });
});

test('slow: nothing for eight seconds, and a ping before the end', async () => {
  const { dify, ask } = await start();
  const { raw } = await ask('chat', { query: '慢速' });
  expect(raw).toContain('event: ping\n\n');
  const [run] = dify.runs;
  expect((run?.finishedAt ?? 0) - (run?.startedAt ?? 0)).toBeGreaterThan(10_000);
  expect(sampleScript(question('慢速')).chunks[0]?.afterMs).toBe(8000);
});

test('workflow: outputs, each of them as text too, in a workflow, a text elsewhere', async () => {
  const { ask } = await start();
  const { names, events } = await ask('workflow', { inputs: { query: '跑一下工作流' } });
  expect(names.filter((name) => name === 'text_chunk').length).toBeGreaterThan(1);
  expect(recordOf(events.at(-1)?.['data'])).toMatchObject({ outputs: chineseTexts.workflowOutputs });
  expect(textOf((await ask('chat', { query: '跑一下工作流' })).events)).toBe(chineseTexts.workflowAsText);
});

test('agent: two steps, two tools', async () => {
  const { ask } = await start();
  const { events } = await ask('agent-chat', { query: '智能体' });
  const tools = events.map(({ tool }) => tool).filter((tool) => typeof tool === 'string' && tool !== '');
  expect(new Set(tools)).toEqual(new Set(['leave_balance', 'team_calendar']));
  expect(textOf(events)).toContain(chineseTexts.agent.last);
});

test('cut: half an answer, then the connection breaks', async () => {
  const { ask } = await start();
  const { events, names, broke } = await ask('chat', { query: '断流' });
  expect(textOf(events)).toBe(chineseTexts.beforeCut);
  expect(names).not.toContain('message_end');
  expect(broke).toBe('terminated');
});

test('empty: only an end', async () => {
  const { ask } = await start();
  expect((await ask('chat', { query: '空白' })).names).toEqual(['message_end']);
});

test('moderation: the text is replaced', async () => {
  const { ask } = await start();
  const { names, events } = await ask('chat', { query: '审核' });
  expect(names).toContain('message_replace');
  expect(textOf(events)).toBe(chineseTexts.moderated);
});

test('steady: 600 characters in 300 events over 4.5 seconds', async () => {
  const { dify, ask } = await start();
  const { events, names } = await ask('chat', { query: '压测' });
  expect(names.filter((name) => name === 'message')).toHaveLength(300);
  expect(textOf(events)).toHaveLength(600);
  const { chunks } = sampleScript(question('压测'));
  expect(chunks.reduce((sum, { afterMs = 0 }) => sum + afterMs, 0)).toBeCloseTo(4500);
  expect(dify.runs).toMatchObject([{ status: 'succeeded' }]);
});

test('a steady script has any length', () => {
  const { chunks } = steadyScript(2400, 1200, 18_000, 300);
  const text = chunks.map((chunk) => ('text' in chunk ? chunk.text : '')).join('');
  expect(text).toHaveLength(2400);
  expect(chunks.reduce((sum, { afterMs = 0 }) => sum + afterMs, 0)).toBeCloseTo(18_300);
});

test('anything else is echoed with the number of the turn, in the language of the question', async () => {
  const { dify, ask } = await start();
  const first = await ask('chat', { query: '今天天气如何' });
  const conversation_id = first.events[0]?.['conversation_id'];
  const second = await ask('chat', { query: '那明天呢', conversation_id });
  expect(textOf(first.events)).toContain('「今天天气如何」');
  expect(textOf(second.events)).toMatch(/「那明天呢」.*第 2 轮/u);
  expect(textFor('what about tomorrow?', 3)).toMatch(/“what about tomorrow\?”.*turn 3/u);
  expect(dify.violations).toEqual([]);
});

test('every mode plays the samples', async () => {
  const { ask } = await start();
  for (const mode of ['agent-chat', 'agent', 'advanced-chat', 'completion', 'workflow'] as const) {
    const inputs = { query: '短答' };
    const { events, broke } = await ask(mode, { query: '短答', inputs });
    // A New Agent says everything twice (protocol 2.6 item 2).
    expect(textOf(events)).toBe(mode === 'agent' ? chineseTexts.short.repeat(2) : chineseTexts.short);
    expect(broke).toBeNull();
  }
});
