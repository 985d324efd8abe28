// Answers of chats whose stream was lost: only the conversation has them, if at all.
import { describe, expect, test } from 'vitest';
import { sleep } from '../../lib/runtime/clock.ts';
import { configOf } from '../dify/support.ts';
import { loseRun, recoverFrom, withConversations } from './support.ts';

const WHOLE = '第一段。第二段。';
const inParts = { chunks: [{ text: '第一段。' }, { afterMs: 6_000, text: '第二段。' }] };
const seenFirst = (raw: string) => raw.includes('第一段');
const saved = { easyAnswers: 'saved' } as const;
const withoutIds = { ids: {} };

describe('a chat', () => {
  test.each(['chat', 'agent-chat', 'agent'] as const)('whose answer is saved later is waited for: %s', async (mode) => {
    const story = await loseRun(mode, { script: inParts, behaviour: saved }, seenFirst);
    const { outcome, text } = await story.recover();
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
    expect((await story.recover()).outcome).toEqual({ kind: 'lost' });
    const looks = story.requests();
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(looks.length).toBeLessThanOrEqual(5);
    // Each look begins in time; the slack is for a busy machine, whose lateness this clock multiplies.
    expect((looks.at(-1)?.at ?? Infinity) - beganAtMs).toBeLessThan(18_000);
  });

  test('whose model failed is a failed answer, without its words', async () => {
    const ending = { kind: 'failed', message: '[openai] Error code: 429 sk-4711' } as const;
    const story = await loseRun('chat', { script: { ...inParts, ending }, behaviour: saved }, seenFirst);
    const { outcome, text, log } = await story.recover();
    const expected = { kind: 'failed', cause: 'error', upstreamCode: null, status: null };
    expect(outcome).toMatchObject({ answer: { ending: expected } });
    expect(text).toBe(WHOLE);
    expect(JSON.stringify(outcome) + log).not.toMatch(/openai|4711/);
  });

  test('whose model failed before its first word is failed too, not lost', async () => {
    const ending = { kind: 'failed', message: 'secret words' } as const;
    const story = await loseRun('chat', { script: { chunks: [], ending } }, () => false);
    const { outcome, text } = await story.recover();
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
    expect((await recoverFrom(config, story.clock, { ...story.lost, ids })).text).toBe('答 1');
    // Without the message's id, the newest of this question counts.
    const byQuestion = { ...story.lost, ids: { conversationId } };
    expect((await recoverFrom(config, story.clock, byQuestion)).text).toBe('答 2');
  });

  test.each([
    { api: 'messages', kind: 'reset', times: 3 },
    { api: 'messages', kind: 'hang' },
    { api: 'messages', kind: 'http', name: 'nginx-504', times: 2 },
  ] as const)('is asked for again after $kind', async (fault) => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    story.dify.faults.inject(fault);
    expect((await story.recover()).text).toBe(WHOLE);
  });

  test('is not known to be running, so that leaving early gives it up', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    const { outcome } = await story.recover({}, { signal: AbortSignal.timeout(60) });
    expect(outcome).toEqual({ kind: 'lost' });
    expect(story.requests().every(({ endedAt }) => endedAt !== null)).toBe(true);
  });
});

describe('with no ids on record', () => {
  test('the question is found in the conversation that began with it', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    const fetch = await withConversations(story.dify.url, story.dify.runs);
    const { outcome, text } = await story.recover(withoutIds, { fetch });
    expect(text).toBe(WHOLE);
    const { conversationId, messageId } = story.lost.ids;
    expect(outcome).toMatchObject({ answer: { ids: { conversationId, messageId } } });
  });

  test('and where the conversation on record does not have it', async () => {
    const story = await loseRun('chat', { script: inParts, behaviour: saved }, seenFirst);
    const fetch = await withConversations(story.dify.url, story.dify.runs);
    const ids = { conversationId: 'c0ffee00-0000-4000-8000-000000000000' };
    expect((await story.recover({ ids }, { fetch })).text).toBe(WHOLE);
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

  test.each(['workflow', 'completion'] as const)('a %s is lost, without a question to Dify', async (mode) => {
    const story = await loseRun(mode, { script: inParts }, seenFirst);
    const { outcome } = await story.recover(mode === 'workflow' ? withoutIds : {});
    expect(outcome).toEqual({ kind: 'lost' });
    expect(story.requests()).toEqual([]);
  });
});
