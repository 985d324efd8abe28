// What an operator sees: counts and codes, behind the secret, and nothing of people or chats.
import { describe, expect, test } from 'vitest';
import { useStore } from '../support/use-store.ts';
import { describeWith } from '../support/require.ts';
import { door, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();
const CRON_SECRET = 'cron-secret-of-the-operator';

const ask = (path = '', authorization: string | null = `Bearer ${CRON_SECRET}`) =>
  fetch(`${bridge().url}${path}?status`, { headers: authorization === null ? {} : { authorization } });

const telling = () => {
  let count = 0;
  return () => {
    count += 1;
    return count === 1 ? { chunks: [], ending: { kind: 'failed' as const, message: 'secret words' } } : words('yes');
  };
};

describe('the status', () => {
  test.each([null, 'Bearer wrong', `Basic ${CRON_SECRET}`])('is closed to %s', async (authorization) => {
    await start({ env: { CRON_SECRET } });
    expect((await ask('', authorization)).status).toBe(401);
  });

  test('is closed where no secret is set', async () => {
    await start();
    expect((await ask('', 'Bearer ')).status).toBe(401);
  });

  test('tells what was answered, what it cost and what failed, robots apart', async () => {
    await start({
      app: { script: telling() },
      env: {
        CRON_SECRET,
        DINGTALK_MONTHLY_CALLS: '5000',
        BOTS: JSON.stringify([{ name: 'hr', dingtalkClientId: 'other-client', dingtalkClientSecret: 'other-secret' }]),
      },
    });
    await bridge().ask({ from: 'staff-1', text: 'what do I earn?' });
    await bridge().ask({ from: 'staff-1', text: 'and now?' });
    const response = await ask();
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = await response.text();
    const { robots } = JSON.parse(body) as { robots: Record<string, unknown>[] };
    expect(robots).toEqual([
      {
        robot: null,
        running: 0,
        waiting: 0,
        callsThisMonth: bridge().dingtalk.calls.filter(({ api }) => api === 'createAndDeliver' || api === 'streaming')
          .length,
        monthlyCalls: 5_000,
        lastCallback: expect.stringMatching(/^\d{4}-.*Z$/u) as string,
        callbacks: [
          { door, last: expect.stringMatching(/Z$/u) as string, clockOffsetMs: expect.any(Number) as number },
        ],
        lastSweep: null,
        failures: [{ code: 'dify_model_failed', count: 1, last: expect.stringMatching(/Z$/u) as string }],
        ...(door === 'stream'
          ? { stream: { openSince: expect.stringMatching(/Z$/u) as string, remade: 0, failure: null } }
          : {}),
      },
      expect.objectContaining({ robot: 'hr', callsThisMonth: 0, lastCallback: null, failures: [] }),
    ]);
    expect(body).not.toMatch(/staff-1|earn|cid|dingclient|other-client|secret/u);
    const only = (await (await ask('/hr')).json()) as { robots: unknown[] };
    expect(only.robots).toHaveLength(1);
  });
});

describeWith('redis-server', 'the status while the store is away', () => {
  const store = useStore();

  test('says so', async () => {
    await start({ env: { CRON_SECRET, ...store().env } });
    store().front.down = true;
    const response = await ask();
    expect([response.status, await response.text()]).toEqual([503, 'the store cannot be reached\n']);
    store().front.down = false;
  });
});
