// The function as it is deployed: built by the platform's builder and loaded from a copy outside the repository.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { buildArtifact, type Artifact } from '../support/artifact.ts';
import { GROUP, startVendors } from '../support/bridge.ts';
import { startFunction } from '../support/function-process.ts';
import { describeWith } from '../support/require.ts';
import { words } from '../support/stage.ts';
import { startStore } from '../support/store.ts';

let artifact: Artifact;
beforeAll(async () => {
  artifact = await buildArtifact();
});
afterAll(() => artifact.remove());

describeWith('redis-server', 'the built function', () => {
  test('plays the whole story: probe, group question, single question, redelivery, commands', async () => {
    const store = await startStore();
    const { dingtalk, dify, env } = await startVendors({ app: { script: words('Hello ', '**there**') } }, systemClock);
    const instance = await startFunction({ artifact, env: { ...env, ...store.env, VERCEL: '1' } });
    try {
      const url = `${instance.url}/api/dingtalk`;
      expect((await fetch(url, { method: 'POST' })).status).toBe(200);
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);

      const first = dingtalk.callback({ from: 'staff-2', conversation: GROUP, text: '你好' });
      expect(await dingtalk.deliver(url, first)).toMatchObject({ status: 200, body: '{"msgtype":"empty"}' });
      await dingtalk.deliver(url, first);
      await dingtalk.deliver(url, dingtalk.callback({ from: 'staff-1', text: 'again' }));
      await dingtalk.deliver(url, dingtalk.callback({ from: 'staff-1', text: '/help' }));
      await instance.drain();

      expect([...dingtalk.cards.values()].map(({ phase, content }) => `${phase}: ${content}`)).toEqual([
        'finished: Hello **there**',
        'finished: Hello **there**',
      ]);
      expect(dingtalk.messages).toMatchObject([{ text: expect.stringContaining('/new') as string }]);
      expect(dify.runs).toHaveLength(2);
      expect(dingtalk.violations).toEqual([]);
      expect(instance.logs.every((line) => line.startsWith('{'))).toBe(true);
    } finally {
      await instance.kill('SIGKILL');
      await Promise.all([dingtalk.close(), dify.close(), store.close()]);
    }
  });
});

describe('what is deployed', () => {
  test('holds neither the in-process store nor the TCP client: Vercel uses neither', async () => {
    const map: { sources: string[] } = JSON.parse(
      await readFile(join(artifact.directory, 'dist/function.js.map'), 'utf8'),
    );
    expect(map.sources).toContain('../lib/state/redis/upstash.ts');
    expect(map.sources.filter((file) => /lib\/state\/(?:memory\/|redis\/tcp)|@redis\/client/u.test(file))).toEqual([]);
  });
});

describe('the built function without its configuration', () => {
  test('answers 503 with everything that is wrong at once', async () => {
    const instance = await startFunction({ artifact, env: { VERCEL: '1', DIFY_API_URL: 'nonsense' } });
    try {
      const response = await fetch(`${instance.url}/api/dingtalk`, { method: 'POST' });
      expect(response.status).toBe(503);
      const text = await response.text();
      for (const name of [
        'DINGTALK_CLIENT_ID',
        'DINGTALK_CLIENT_SECRET',
        'DIFY_API_KEY',
        'DIFY_API_URL',
        'UPSTASH_REDIS_REST_URL',
      ]) {
        expect(text).toContain(name);
      }
      expect(text).not.toContain('nonsense');
    } finally {
      await instance.kill('SIGKILL');
    }
  });
});
