// A tap lands on whichever instance is free; the answer is written by another one.
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { startVendors, withButtons } from '../support/bridge.ts';
import { startInstance, type Instance } from '../support/instance.ts';
import { describeWith } from '../support/require.ts';
import { useStore } from '../support/use-store.ts';

/** An answer that shows what it does, and no text yet. */
const busy = [
  { event: 'node_started', data: { node_id: 'n', node_type: 'llm', title: '检索', inputs: null } },
  ...Array.from({ length: 150 }, (_, index) => ({ afterMs: index === 0 ? 2_500 : 100, text: `w${index + 1} ` })),
];
const talking = Array.from({ length: 150 }, (_, index) => ({ afterMs: 100, text: `w${index + 1} ` }));

describeWith('redis-server', 'a stop on another instance than the one that writes', () => {
  const store = useStore();
  const instances: Instance[] = [];
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((instance) => instance.kill()));
  });

  test.each([
    ['chat', 'talking', talking, 'w2'],
    ['advanced-chat', 'talking', talking, 'w2'],
    ['workflow', 'talking', talking, 'w2'],
    ['advanced-chat', 'busy', busy, '检索'],
  ] as const)(
    'ends a %s that is %s within 5 s, marked as stopped, although Dify notices only after 2 s',
    async (mode, _how, chunks, seen) => {
      await store().clear();
      const { dingtalk, dify, env } = await startVendors(
        {
          app: { mode, script: { chunks } },
          dify: { behaviour: { stopNoticeMs: 2_000 } },
          dingtalk: withButtons.dingtalk,
        },
        systemClock,
      );
      try {
        const settings = { env: { ...env, ...store().env } };
        const [writing, other] = await Promise.all([startInstance(settings), startInstance(settings)]);
        instances.push(writing, other);
        await dingtalk.deliver(writing.url, dingtalk.callback({ from: 'staff-1', text: 'question' }));
        const card = () => [...dingtalk.cards.values()][0];
        await expect.poll(() => card()?.content ?? '').toContain(seen);
        const tappedAt = Date.now();
        const { outTrackId = '' } = card() ?? {};
        const pressed = await dingtalk.tap(
          { outTrackId, userId: 'staff-1', actionId: 'stop', params: { action: 'stop' } },
          { url: other.url },
        );
        expect(pressed.update?.userPrivateData).toMatchObject({ notice: '已收到停止请求。' });
        await expect.poll(() => card()?.content).toContain('（已停止）');
        expect(Date.now() - tappedAt).toBeLessThanOrEqual(5_000);
        expect(card()).toMatchObject({ phase: 'finished' });
        const stops = dify.requests.filter(({ api }) => api === 'stop');
        expect(stops[0]).toMatchObject({ taskId: dify.runs[0]?.taskId, body: { user: 'staff-1' } });
        expect((stops[0]?.at ?? Infinity) - tappedAt).toBeLessThanOrEqual(1_000);
        expect(dify.runs).toMatchObject([{ status: 'stopped' }]);
        expect([...dingtalk.violations, ...dify.violations]).toEqual([]);
      } finally {
        await Promise.all(instances.splice(0).map((instance) => instance.kill()));
        await Promise.all([dingtalk.close(), dify.close()]);
      }
    },
  );
});
