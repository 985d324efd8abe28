// Answers of chats whose stream was lost: only the conversation has them, if at all.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sleep } from '../../lib/runtime/clock.ts';
import { readMessages } from '../../lib/dify/records.ts';
import { readVersion } from '../../lib/dify/version.ts';
import { configOf } from '../dify/support.ts';
import { loseRun, recoverFrom, withConversations } from './support.ts';

const answers = new URL('../fixtures/dify-real/answers.json', import.meta.url);
/** The body of an answer of a real Dify, by its name. */
const recorded = (name: string) => (JSON.parse(readFileSync(answers, 'utf8')) as Record<string, unknown>)[name];

const WHOLE = '第一段。第二段。';
const inParts = { chunks: [{ text: '第一段。' }, { afterMs: 6_000, text: '第二段。' }] };
const seenStep = (raw: string) => raw.includes('agent_thought');
const seenFirst = (raw: string) => raw.includes('第一段');
const saved = { easyAnswers: 'saved' } as const;
const withoutIds = { ids: {} };
/** Asked like a chat, which the app need not be. */
const uncertain = { isTypeKnown: false };

describe('an app that is asked like a chat', () => {
  test.each(['chat', 'agent-chat', 'agent'] as const)('whose answer is saved later is waited for: %s', async (mode) => {
    const story = await loseRun(mode, { script: inParts, behaviour: saved }, seenFirst);
    const { outcome, text } = await story.recover(uncertain);
    expect(text).toBe(WHOLE);
    const { conversationId, messageId } = story.lost.ids;
    expect(outcome).toMatchObject({ answer: { ids: { conversationId, messageId }, ending: { kind: 'complete' } } });
    const looks = story.requests();
    expect(new Set(looks.map(({ api }) => api))).toEqual(new Set(['messages']));
    expect(looks[0]?.query).toEqual({ conversation_id: conversationId, user: 'staff-0001', limit: '20' });
  });

  test.each(['lost', 'aborted'] as const)('whose answer was %s is given up within 15 s', async (easyAnswers) => {
    const story = await loseRun('chat', { script: inParts, behaviour: { easyAnswers } }, seenFirst);
    const beganAtMs = story.clock.now();
    expect((await story.recover(uncertain)).outcome).toEqual({ kind: 'lost' });
    const looks = story.requests();
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(looks.length).toBeLessThanOrEqual(5);
    // Each look begins in time; the slack is for a busy machine, whose lateness this clock multiplies.
    expect((looks.at(-1)?.at ?? Infinity) - beganAtMs).toBeLessThan(18_000);
  });

  test('whose model failed is a failed answer, without its words', async () => {
    const ending = { kind: 'failed', message: '[openai] Error code: 429 sk-4711' } as const;
    const story = await loseRun('chat', { script: { ...inParts, ending }, behaviour: saved }, seenFirst);
    const { outcome, text, log } = await story.recover(uncertain);
    const expected = { kind: 'failed', cause: 'error', upstreamCode: null, status: null };
    expect(outcome).toMatchObject({ answer: { ending: expected } });
    expect(text).toBe(WHOLE);
    expect(JSON.stringify(outcome) + log).not.toMatch(/openai|4711/);
  });

  test('whose model failed before its first word is failed too, not lost', async () => {
    const ending = { kind: 'failed', message: 'secret words' } as const;
    const story = await loseRun('chat', { script: { chunks: [], ending } }, () => false);
    const { outcome, text } = await story.recover(uncertain);
    expect(outcome).toMatchObject({ answer: { ending: { kind: 'failed' } } });
    expect(text).toBe('');
  });

  test('of somebody else is not shown', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    await story.over();
    expect((await story.recover({ user: 'staff-0002' })).outcome).toEqual({ kind: 'lost' });
  });

  test('is found by its id although the same was asked again', async () => {
    const script = ({ turn }: { turn: number }) => ({ chunks: [{ text: `答 ${turn}` }] });
    const story = await loseRun('chat', { script }, () => false);
    await sleep(story.clock, 1_000);
    await story.ask('chat', { conversation_id: story.run.conversationId });
    const conversationId = story.run.conversationId ?? '';
    const ids = { conversationId, messageId: story.run.messageId ?? '' };
    const config = configOf(story.dify.url, 'app-chat');
    expect((await recoverFrom(config, story.clock, { ...story.lost, ...uncertain, ids })).text).toBe('答 1');
    // Without the message's id, the newest of this question counts.
    const byQuestion = { ...story.lost, ids: { conversationId } };
    expect((await recoverFrom(config, story.clock, byQuestion)).text).toBe('答 2');
  });

  test('is found by its question, although Dify has that below what it quotes', async () => {
    const script = ({ turn }: { turn: number }) => ({ chunks: [{ text: `答 ${turn}` }] });
    const story = await loseRun('chat', { script }, () => false);
    const conversationId = story.run.conversationId ?? '';
    await story.ask('chat', { conversation_id: conversationId, query: '> 一\n> 二\n\n为什么？' });
    const config = configOf(story.dify.url, 'app-chat');
    const find = (question: string) =>
      recoverFrom(config, story.clock, { ...story.lost, ...uncertain, question, ids: { conversationId } });
    expect((await find('为什么？')).text).toBe('答 2');
    expect((await find('么？')).outcome).toEqual({ kind: 'lost' });
  });

  test.each([
    { api: 'messages', kind: 'reset', times: 3 },
    { api: 'messages', kind: 'hang' },
    { api: 'messages', kind: 'http', name: 'nginx-504', times: 2 },
  ] as const)('is asked for again after $kind', async (fault) => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    story.dify.faults.inject(fault);
    expect((await story.recover(uncertain)).text).toBe(WHOLE);
  });

  test('is not known to be running, so that leaving early gives it up', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    const { outcome } = await story.recover(uncertain, { signal: AbortSignal.timeout(60) });
    expect(outcome).toEqual({ kind: 'lost' });
    expect(story.requests().every(({ endedAt }) => endedAt !== null)).toBe(true);
  });
});

describe('a chat for certain', () => {
  test('is lost after one look: Dify saves nothing of it', async () => {
    const story = await loseRun('chat', { script: inParts, version: '1.14' }, seenFirst);
    expect((await story.recover()).outcome).toEqual({ kind: 'lost' });
    expect(story.requests().map(({ api }) => api)).toEqual(['messages']);
  });

  test('is found where it had ended before', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    await story.over();
    expect((await story.recover()).text).toBe(WHOLE);
  });
});

describe('an agent whose client is gone', () => {
  const tool = { tool: 'current_time', input: {}, observation: '10:00' };
  const withTool = { chunks: [{ text: '我看看。' }, tool, { afterMs: 30_000, text: '现在十点。' }] };

  test.each(['0.15', '1.14'] as const)('goes on, and its text is taken from its thoughts: %s', async (version) => {
    const story = await loseRun('agent-chat', { script: withTool, version }, (raw) => raw.includes('current_time'));
    const { outcome, text } = await story.recover({ version: readVersion('1.14.2', undefined) });
    expect(text).toBe('现在十点。');
    expect(outcome).toMatchObject({ answer: { ids: story.lost.ids, ending: { kind: 'complete' } } });
  });

  test('is known by its thoughts where the app is of unknown type', async () => {
    const story = await loseRun('agent-chat', { script: withTool, version: '0.15' }, (raw) => raw.includes('current'));
    expect((await story.recover({ type: 'chat', ...uncertain })).text).toBe('现在十点。');
  });

  test('may be found by another attempt while it goes on', async () => {
    const story = await loseRun('agent-chat', { script: withTool, version: '1.14' }, (raw) => raw.includes('current'));
    const { outcome } = await story.recover({}, { signal: AbortSignal.timeout(200) });
    expect(outcome).toEqual({ kind: 'still-running' });
  });

  test('is given up two minutes after its last step, and after 15 s where such runs end with their client', async () => {
    const script = { chunks: [{ text: '我看看。' }, { afterMs: 300_000, text: '晚了。' }] };
    const story = await loseRun('agent-chat', { script, version: '1.14' }, seenStep);
    const tookMs = async (version: string) => {
      const beganAtMs = story.clock.now();
      expect((await story.recover({ version: readVersion(version, undefined) })).outcome).toEqual({ kind: 'lost' });
      return story.clock.now() - beganAtMs;
    };
    const shortMs = await tookMs('1.16.0');
    const longMs = await tookMs('1.14.2');
    expect(shortMs).toBeLessThan(30_000);
    expect(longMs).toBeGreaterThan(100_000);
    expect(longMs).toBeLessThan(150_000);
  });
});

describe('the steps of an agent', () => {
  const thought = (position: number, words: string, used = '') => ({ position, thought: words, tool: used });
  const rowOf = (agent_thoughts: unknown[]) =>
    readMessages({ data: [{ id: 'm', query: 'q', answer: '', status: 'normal', created_at: 1, agent_thoughts }] })?.[0];

  test('have their text in the order of their positions, without those that use a tool', () => {
    const row = rowOf([thought(3, 'second'), thought(2, 'tool says', 'a_tool'), thought(1, 'first')]);
    expect(row?.thoughts).toMatchObject({ text: 'first\nsecond', isWhole: true });
  });

  test.each([
    ['the last one has no text yet', [thought(1, 'first'), thought(2, '')]],
    ['the last one uses a tool', [thought(1, 'first'), thought(2, 'with', 'a_tool')]],
  ])('are not whole while %s', (_, steps) => {
    expect(rowOf(steps)?.thoughts?.isWhole).toBe(false);
  });

  test('are none of a chat', () => {
    expect(rowOf([])?.thoughts).toBeNull();
  });

  test('of the recorded agent whose client left hold its whole text', () => {
    const { data } = recorded('messages of an agent whose client left') as { data: unknown[] };
    const [row] = readMessages({ data }) ?? [];
    expect(row?.answer).toBe('');
    expect(row?.thoughts?.text).toMatch(/^字1 字2 .*字100 $/);
    expect(readMessages(recorded('messages of a chat whose client left'))?.[0]).toMatchObject({ thoughts: null });
  });
});

describe('with no ids on record', () => {
  test('the question is found in the conversation that began with it', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    const fetch = await withConversations(story.dify.url, story.dify.runs);
    const { outcome, text } = await story.recover({ ...withoutIds, ...uncertain }, { fetch });
    expect(text).toBe(WHOLE);
    const { conversationId, messageId } = story.lost.ids;
    expect(outcome).toMatchObject({ answer: { ids: { conversationId, messageId } } });
  });

  test('and where the conversation on record does not have it', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    const fetch = await withConversations(story.dify.url, story.dify.runs);
    const ids = { conversationId: 'c0ffee00-0000-4000-8000-000000000000' };
    expect((await story.recover({ ids, ...uncertain }, { fetch })).text).toBe(WHOLE);
  });

  test('a chatflow is waited for as long as it may run', async () => {
    const script = { chunks: [{ text: '第一段。' }, { afterMs: 40_000, text: '第二段。' }] };
    const story = await loseRun('advanced-chat', { script }, seenFirst);
    const fetch = await withConversations(story.dify.url, story.dify.runs);
    const early = await story.recover(withoutIds, { fetch, signal: AbortSignal.timeout(200) });
    expect(early.outcome).toEqual({ kind: 'still-running' });
    expect((await story.recover(withoutIds, { fetch })).text).toBe(WHOLE);
    const askedAtMs = story.clock.now() - 1_300_000;
    expect((await story.recover({ ...withoutIds, askedAtMs }, { fetch })).text).toBe(WHOLE);
  });

  test.each([
    ['asked before', {}, 60_000],
    ['another question', { question: '再见' }, 0],
    ['another user', { user: 'staff-0002' }, 0],
  ] as const)('nothing of %s is taken for it', async (_which, changes, laterMs) => {
    const story = await loseRun('chat', { script: { chunks: [{ text: '旧。' }] } }, () => false);
    const fetch = await withConversations(story.dify.url, story.dify.runs);
    const askedAtMs = story.lost.askedAtMs + laterMs;
    const { conversationId } = story.lost.ids;
    const ids = conversationId === undefined ? {} : { conversationId };
    expect((await story.recover({ ids, ...changes, askedAtMs }, { fetch })).outcome).toEqual({ kind: 'lost' });
    expect((await story.recover({ ...withoutIds, ...changes, askedAtMs }, { fetch })).outcome).toEqual({
      kind: 'lost',
    });
  });

  test('a completion is lost, without a question to Dify', async () => {
    const story = await loseRun('completion', { script: inParts }, seenFirst);
    expect((await story.recover()).outcome).toEqual({ kind: 'lost' });
    expect(story.requests()).toEqual([]);
  });
});
