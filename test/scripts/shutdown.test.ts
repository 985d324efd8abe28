// SIGTERM: what runs may finish for 20 s; the rest stays on record for others, or ends with a sentence.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { startVendors } from '../support/bridge.ts';
import { describeWith } from '../support/require.ts';
import { startScript } from '../support/script.ts';
import { startStore } from '../support/store.ts';

describeWith('redis-server', 'npm run serve, told to end in mid-answer', () => {
  test('ends in time; another process completes what is on record, and without a store the card ends', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'shutdown-'));
    const stores = await Promise.all([startStore(), startStore()]);
    const begin = async (mode: 'workflow' | 'chat', store: Record<string, string> = {}) => {
      const chunks = [
        { afterMs: 100, text: 'first words' },
        { afterMs: 30_000, text: ' and the end.' },
      ];
      // A chat is asked once more, and that answer is quick.
      const rest = [{ text: 'first words' }, { text: ' and the end.' }];
      const answer = ({ turn }: { turn: number }) => ({ chunks: mode === 'chat' && turn > 1 ? rest : chunks });
      const vendors = await startVendors({ app: { mode, script: answer } }, systemClock);
      const serve = async () => {
        const env = { ...vendors.env, ...store, PORT: '0', HOST: '127.0.0.1' };
        const { child, ended, output } = startScript('scripts/serve.ts', { cwd: directory, env });
        await expect.poll(output).toContain('Listening');
        return { child, ended, url: /callback address: (\S+)/.exec(output())?.[1] ?? '' };
      };
      const first = await serve();
      await vendors.dingtalk.deliver(first.url, vendors.dingtalk.callback({ from: 'staff-1', text: 'hello' }));
      const card = () => [...vendors.dingtalk.cards.values()][0];
      await expect.poll(() => card()?.content).toBe('first words');
      first.child.kill('SIGTERM');
      expect(await first.ended).toBe(0);
      return { ...vendors, serve, card };
    };
    const [durable, chat, alone] = await Promise.all([
      begin('workflow', stores[0]?.env),
      begin('chat', stores[1]?.env),
      begin('workflow'),
    ]);
    expect(alone.card()).toMatchObject({
      phase: 'failed',
      content: expect.stringMatching(/^first words.*⚠️/s) as string,
    });
    for (const { card } of [durable, chat])
      expect(card()).toMatchObject({ phase: 'typing', content: expect.stringContaining('还在生成') as string });
    // A process that starts sweeps at once.
    const next = await Promise.all([durable.serve(), chat.serve()]);
    await expect.poll(() => durable.card()?.phase).toBe('finished');
    expect(durable.card()?.content).toBe('first words and the end.');
    // The answer of a chatbot ends with its connection, so it is asked for once more.
    await expect.poll(() => chat.card()?.phase).toBe('finished');
    expect(chat.card()?.content).toBe('first words and the end.');
    expect([durable, chat].map(({ dify }) => dify.runs.length)).toEqual([1, 2]);
    for (const { child } of next) child.kill('SIGKILL');
    for (const { dingtalk, dify } of [durable, chat, alone]) await Promise.all([dingtalk.close(), dify.close()]);
    await Promise.all(stores.map((store) => store.close()));
    await rm(directory, { recursive: true, force: true });
  }, 90_000);
});
