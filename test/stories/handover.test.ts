// An answer that takes longer than an invocation may.
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { listenOnLoopback } from '../support/loopback.ts';
import { fast, stage } from '../support/stage.ts';

const CRON_SECRET = 'cron-secret';

describe('before the time is up', () => {
  const { start, bridge } = stage();
  const workflow = (seconds: number) => ({
    mode: 'workflow' as const,
    script: {
      chunks: Array.from({ length: seconds }, (_, index) => ({ afterMs: 1_000, text: `${index + 1} ` })),
    },
  });
  const whole = (seconds: number) => Array.from({ length: seconds }, (_, index) => index + 1).join(' ');
  const limit = { FUNCTION_MAX_DURATION_S: '12', CRON_SECRET };

  test('a workflow of 40 s goes through invocations of 12 s into one complete card', async () => {
    await start({ app: workflow(40), env: limit, ...fast(8) });
    await bridge().ask('long');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: whole(40) });
    expect(bridge().dify.runs).toHaveLength(1);
    const resumed = bridge()
      .logs.filter(({ event }) => event === 'turn_taken_over')
      .map(({ hop }) => Number(hop));
    expect(resumed).toEqual(resumed.map((_, index) => index + 1));
    expect([3, 4]).toContain(resumed.length);
    const held = bridge().dify.requests.filter(({ api }) => api === 'workflow' || api === 'runEvents');
    // The last stream is read on for a moment after the answer.
    await expect.poll(() => held.every(({ endedAt }) => endedAt !== null)).toBe(true);
    for (const { at, endedAt } of held) expect((endedAt ?? Infinity) - at).toBeLessThan(13_000);
  });

  test('text that was shown before is never shown twice, and the card says that it goes on', async () => {
    await start({ app: workflow(20), env: limit, ...fast(8) });
    await bridge().ask('long');
    const contents = bridge()
      .card()
      .frames.map(({ content }) => content);
    expect(contents.some((content) => content.includes('还在生成'))).toBe(true);
    const texts = contents.filter((content) => !content.startsWith('⏳ 正在执行'));
    for (const content of texts) expect(whole(20).startsWith(content.split('\n')[0]?.trim() ?? '')).toBe(true);
    expect(contents.at(-1)).toBe(whole(20));
  });

  test.each([508, 401, null])(
    'where every hop is refused (%j), one sweep afterwards completes the card',
    async (status) => {
      const refusing = createServer((_, response) => {
        if (status !== null) response.writeHead(status).end();
      });
      const port = await listenOnLoopback(refusing);
      await start({ app: workflow(18), env: { ...limit, PUBLIC_URL: `http://127.0.0.1:${port}` }, ...fast(8) });
      await bridge().ask('long');
      expect(bridge().card()).toMatchObject({
        phase: 'typing',
        content: expect.stringContaining('还在生成') as string,
      });
      await expect.poll(() => bridge().dify.runs[0]?.status).toBe('succeeded');
      const response = await fetch(`${bridge().url}?sweep`, { headers: { authorization: `Bearer ${CRON_SECRET}` } });
      expect(await response.json()).toEqual({ overdue: 1, takenOver: 1 });
      await bridge().idle();
      expect(bridge().card()).toMatchObject({ phase: 'finished', content: whole(18) });
      refusing.closeAllConnections();
      refusing.close();
    },
  );

  test('an answer that ends with its connection ends with its text and a sentence', async () => {
    await start({ app: { ...workflow(30), mode: 'chat' }, env: limit, ...fast(8) });
    await bridge().ask('long');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringMatching(/^1 2 3.*超出了限制/s) as string,
    });
  });

  test('a forged, old or repeated handover changes nothing', async () => {
    await start({ app: workflow(3), env: limit, ...fast(2) });
    const body = JSON.stringify({ turnId: 'x', claim: 1, hop: 1 });
    const headers = {
      'content-type': 'application/json',
      'x-bridge-timestamp': String(Date.now()),
      'x-bridge-signature': 'x',
    };
    expect((await fetch(`${bridge().url}?resume`, { method: 'POST', body, headers })).status).toBe(401);
    expect((await fetch(`${bridge().url}?resume`, { method: 'POST', body })).status).toBe(401);
  });
});

describe('a run whose worker has died', () => {
  const { start, bridge } = stage();
  const ending = { kind: 'worker-lost' } as const;

  test.each(['workflow', 'advanced-chat'] as const)(
    'ends with its text two minutes after its last event, once a question waits behind it: a %s',
    async (mode) => {
      const script = ({ text }: { text: string }) =>
        text === 'first' ? { chunks: [{ text: 'so far' }], ending } : { chunks: [{ text: 'second answer' }] };
      await start({ app: { mode, script }, dify: { version: '1.14' }, ...fast(40) });
      await bridge().send('first');
      const cards = () => [...bridge().dingtalk.cards.values()];
      // The stream of a dead run is silent; its events only ping.
      await expect.poll(() => cards()[0]?.content ?? '', { timeout: 15_000 }).toMatch(/^so far.*还在生成.*停止/s);
      const askedAtMs = bridge().dify.runs[0]?.startedAt ?? 0;
      await bridge().ask('second');
      expect(cards()[0]).toMatchObject({
        phase: 'failed',
        content: expect.stringMatching(/^so far.*可能不完整/s) as string,
      });
      const tookMs = (cards()[0]?.endedAt ?? Infinity) - askedAtMs;
      expect(tookMs).toBeGreaterThan(115_000);
      expect(tookMs).toBeLessThan(160_000);
      expect(cards()[1]).toMatchObject({ phase: 'finished', content: '> second\n\nsecond answer' });
      expect(bridge().dify.runs).toHaveLength(2);
    },
  );
});
