// Runs of workflows and chatflows whose stream was lost.
import { describe, expect, test } from 'vitest';
import { answerText } from '../../lib/answer/answer.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { readVersion } from '../../lib/dify/version.ts';
import { survivesDisconnect } from '../../lib/dify/runs.ts';
import { renderOutputs } from '../../lib/answer/outputs.ts';
import { configOf } from '../dify/support.ts';
import { eventually } from '../playground/support.ts';
import { loseRun, recoverFrom } from './support.ts';

const WHOLE = '第一段。第二段。第三段。';
const inParts = {
  chunks: [{ text: '第一段。' }, { afterMs: 3_000, text: '第二段。' }, { afterMs: 3_000, text: '第三段。' }],
};
/** A proxy has taken the header away. */
const unknown = readVersion(null, { mode: 'workflow' });
const seenFirst = (raw: string) => raw.includes('第一段') || raw.includes('\\u7b2c');
const outputs = { report: '**两个问题**', items: [{ id: 1, title: '甲' }], empty: null };
const outputsOnly = { chunks: [{ afterMs: 4_000, pause: true as const }], outputs };

describe('a chatflow that was lost in mid-answer', () => {
  test('is followed to its end and read whole, without an earlier text being erased or a later one appended', async () => {
    const { promise: when, resolve: goOn } = Promise.withResolvers<void>();
    const script = { chunks: inParts.chunks.map((chunk, index) => (index === 1 ? { ...chunk, when } : chunk)) };
    const story = await loseRun('advanced-chat', { script }, seenFirst);
    await eventually(() => story.dify.openStreams.length === 0);
    const recovery = story.recover();
    await eventually(() => story.dify.openStreams.length === 1);
    goOn();
    const { outcome, text, progress } = await recovery;
    expect(text).toBe(WHOLE);
    expect(outcome).toMatchObject({ kind: 'answer', answer: { ids: story.lost.ids, ending: { kind: 'complete' } } });
    expect(progress.length).toBeGreaterThan(3);
    expect(progress.map((answer) => answerText(answer).text).join('')).toBe('');
    // Only the message tells what moderation may have replaced.
    expect(story.requests().map(({ api }) => api)).toEqual(['runEvents', 'runDetail', 'messages']);
    expect(story.requests()[0]?.query).toEqual({ user: 'staff-0001', include_state_snapshot: 'true' });
  });

  test('and has ended meanwhile is read from its end; the message adds what only it has', async () => {
    const story = await loseRun('advanced-chat', { script: inParts }, seenFirst);
    await story.over();
    const { outcome, text } = await story.recover();
    expect(text).toBe(WHOLE);
    // The end of a finished run has its run id as task id.
    expect(outcome).toMatchObject({ answer: { ids: story.lost.ids } });
    expect(story.requests().map(({ api }) => api)).toEqual(['runEvents', 'runDetail', 'messages']);
  });

  test('keeps the model’s reasoning apart, once', async () => {
    const chunks = [{ text: '<think>想一想' }, { afterMs: 2_000, text: '</think>' }, { text: '好的。' }];
    const story = await loseRun('advanced-chat', { script: { chunks } });
    const { outcome } = await story.recover();
    expect(outcome.kind === 'answer' && answerText(outcome.answer)).toEqual({ text: '好的。', reasoning: '想一想' });
  });

  test('ends with the text that moderation put in the place of the rest', async () => {
    const chunks = [{ text: '第一段。' }, { afterMs: 2_000, replace: '不便回答。' }];
    const story = await loseRun('advanced-chat', { script: { chunks } }, seenFirst);
    expect((await story.recover()).text).toBe('不便回答。');
  });
});

describe('a workflow', () => {
  test('with outputs only is shown by the rules of every other answer', async () => {
    const story = await loseRun('workflow', { script: outputsOnly });
    const { outcome, text } = await story.recover();
    expect(outcome).toMatchObject({ kind: 'answer', answer: { outputs, ending: { kind: 'complete' } } });
    expect(text).toBe(renderOutputs(outputs));
  });

  test('with streamed text shows its result once', async () => {
    const story = await loseRun('workflow', { script: inParts }, seenFirst);
    expect((await story.recover()).text).toBe(WHOLE);
  });
});

describe('a version without the events route', () => {
  test.each(['workflow', 'advanced-chat'] as const)('is polled, ever less often, until a %s ends', async (mode) => {
    const { promise: when, resolve: end } = Promise.withResolvers<void>();
    const script = { chunks: [{ text: '第一段。' }, { when, text: '第二段。' }] };
    const story = await loseRun(mode, { script, version: '1.13.0' }, seenFirst);
    const times: number[] = [];
    const timed: Fetch = (url, init) => {
      if (url.includes('/workflows/run/')) times.push(story.clock.now());
      return fetch(url, init);
    };
    const recovery = story.recover({}, { fetch: timed });
    await eventually(() => times.length >= 5);
    end();
    expect((await recovery).text).toBe('第一段。第二段。');
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    const floors = [2_000, 3_000, 4_000, 5_000];
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual((floors[index] ?? 5_000) - 50);
    }
    expect(story.requests().filter(({ api }) => api === 'runEvents')).toHaveLength(1);
  });

  test('writes its outputs as a text', async () => {
    const story = await loseRun('advanced-chat', { script: inParts, version: 'legacy' }, seenFirst);
    expect((await story.recover()).text).toBe(WHOLE);
  });

  test('keeps the runs of a chatflow to itself: its message is read, where it was saved', async () => {
    const story = await loseRun('advanced-chat', { script: inParts, version: '1.13.0' }, seenFirst);
    story.dify.faults.inject({ api: 'runDetail', kind: 'http', name: 'not-workflow-app', times: Infinity });
    expect((await story.recover()).text).toBe(WHOLE);
    expect(story.requests().filter(({ api }) => api === 'runDetail')).toHaveLength(1);
  });

  test('and is lost where it was not', async () => {
    const story = await loseRun('advanced-chat', { script: inParts, version: 'legacy' }, seenFirst);
    story.dify.faults.inject({ api: 'runDetail', kind: 'http', name: 'not-workflow-app', times: Infinity });
    expect((await story.recover()).outcome).toEqual({ kind: 'lost' });
  });
});

describe.each(['modern', '1.13.0'] as const)('in %s', (version) => {
  test.each(['workflow', 'advanced-chat'] as const)('a failed %s is a failed answer', async (mode) => {
    const ending = { kind: 'failed', message: '[openai] Error code: 429 sk-4711' } as const;
    const story = await loseRun(mode, { version, script: { ...inParts, ending } }, seenFirst);
    const { outcome, log } = await story.recover();
    const expected = { kind: 'failed', cause: 'run', upstreamCode: null, status: null };
    expect(outcome).toMatchObject({ kind: 'answer', answer: { ending: expected } });
    expect(JSON.stringify(outcome) + log).not.toMatch(/openai|4711/);
  });

  test('a chatflow that waits for a person is paused, with the text until then', async () => {
    const ending = { kind: 'paused', formContent: '同意？', formToken: null } as const;
    const story = await loseRun('advanced-chat', { version, script: { ...inParts, ending } }, seenFirst);
    const { outcome, text } = await story.recover();
    expect(outcome).toMatchObject({ kind: 'answer', answer: { ending: { kind: 'paused' } } });
    expect(text).toBe(WHOLE);
  });

  test('so is one that has waited for a while', async () => {
    const ending = { kind: 'paused', formContent: '同意？', formToken: null } as const;
    const story = await loseRun('advanced-chat', { version, script: { ...inParts, ending } }, seenFirst);
    await story.over();
    const { outcome, text } = await story.recover();
    expect(outcome).toMatchObject({ kind: 'answer', answer: { ending: { kind: 'paused' } } });
    expect(text).toBe(WHOLE);
  });
});

describe('a run that was stopped', () => {
  const script = { chunks: [{ text: '第一段。' }, { afterMs: 600_000, text: '第二段。' }] };
  const stopped = async (version: '1.13.0' | 'modern') => {
    const story = await loseRun('advanced-chat', { version, script }, seenFirst);
    await story.call('app-advanced-chat', 'POST', `/chat-messages/${story.run.taskId}/stop`, { user: 'staff-0001' });
    await story.over();
    const { clock, lost } = story;
    const recover = (signal = new AbortController().signal) =>
      recoverFrom(configOf(story.dify.url, 'app-advanced-chat'), clock, lost, { signal });
    return { clock, recover };
  };

  test('keeps what it had, where its record says so', async () => {
    const { outcome, text } = await (await stopped('1.13.0')).recover();
    expect(outcome).toMatchObject({ kind: 'answer', answer: { ending: { kind: 'stopped' } } });
    expect(text).toBe('第一段。');
  });

  test('is running for ever by its record since 1.14: who knows of the stop ends the search', async () => {
    const { clock, recover } = await stopped('modern');
    const stop = new AbortController();
    clock.schedule(60_000, () => stop.abort());
    expect((await recover(stop.signal)).outcome).toEqual({ kind: 'still-running' });
  });
});

test('only a run goes on without its connection', () => {
  const ids = { runId: 'run-1', messageId: 'message-1', conversationId: 'conversation-1', taskId: 'task-1' };
  const survivors = (['chat', 'agent', 'completion', 'chatflow', 'workflow'] as const).filter((type) =>
    survivesDisconnect(type, ids),
  );
  expect(survivors).toEqual(['chatflow', 'workflow']);
  expect(survivesDisconnect('workflow', { taskId: 'task-1' })).toBe(false);
});

describe('a chatflow that moderation replaced', () => {
  const script = { chunks: inParts.chunks, ending: { kind: 'moderated', text: '不便回答。' } } as const;

  test('is read from its message: its outputs hold what was blocked', async () => {
    const story = await loseRun('advanced-chat', { script, version: '1.14' }, seenFirst);
    const { outcome, text } = await story.recover();
    expect(text).toBe('不便回答。');
    expect(JSON.stringify(outcome)).not.toContain('第二段');
  });

  test('is read from its message at the second try as well', async () => {
    const story = await loseRun('advanced-chat', { script, version: '1.14' }, seenFirst);
    story.dify.faults.inject({ api: 'messages', kind: 'reset', times: 2 });
    expect((await story.recover()).text).toBe('不便回答。');
  });
});

describe('where runs die with their client', () => {
  test.each(['workflow', 'advanced-chat'] as const)(
    'a %s is lost at once, without a question to Dify',
    async (mode) => {
      const story = await loseRun(mode, { script: inParts, version: '0.15' }, seenFirst);
      const { outcome } = await story.recover({ version: readVersion('0.15.3', undefined) });
      expect(outcome).toEqual({ kind: 'lost' });
      expect(story.requests()).toEqual([]);
    },
  );

  test('and no answer tells the version, a run that is running a minute after its last event is lost', async () => {
    const story = await loseRun('workflow', { script: inParts, version: '0.15' }, seenFirst);
    const lastEventAtMs = story.clock.now();
    const { outcome } = await story.recover({ version: unknown, lastEventAtMs });
    expect(outcome).toEqual({ kind: 'lost' });
    const looks = story.requests().filter(({ api }) => api === 'runDetail');
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(story.clock.now() - lastEventAtMs).toBeGreaterThanOrEqual(60_000);
    expect(story.clock.now() - lastEventAtMs).toBeLessThan(90_000);
  });

  test('and no answer tells the version, a run that ends within that minute is found', async () => {
    const script = { chunks: [{ text: '第一段。' }, { afterMs: 40_000, text: '第二段。' }] };
    const story = await loseRun('workflow', { script, version: '1.12' }, seenFirst);
    expect((await story.recover({ version: unknown })).text).toBe('第一段。第二段。');
  });

  test('a run of nulls is one that Dify does not know', async () => {
    const story = await loseRun('workflow', { script: inParts, version: '0.15' }, seenFirst);
    const ids = { runId: 'c0ffee00-0000-4000-8000-000000000000' };
    expect((await story.recover({ ids })).outcome).toEqual({ kind: 'lost' });
    expect(story.requests().map(({ api }) => api)).toEqual(['runEvents', 'runDetail', 'runDetail', 'runDetail']);
  });
});

describe('a run whose worker died', () => {
  const ending = { kind: 'worker-lost' } as const;
  const script = { chunks: [{ text: '第一段。' }], ending };

  test('is believed for 25 minutes', async () => {
    const story = await loseRun('workflow', { script, version: '1.14' }, seenFirst);
    const soon = { askedAtMs: story.clock.now() - 1_470_000 };
    expect((await story.recover(soon)).outcome).toEqual({ kind: 'lost' });
    expect(story.clock.now() - soon.askedAtMs).toBeGreaterThan(1_500_000);
    expect(story.clock.now() - soon.askedAtMs).toBeLessThan(1_560_000);
  });

  test('shows no sign of life, although Dify tells its past each time', async () => {
    const story = await loseRun('advanced-chat', { script, version: '1.14' }, seenFirst);
    const { alive, progress } = await story.recover({ askedAtMs: story.clock.now() - 1_470_000 });
    expect(progress.length).toBeGreaterThan(1);
    expect(alive).toBe(0);
  });
});

describe('a workflow whose run id was not heard', () => {
  const withoutIds = { ids: {} };

  test('is found in the list of its user’s runs, and followed to its end', async () => {
    const story = await loseRun('workflow', { script: inParts, version: '1.14' }, seenFirst);
    await story.ask('workflow', { inputs: { query: '别的问题' } });
    const config = configOf(story.dify.url, 'app-workflow');
    const { outcome, text } = await recoverFrom(config, story.clock, { ...story.lost, ...withoutIds });
    expect(text).toBe(WHOLE);
    expect(outcome).toMatchObject({ answer: { ids: { runId: story.run.workflowRunId } } });
    expect(story.requests().find(({ api }) => api === 'runList')?.query).toEqual({
      created_by_end_user_session_id: 'staff-0001',
      limit: '5',
    });
  });

  test.each([
    ['the run of somebody else', { user: 'staff-0002' }],
    ['an earlier run', { askedAtMs: Date.now() + 60_000 }],
    ['the run of another question', { question: '再见' }],
  ])('%s is not taken for it', async (_, changes) => {
    const story = await loseRun('workflow', { script: inParts, version: '1.14' }, seenFirst);
    expect((await story.recover({ ...withoutIds, ...changes })).outcome).toEqual({ kind: 'lost' });
    expect(story.requests().filter(({ api }) => api === 'runList')).toHaveLength(6);
  });

  test('is lost where two runs may be it', async () => {
    const story = await loseRun('workflow', { script: inParts, version: '1.14' }, seenFirst);
    await story.ask('workflow');
    const config = configOf(story.dify.url, 'app-workflow');
    const { outcome } = await recoverFrom(config, story.clock, { ...story.lost, ...withoutIds });
    expect(outcome).toEqual({ kind: 'lost' });
  });
});
