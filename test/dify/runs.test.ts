import { describe, expect, test } from 'vitest';
import type { AppType } from '../../lib/config/robot.ts';
import { stopRun } from '../../lib/dify/runs.ts';
import type { SampleApp } from '../../playground/dify/types.ts';
import { eventually, startDify } from '../playground/support.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { httpOf, startServer } from './support.ts';

const endless = { chunks: [{ text: '前半' }, { afterMs: 60_000, text: '后半' }] };
const user = 'staff-0001';

describe('stopping a run', () => {
  test.each<[AppType, SampleApp['mode'], string]>([
    ['chat', 'chat', 'chat-messages'],
    ['agent', 'agent-chat', 'chat-messages'],
    ['agent', 'agent', 'chat-messages'],
    ['chatflow', 'advanced-chat', 'chat-messages'],
    ['workflow', 'workflow', 'workflows/tasks'],
    ['completion', 'completion', 'completion-messages'],
  ])('of a %s (%s) ends its stream', async (type, mode, place) => {
    const { dify, ask } = await startDify({ script: endless, behaviour: { stopNoticeMs: 20 } });
    const reading = ask(mode);
    await eventually(() => dify.runs[0]?.answer === '前半');
    const taskId = dify.runs[0]?.taskId ?? '';
    await stopRun(httpOf(dify.url, `app-${mode}`), { type, user, taskId });
    expect((await reading).broke).toBeNull();
    expect(dify.runs[0]).toMatchObject({ status: 'stopped', answer: '前半' });
    expect(dify.requests.at(-1)).toMatchObject({ path: `/v1/${place}/${taskId}/stop`, body: { user } });
    expect(dify.violations).toEqual([]);
  });

  test('of a chat by somebody else, or of an unknown task, changes nothing and says nothing', async () => {
    const { dify, ask } = await startDify({
      script: { chunks: [{ text: '前半' }, { afterMs: 100, text: '后半' }] },
      behaviour: { stopNoticeMs: 1 },
    });
    const http = httpOf(dify.url, 'app-chat');
    const reading = ask('chat');
    await eventually(() => dify.runs.length === 1);
    const taskId = dify.runs[0]?.taskId ?? '';
    await stopRun(http, { type: 'chat', user: 'staff-0002', taskId });
    await stopRun(http, { type: 'chat', user, taskId: 'a/b?c' });
    expect(dify.requests.at(-1)).toMatchObject({ api: 'stop', path: '/v1/chat-messages/a%2Fb%3Fc/stop' });
    await reading;
    expect(dify.runs[0]).toMatchObject({ status: 'succeeded', answer: '前半后半' });
  });
});

describe('a request to stop that does not get through', () => {
  const task = { type: 'chat', user, taskId: 'task-1' } as const;

  test.each([
    [{ kind: 'reset' }, 'dify_unreachable'],
    [{ kind: 'hang' }, 'dify_timeout'],
    [{ kind: 'http', name: 'unauthorized' }, 'dify_unauthorized'],
    [{ kind: 'http', name: 'nginx-504' }, 'dify_timeout'],
    [{ kind: 'http', name: 'internal-server-error' }, 'dify_server_error'],
  ] as const)('%j throws %s, once', async (fault, code) => {
    const { dify } = await startDify();
    dify.faults.inject({ api: 'stop', ...fault });
    const clock = createVirtualClock();
    const stopping = stopRun(httpOf(dify.url, 'app-chat', { clock }), task).catch((error: unknown) => error);
    await eventually(() => dify.requests.length === 1);
    if (fault.kind === 'hang') await clock.advance(5_000);
    expect(await stopping).toMatchObject({ name: 'BridgeError', code });
    expect(dify.requests).toHaveLength(1);
  });

  test('follows no redirect and takes no page for a yes', async () => {
    const elsewhere = await startServer((_path, response) => response.end('{"result":"success"}'));
    const redirecting = await startServer((_path, response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    await expect(stopRun(httpOf(redirecting.url), task)).rejects.toMatchObject({
      code: 'dify_not_a_stream',
    });
    expect(elsewhere.paths).toEqual([]);
    const page = await startServer((_path, response) => response.end('<html>login</html>'));
    await expect(stopRun(httpOf(page.url), task)).rejects.toMatchObject({
      code: 'dify_server_error',
    });
  });
});
