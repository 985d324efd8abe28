import { expect, test } from 'vitest';
import { writeFrame } from '../../lib/dingtalk/ai-card.ts';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { readConfig } from '../../lib/runtime/config.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const result = readConfig({ DINGTALK_CLIENT_ID: 'ding1', DINGTALK_CLIENT_SECRET: 's', DIFY_API_KEY: 'k' });
const config = result.ok ? result.config.robots[0]?.dingtalk : undefined;
if (!config) throw new Error('the configuration is not complete');

/** Shows a frame on a card, where DingTalk answers with 200 and this body. */
function show(body: string): Promise<void> {
  const fetch = async (url: string) =>
    new Response(url.endsWith('/accessToken') ? JSON.stringify({ accessToken: 't', expireIn: 7200 }) : body);
  const client = createDingTalkClient(config as NonNullable<typeof config>, fetch, createVirtualClock());
  const frame = { text: 'Hello', state: 'finished', id: 'frame-1' } as const;
  return writeFrame(client, config as NonNullable<typeof config>, 'card-1', frame);
}

test.each([
  ['a page of the gateway', '<html>blocked</html>', 'dingtalk_server_error'],
  [
    'the words of the gateway for an address that called too often',
    '{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}',
    'dingtalk_qps',
  ],
  ['a refusal within', '{"success":false}', 'dingtalk_server_error'],
])('a frame that was answered by %s was not shown', async (_, body, code) => {
  await expect(show(body)).rejects.toMatchObject({ code });
});

test.each(['{"success":true,"result":true}', '{}', ''])('a frame that was answered by %j was shown', async (body) => {
  await expect(show(body)).resolves.toBeUndefined();
});
