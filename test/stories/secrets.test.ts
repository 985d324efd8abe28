// Every secret is marked; whatever people, operators and strangers get to see is searched for the mark.
import { describe, expect, test } from 'vitest';
import { createApp } from '../../lib/app.ts';
import { png, taking } from '../support/files.ts';
import { describeWith } from '../support/require.ts';
import { fast, stage, words } from '../support/stage.ts';
import { useStore } from '../support/use-store.ts';

const MARK = 'SEKRIT';
const { start, bridge } = stage();

/** Everything that left the function for people or for the log. Calls to the vendors carry secrets on purpose. */
const seen = (...more: unknown[]) =>
  JSON.stringify([bridge().logs, bridge().dingtalk.messages, bridge().cards(), ...more]);

describeWith('redis-server', 'nothing secret is seen', () => {
  const store = useStore();
  const marked = () => ({
    ...store().env,
    CRON_SECRET: `${MARK}-cron`,
    VERCEL_AUTOMATION_BYPASS_SECRET: `${MARK}-bypass`,
    LOG_LEVEL: 'debug',
    ADMIN_USERS: 'staff-1',
  });
  const options = (key: string) => ({
    dify: {
      apps: {
        [key]: {
          mode: 'chat' as const,
          name: 'helper',
          parameters: taking('image'),
          script: ({ text }: { text: string }) =>
            text === 'fail'
              ? {
                  chunks: [],
                  ending: {
                    kind: 'error' as const,
                    code: 'completion_request_error',
                    status: 400,
                    message: `${key} refused`,
                  },
                }
              : words('yes'),
        },
      },
    },
    dingtalk: { app: { clientId: 'dingclientid0001', clientSecret: `${MARK}-client` } },
    env: { ...marked(), DINGTALK_CLIENT_SECRET: `${MARK}-client`, DIFY_API_KEY: key },
    ...fast(4),
  });

  test('in answers, failures, refusals, files, presses and the status', async () => {
    await start(options(`app-${MARK}-key`));
    const ask = (text: string) => bridge().ask({ from: 'staff-1', text });
    await ask('one');
    await ask('fail');
    await bridge().ask({ from: 'staff-1', kind: 'picture', file: { name: 'a.png', bytes: png() } });
    const [card] = bridge().dingtalk.cards.values();
    const press = { outTrackId: card?.outTrackId ?? '', userId: 'staff-1', actionId: 'like', params: {} };
    const pressed = await bridge().dingtalk.tap(press);
    bridge().dify.faults.inject({ api: 'chat', kind: 'http', name: 'unauthorized' });
    await ask('unauthorized');
    bridge().dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'status', status: 403, code: 'Forbidden' });
    await ask('refused card');
    bridge().dingtalk.invalidateTokens();
    bridge().dingtalk.faults.inject({ api: 'accessToken', kind: 'reset', times: 2 });
    await ask('no token');
    store().front.down = true;
    await ask('no store');
    store().front.down = false;
    const answers = await Promise.all(
      [
        ['?status', `Bearer ${MARK}-cron`],
        ['?status', 'Bearer wrong'],
        ['?sweep', 'Bearer wrong'],
        ['', ''],
      ].map(async ([query, authorization]) => {
        const response = await fetch(`${bridge().url}${query}`, { headers: { authorization: authorization ?? '' } });
        return [response.status, await response.text(), [...response.headers]];
      }),
    );
    const forged = await fetch(bridge().url, { method: 'POST', headers: { timestamp: '1', sign: 'x' }, body: '{}' });
    const everything = seen(answers, await forged.text(), pressed);
    expect(everything.length).toBeGreaterThan(5_000);
    expect(everything).not.toContain(MARK);
    expect(everything).not.toContain(store().env.UPSTASH_REDIS_REST_TOKEN);
    // Access tokens are not ours to choose; the simulator names them.
    const given = bridge().dingtalk.calls.map(({ response }) => (response as { accessToken?: string }).accessToken);
    for (const token of given.filter((value) => value !== undefined)) expect(everything).not.toContain(token);
  });
});

describe('a wrong configuration', () => {
  test('is named without any value', async () => {
    const logs: string[] = [];
    const app = createApp({
      env: {
        DINGTALK_CLIENT_ID: 'id',
        DINGTALK_CLIENT_SECRET: `${MARK}-a,${MARK}-b,${MARK}-c`,
        DIFY_API_KEY: `app-${MARK}`,
        DIFY_API_URL: `ftp://${MARK}`,
        DIFY_INPUTS: `{${MARK}`,
        BOTS: `[{"name":"${MARK}"}]`,
        REDIS_URL: `redis://:${MARK}@host`,
      },
      writeLog: (line) => logs.push(line),
    });
    const response = await app.handle(new Request('http://localhost/api/dingtalk'), {
      waitUntil: () => undefined,
      deadlineMs: null,
    });
    const shown = `${logs.join('\n')}\n${await response.text()}`;
    expect(response.status).toBe(503);
    expect(shown).toContain('DIFY_API_URL');
    expect(shown).not.toContain(MARK);
  });
});
