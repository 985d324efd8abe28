// What may go wrong while the answer of a lost run is looked for, and leaving early.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readVersion } from '../../lib/dify/version.ts';
import { answerText } from '../../lib/answer/answer.ts';
import type { LostRun } from '../../lib/recovery/search.ts';
import { renderOutputs } from '../../lib/answer/outputs.ts';
import { configOf, json, startServer } from '../dify/support.ts';
import { loseRun, newClock, recoverFrom } from './support.ts';

const WHOLE = '第一段。第二段。';
const inParts = { chunks: [{ text: '第一段。' }, { afterMs: 4_000, text: '第二段。' }] };
const seenFirst = (raw: string) => raw.includes('第一段');
const outputs = { report: '**两个问题**', items: [{ id: 1, title: '甲' }] };
const outputsOnly = { chunks: [{ afterMs: 4_000, pause: true as const }], outputs };

describe('trouble on the way', () => {
  const trouble = [
    { api: 'runEvents', kind: 'reset' },
    { api: 'runEvents', kind: 'hang' },
    { api: 'runEvents', kind: 'http', name: 'nginx-504' },
    { api: 'runEvents', kind: 'http', name: 'chat-blocking' },
    { api: 'runEvents', kind: 'cut', afterBytes: 900 },
    { api: 'runEvents', kind: 'cut', afterBytes: 0 },
    { api: 'runEvents', kind: 'stall', afterBytes: 900 },
    { api: 'runDetail', kind: 'reset', times: 4 },
    { api: 'runDetail', kind: 'hang' },
    { api: 'runDetail', kind: 'http', name: 'internal-server-error', times: 2 },
    { api: 'runDetail', kind: 'http', name: 'cloudflare-1015', times: 2 },
    { api: 'runDetail', kind: 'http', name: 'run-not-found', times: 2 },
    { api: '*', kind: 'reset', times: 5 },
  ] as const;

  test.each(trouble)('$api: $kind costs time only', async (fault) => {
    const story = await loseRun('advanced-chat', { script: inParts }, seenFirst);
    story.dify.faults.inject(fault);
    expect((await story.recover()).text).toBe(WHOLE);
  });

  test('a message that cannot be read takes nothing from the answer of its run', async () => {
    const story = await loseRun('advanced-chat', { script: inParts }, seenFirst);
    await story.over();
    story.dify.faults.inject({ api: 'messages', kind: 'reset', times: 3 });
    expect((await story.recover()).text).toBe(WHOLE);
    expect(story.requests().at(-1)).toMatchObject({ api: 'messages', fault: 'reset' });
  });

  test('an error in the events is not the end of a run that goes on', async () => {
    const script = { chunks: [{ text: '第一段。' }, { afterMs: 20_000, text: '第二段。' }] };
    const story = await loseRun('workflow', { script }, seenFirst);
    const message = 'secret words';
    story.dify.faults.inject({
      api: 'runEvents',
      kind: 'error-frame',
      code: 'internal_server_error',
      message,
      times: 2,
    });
    const { text, log } = await story.recover();
    expect(text).toBe(WHOLE);
    expect(log).not.toContain(message);
  });

  test('an end that nobody confirms is believed', async () => {
    const story = await loseRun('workflow', { script: outputsOnly });
    story.dify.faults.inject({ api: 'runDetail', kind: 'reset', times: Infinity });
    const { outcome, text } = await story.recover();
    expect(outcome).toMatchObject({ answer: { ending: { kind: 'complete' } } });
    expect(text).toBe(renderOutputs(outputs));
    expect(story.requests().filter(({ api }) => api === 'runDetail')).toHaveLength(3);
  });

  test('a wrong user is refused the events, but not the detail', async () => {
    const story = await loseRun('workflow', { script: inParts }, seenFirst);
    expect((await story.recover({ user: 'staff-0002' })).text).toBe(WHOLE);
  });

  test('a run that nobody knows is lost', async () => {
    const story = await loseRun('workflow', { script: inParts }, seenFirst);
    expect((await story.recover({ ids: { runId: '00000000-0000-4000-8000-000000000000' } })).outcome).toEqual({
      kind: 'lost',
    });
    expect(story.requests().map(({ api }) => api)).toEqual(['runEvents', 'runDetail', 'runDetail', 'runDetail']);
  });

  test('a key that is not valid any more: lost, with its code in the log', async () => {
    const story = await loseRun('workflow', { script: inParts }, seenFirst);
    const { outcome, log } = await recoverFrom(configOf(story.dify.url, 'app-gone'), story.clock, story.lost);
    expect(outcome).toEqual({ kind: 'lost' });
    expect(log).toContain('"event":"recovery_refused","turn":"3f9a1c07","code":"dify_unauthorized","status":401');
  });
});

describe('leaving early', () => {
  const endless = { chunks: [{ text: '第一段。' }, { afterMs: 600_000, text: '第二段。' }] };

  test.each([
    ['while it listens', 'modern'],
    ['while it polls', '1.13.0'],
  ] as const)('%s leaves the run running and no connection open', async (_when, version) => {
    const story = await loseRun('workflow', { script: endless, version }, seenFirst);
    const beganAt = performance.now();
    const { outcome } = await story.recover({}, { signal: AbortSignal.timeout(50) });
    // Not only when the run has been quiet for a while.
    expect(performance.now() - beganAt).toBeLessThan(350);
    expect(outcome).toEqual({ kind: 'still-running' });
    expect(story.run.status).toBe('running');
    expect(story.requests().every(({ endedAt }) => endedAt !== null)).toBe(true);
  });

  test('while nothing can be reached, a run on record counts as running, but not for ever', async () => {
    const story = await loseRun('workflow', { script: endless }, seenFirst);
    await story.dify.close();
    const signal = () => AbortSignal.timeout(250);
    expect((await story.recover({}, { signal: signal() })).outcome).toEqual({ kind: 'still-running' });
    const askedAtMs = story.clock.now() - 3_700_000;
    expect((await story.recover({ askedAtMs }, { signal: signal() })).outcome).toEqual({ kind: 'lost' });
  });

  test('before it began asks nothing', async () => {
    const story = await loseRun('workflow', { script: endless }, seenFirst);
    const { outcome } = await story.recover({}, { signal: AbortSignal.abort() });
    expect(outcome).toEqual({ kind: 'still-running' });
    expect(story.requests()).toEqual([]);
  });
});

describe('what the sample Dify does not do', () => {
  const lost: LostRun = {
    type: 'chatflow',
    user: 'staff-0001',
    question: '你好',
    reference: '3f9a1c07',
    isTypeKnown: true,
    askedAtMs: Date.now(),
    lastEventAtMs: Date.now(),
    ids: { runId: 'run-1' },
    version: readVersion('1.14.2', undefined),
  };
  const notFound = { code: 'not_found', message: 'gone', status: 404 };

  test('statuses of every kind: those that are not an end are waited out', async () => {
    const rest = ['scheduled', 'running', 'hibernating', 'partial-succeeded'];
    const { url } = await startServer((path, response) => {
      if (path.endsWith('/events')) json(response, notFound, 404);
      else json(response, { status: rest.shift(), outputs: { answer: '好。', files: [] }, total_tokens: 7 });
    });
    const { outcome, text } = await recoverFrom(configOf(url), newClock(), lost);
    expect(outcome).toMatchObject({ answer: { totalTokens: 7, ending: { kind: 'complete' } } });
    expect([text, rest]).toEqual(['好。', []]);
  });

  test('a run that is resumed: the saved text is kept, what follows is not appended to it', async () => {
    const recorded = readFileSync(new URL('../fixtures/dify/events-resume-chatflow-snapshot.sse', import.meta.url));
    const whole = 'I need an approval. Refund sent.';
    const { url } = await startServer((path, response) => {
      if (path.endsWith('/events')) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(recorded);
      else json(response, { status: 'succeeded', outputs: { answer: whole } });
    });
    const { text, progress } = await recoverFrom(configOf(url), newClock(), lost);
    expect(text).toBe(whole);
    expect(answerText(progress.at(-1) ?? expect.fail('no progress')).text).toBe('I need an approval.');
  });

  test('an empty text of a snapshot does not erase what was saved', async () => {
    const replacements = ['已存。', ''];
    const statuses = ['running', 'running', 'failed'];
    const { url } = await startServer((path, response) => {
      const answer = path.endsWith('/events') ? replacements.shift() : undefined;
      if (!path.endsWith('/events')) json(response, { status: statuses.shift(), outputs: {} });
      else if (answer === undefined) json(response, notFound, 404);
      else {
        const data = JSON.stringify({ event: 'message_replace', answer, reason: '' });
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`event: ping\n\ndata: ${data}\n\n`);
      }
    });
    expect((await recoverFrom(configOf(url), newClock(), lost)).text).toBe('已存。');
  });

  test('a detail that lags behind an end is asked again, and then not believed', async () => {
    const end = { event: 'workflow_finished', task_id: 'run-1', workflow_run_id: 'run-1' };
    const data = { status: 'succeeded', outputs: { answer: '好。' } };
    const { url, paths } = await startServer((path, response) => {
      if (path.endsWith('/events')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        // It stays open, as with `continue_on_pause`.
        response.write(`event: ping\n\ndata: ${JSON.stringify({ ...end, data })}\n\n`);
      } else json(response, { status: 'running', outputs: '{}' });
    });
    expect((await recoverFrom(configOf(url), newClock(), lost)).text).toBe('好。');
    expect(paths.filter((path) => path.includes('/workflows/'))).toHaveLength(3);
  });

  test('a run that stays “running” for ever is given up', async () => {
    const { url } = await startServer((path, response) => {
      if (path.endsWith('/events')) json(response, notFound, 404);
      else json(response, { status: 'running', outputs: '{}' });
    });
    const stuck = { ...lost, askedAtMs: Date.now() - 3_700_000 };
    expect((await recoverFrom(configOf(url), newClock(), stuck)).outcome).toEqual({ kind: 'lost' });
  });

  test('redirects and pages of a proxy: not followed, and not believed', async () => {
    const elsewhere = await startServer((_path, response) => json(response, { status: 'succeeded', outputs: {} }));
    const redirecting = await startServer((_path, response) => {
      response.writeHead(302, { location: elsewhere.url }).end();
    });
    expect((await recoverFrom(configOf(redirecting.url), newClock(), lost)).outcome).toEqual({ kind: 'lost' });
    expect(elsewhere.paths).toEqual([]);
    let pages = 3;
    const page = await startServer((path, response) => {
      pages -= 1;
      if (pages > 0) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>restarting</html>');
      else if (path.endsWith('/events')) json(response, notFound, 404);
      else json(response, { status: 'succeeded', outputs: { answer: '好。' } });
    });
    expect((await recoverFrom(configOf(page.url), newClock(), lost)).text).toBe('好。');
  });
});
