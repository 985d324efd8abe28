import { expect, test } from 'vitest';
import { createAiCard, writeFrame } from '../../lib/dingtalk/ai-card.ts';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { robotConfig, senderOf } from '../support/dingtalk.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const { dingtalk: config } = robotConfig();

/** Where DingTalk answers every call with 200 and this body. */
function clientOf(body: string) {
  const fetch = async (url: string) =>
    new Response(url.endsWith('/accessToken') ? JSON.stringify({ accessToken: 't', expireIn: 7200 }) : body);
  return createDingTalkClient(config, fetch, createVirtualClock());
}

const show = (body: string): Promise<void> =>
  writeFrame(clientOf(body), config, 'card-1', { text: 'Hello', state: 'finished', id: 'frame-1' });

const open = (body: string): Promise<void> =>
  createAiCard({
    client: clientOf(body),
    config,
    templateId: 'template-1.schema',
    message: {
      chat: { id: 'cid1', isGroup: true, title: null },
      sender: senderOf(),
    },
    cardId: 'card-1',
    summary: 'Hello',
    question: 'Hello?',
    app: () => 'HR',
    routeKey: async () => null,
    extras: { mayUse: () => false, noteRefused: () => undefined },
    onExtrasRefused: () => undefined,
  }).open();

test.each([
  ['a page of the gateway', '<html>blocked</html>', 'dingtalk_server_error'],
  [
    'the words of the gateway for an address that called too often',
    '{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}',
    'dingtalk_qps',
  ],
  ['a refusal within', '{"success":false}', 'dingtalk_server_error'],
  ['a refusal as its result', '{"success":true,"result":false}', 'dingtalk_server_error'],
])('a frame that was answered by %s was not shown', async (_, body, code) => {
  await expect(show(body)).rejects.toMatchObject({ code });
});

test.each(['{"success":true,"result":true}', '{}', ''])('a frame that was answered by %j was shown', async (body) => {
  await expect(show(body)).resolves.toBeUndefined();
});

test.each([
  '{"success":true,"result":{"outTrackId":"card-1","deliverResults":[{"success":true,"errorMsg":"ok"}]}}',
  '{"success":true,"result":{"outTrackId":"card-1"}}',
])('a card is there after %j', async (body) => {
  await expect(open(body)).resolves.toBeUndefined();
});

test.each([
  '{"success":true,"result":{"deliverResults":[{"success":true},{"success":false,"errorMsg":"spaceId is illegal"}]}}',
  '{"success":true,"result":{"deliverResults":[]}}',
  '{"success":true}',
])('a card is not there after %j', async (body) => {
  await expect(open(body)).rejects.toMatchObject({ code: 'dingtalk_card_undelivered' });
});
