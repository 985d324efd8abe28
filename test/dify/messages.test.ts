// What comes after an answer: ratings and suggested questions.
import { describe, expect, onTestFinished, test } from 'vitest';
import { rate, suggestedQuestions } from '../../lib/dify/messages.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { SampleApp } from '../../playground/dify/types.ts';
import { eventually, startDify } from '../playground/support.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { httpOf, json, startServer } from './support.ts';

const user = 'staff-0001';
const never = new AbortController().signal;

async function answered() {
  const started = await startDify({ script: { chunks: [{ text: '好' }] } });
  await started.ask('chat');
  const messageId = started.dify.runs[0]?.messageId ?? '';
  return { ...started, messageId, http: httpOf(started.dify.url, 'app-chat') };
}

describe('a rating', () => {
  test.each(['like', 'dislike', null] as const)('%s reaches the message', async (rating) => {
    const { dify, http, messageId } = await answered();
    await rate(http, { messageId, user, rating: 'like', reason: null });
    await rate(http, { messageId, user, rating, reason: null });
    expect(dify.runs[0]?.rating).toBe(rating);
    expect(dify.violations).toEqual([]);
  });

  test('has its reason for content, until another rating replaces it', async () => {
    const { dify, http, messageId } = await answered();
    await rate(http, { messageId, user, rating: 'dislike', reason: '过时了' });
    expect(dify.runs[0]).toMatchObject({ rating: 'dislike', ratingContent: '过时了' });
    await rate(http, { messageId, user, rating: 'like', reason: null });
    expect(dify.runs[0]).toMatchObject({ rating: 'like', ratingContent: null });
    expect(dify.violations).toEqual([]);
  });

  test.each([
    [{ kind: 'reset' }, 'dify_unreachable'],
    [{ kind: 'hang' }, 'dify_timeout'],
    [{ kind: 'http', name: 'unauthorized' }, 'dify_unauthorized'],
  ] as const)('that meets %j throws %s', async (fault, code) => {
    const { dify, messageId } = await answered();
    const clock = createVirtualClock();
    const http = httpOf(dify.url, 'app-chat', { clock });
    dify.faults.inject({ api: 'feedback', ...fault });
    const before = dify.requests.length;
    const rating = rate(http, { messageId, user, rating: 'like', reason: null }).catch((error: unknown) => error);
    await eventually(() => dify.requests.length > before);
    if (fault.kind === 'hang') await clock.advance(5_000);
    expect(await rating).toMatchObject({ code });
    expect(dify.runs[0]?.rating).toBeNull();
  });

  test('that is taken back twice is taken back, in the words of a real Dify', async () => {
    const { url } = await startServer((_path, response) =>
      json(
        response,
        { code: 'invalid_param', message: 'rating cannot be None when feedback not exists', status: 400 },
        400,
      ),
    );
    await expect(rate(httpOf(url), { messageId: 'm', user, rating: null, reason: null })).resolves.toBeUndefined();
    await expect(rate(httpOf(url), { messageId: 'm', user, rating: 'like', reason: null })).rejects.toMatchObject({
      code: 'dify_rejected',
    });
  });

  test('of somebody else’s message is refused, and a page is no yes', async () => {
    const { http, messageId } = await answered();
    const rating = { messageId, user: 'staff-0002', rating: 'like', reason: null } as const;
    await expect(rate(http, rating)).rejects.toMatchObject({ code: 'dify_rejected' });
    const page = await startServer((_path, response) => response.end('<html>'));
    await expect(rate(httpOf(page.url), rating)).rejects.toMatchObject({
      code: 'dify_server_error',
    });
  });
});

describe('suggested questions', () => {
  async function suggesting(suggest: readonly string[], more: Partial<SampleApp> = {}) {
    const parameters = { suggested_questions_after_answer: { enabled: true } };
    const app: SampleApp = { mode: 'chat', name: 'chat', script: { chunks: [] }, suggest, parameters, ...more };
    const dify = await createDifySimulator({ apps: { key: app } });
    onTestFinished(() => dify.close());
    const body = JSON.stringify({ inputs: {}, user, query: '你好', response_mode: 'streaming' });
    const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
    await (await fetch(`${dify.url}/chat-messages`, { method: 'POST', headers, body })).text();
    const messageId = dify.runs[0]?.messageId ?? '';
    return {
      dify,
      suggested: (clock = systemClock, signal = never) =>
        suggestedQuestions(httpOf(dify.url, 'key', { clock }), { messageId, user }, signal),
    };
  }

  test('are at most three lines of at most 100 characters, each once', async () => {
    const { dify, suggested } = await suggesting([
      ' 一？\n二？ ',
      '长'.repeat(101),
      '',
      '一？ 二？',
      '三？',
      '四？',
      '五？',
    ]);
    expect(await suggested()).toEqual(['一？ 二？', '三？', '四？']);
    expect(dify.violations).toEqual([]);
  });

  test('are none for an app that suggests none', async () => {
    const { suggested } = await suggesting(['一？'], { parameters: {} });
    expect(await suggested()).toEqual([]);
  });

  test('are waited for only so long, and can be given up', async () => {
    const { suggested } = await suggesting(['一？'], { suggestDelayMs: 2_000 });
    const clock = createVirtualClock();
    const late = suggested(clock).catch((error: unknown) => error);
    await clock.advance(10_000);
    expect(await late).toMatchObject({ code: 'dify_timeout' });
    await expect(suggested(systemClock, AbortSignal.abort(new Error('done')))).rejects.toMatchObject({
      code: 'dify_unreachable',
    });
  });

  test('that cannot be read are a failure, and what is no text is left out', async () => {
    const look = async (body: object, status = 200) => {
      const { url } = await startServer((_path, response) => json(response, body, status));
      return suggestedQuestions(httpOf(url), { messageId: 'a/b', user }, never);
    };
    expect(await look({ data: [1, null, 'a?'] })).toEqual(['a?']);
    expect(await look({ data: null })).toEqual([]);
    await expect(look([])).rejects.toMatchObject({ code: 'dify_server_error' });
    await expect(look({ code: 'not_chat_app' }, 400)).rejects.toMatchObject({ code: 'dify_rejected' });
  });
});
