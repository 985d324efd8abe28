// SIGTERM: what runs may finish for 20 s; the rest stays on record for others, or ends with a sentence.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { startVendors } from '../support/bridge.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { describeWith } from '../support/require.ts';
import { createUpstashFront } from '../support/upstash-front.ts';

const script = fileURLToPath(new URL('../../scripts/serve.ts', import.meta.url));

describeWith('redis-server', 'npm run serve, told to end in mid-answer', () => {
  test('ends in time; another process completes what is on record, and without a store the card ends', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'shutdown-'));
    const redis = await startRedisServer();
    const front = await createUpstashFront({ redisPort: redis.port });
    const begin = async (store: Record<string, string>) => {
      const chunks = [
        { afterMs: 100, text: 'first words' },
        { afterMs: 30_000, text: ' and the end.' },
      ];
      const vendors = await startVendors({ app: { mode: 'workflow', script: { chunks } } }, systemClock);
      const serve = async () => {
        const env = { ...vendors.env, ...store, PORT: '0', HOST: '127.0.0.1' };
        const child = spawn(process.execPath, [script], { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] });
        const exited = once(child, 'exit');
        let output = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
        await expect.poll(() => output, { timeout: 10_000 }).toContain('Listening');
        return { child, exited, url: /callback address: (\S+)/.exec(output)?.[1] ?? '' };
      };
      const first = await serve();
      await vendors.dingtalk.deliver(first.url, vendors.dingtalk.callback({ from: 'staff-1', text: 'hello' }));
      const card = () => [...vendors.dingtalk.cards.values()][0];
      await expect.poll(() => card()?.content, { timeout: 10_000 }).toBe('first words');
      first.child.kill('SIGTERM');
      const [code] = (await first.exited) as [number];
      expect(code).toBe(0);
      return { ...vendors, serve, card };
    };
    const [durable, alone] = await Promise.all([
      begin({ UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token }),
      begin({}),
    ]);
    expect(alone.card()).toMatchObject({
      phase: 'failed',
      content: expect.stringMatching(/^first words.*⚠️/s) as string,
    });
    expect(durable.card()).toMatchObject({ phase: 'typing', content: expect.stringContaining('还在生成') as string });
    // A process that starts sweeps at once.
    const second = await durable.serve();
    await expect.poll(() => durable.card()?.phase, { timeout: 25_000 }).toBe('finished');
    expect(durable.card()?.content).toBe('first words and the end.');
    second.child.kill('SIGKILL');
    for (const { dingtalk, dify } of [durable, alone]) await Promise.all([dingtalk.close(), dify.close()]);
    await front.close();
    await redis.close();
    await rm(directory, { recursive: true, force: true });
  }, 90_000);
});
