// Each call that the product makes is made once more by the official SDK, to another simulator: both bodies must be equal.
import { createRequire } from 'node:module';
import { afterEach, expect, test } from 'vitest';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { DingTalkApi, DingTalkCall } from '../../playground/dingtalk/types.ts';
import { startBridge, withButtons, type Bridge, type BridgeOptions } from '../support/bridge.ts';
import { app, GROUP, templates } from '../support/dingtalk.ts';
import { png, taking } from '../support/files.ts';
import { fast, words } from '../support/stage.ts';

// The SDK is CommonJS, and its parts are no exports of its package.
const require = createRequire(import.meta.url);
const sdk = (name: string) => require(`@alicloud/dingtalk/dist/${name}/client.js`);
const { Config } = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');
const { cast } = require('@alicloud/tea-typescript');
const card = sdk('card_1_0');
const robot = sdk('robot_1_0');
const oauth2 = sdk('oauth2_1_0');

/** What each call is to the SDK: its module, the method, and the names of its models. */
const CALLS: Partial<Record<DingTalkApi, { of: typeof card; method: string; model: string }>> = {
  createAndDeliver: { of: card, method: 'createAndDeliver', model: 'CreateAndDeliver' },
  deliver: { of: card, method: 'deliverCard', model: 'DeliverCard' },
  streaming: { of: card, method: 'streamingUpdate', model: 'StreamingUpdate' },
  updateCard: { of: card, method: 'updateCard', model: 'UpdateCard' },
  registerCallback: { of: card, method: 'registerCallback', model: 'RegisterCallback' },
  sendToPeople: { of: robot, method: 'batchSendOTO', model: 'BatchSendOTO' },
  sendToGroup: { of: robot, method: 'orgGroupSend', model: 'OrgGroupSend' },
  downloadFile: { of: robot, method: 'robotMessageFileDownload', model: 'RobotMessageFileDownload' },
};

let bridge: Bridge | null = null;
afterEach(async () => {
  await bridge?.close();
  bridge = null;
});

async function start(options: BridgeOptions): Promise<Bridge> {
  bridge = await startBridge({ ...fast(), ...options });
  return bridge;
}

/** Makes these calls by the SDK, in their order, and returns the bodies as they arrived. */
async function throughSdk(calls: readonly DingTalkCall[]): Promise<unknown[]> {
  const { settings } = (bridge as Bridge).dingtalk;
  const other = await createDingTalkSimulator({ ...settings, app });
  try {
    const config = new Config({ protocol: 'http', endpoint: new URL(other.origin).host });
    const asked = new oauth2.GetAccessTokenRequest({ appKey: app.clientId, appSecret: app.clientSecret });
    const { accessToken } = (await new oauth2.default(config).getAccessToken(asked)).body;
    const bodies: unknown[] = [];
    for (const { api, request } of calls) {
      const call = CALLS[api];
      if (!call) throw new Error(`the SDK has no ${api}`);
      const { of, method, model } = call;
      const headers = new of[`${model}Headers`]({ xAcsDingtalkAccessToken: accessToken });
      const body = cast(request, new of[`${model}Request`]());
      const sent = new of.default(config)[`${method}WithOptions`](body, headers, new RuntimeOptions({}));
      // The other simulator knows neither the files nor the sessions: what it answers is not the question here.
      await sent.catch(() => undefined);
      bodies.push(other.calls.at(-1)?.request);
    }
    return bodies;
  } finally {
    await other.close();
  }
}

/** Compares every call of these interfaces, and says which there were. */
async function compare(): Promise<Set<DingTalkApi>> {
  const calls = (bridge as Bridge).dingtalk.calls.filter(({ api }) => api in CALLS);
  const bodies = await throughSdk(calls);
  for (const [index, { api, request }] of calls.entries())
    expect({ api, body: bodies[index] }).toEqual({ api, body: request });
  expect((bridge as Bridge).dingtalk.violations).toEqual([]);
  return new Set(calls.map(({ api }) => api));
}

test('an answer on a card in a group, and presses on it', async () => {
  const { dingtalk, ask, card: cardOf, idle } = await start({ ...withButtons, app: { script: words('ten ', 'days') } });
  await ask({ from: 'staff-1', conversation: GROUP, text: 'how many?' });
  const { outTrackId } = cardOf();
  for (const actionId of ['like', 'new']) await dingtalk.tap({ outTrackId, userId: 'staff-1', actionId });
  await idle();
  const seen = await compare();
  expect([...seen].toSorted()).toEqual(['createAndDeliver', 'registerCallback', 'streaming']);
});

test('a card in a single chat, by union id, with suggestions and an opinion that is not taken', async () => {
  const {
    dingtalk,
    dify,
    ask,
    card: cardOf,
    idle,
  } = await start({
    ...withButtons,
    app: {
      script: words('ten days'),
      parameters: { suggested_questions_after_answer: { enabled: true } },
      suggest: ['and then?'],
    },
  });
  await ask({ from: 'union-3', text: 'how many?' });
  dify.faults.inject({ api: '*', kind: 'reset', times: 20 });
  await dingtalk.tap({ outTrackId: cardOf().outTrackId, userId: 'union-3', actionId: 'like' });
  await idle();
  expect(await compare()).toContain('updateCard');
});

test('a card that is shown by a second call', async () => {
  await start({
    app: { script: words('ten days') },
    dingtalk: { templates: templates(), refusedFields: { names: ['extension'], by: 'delivery' } },
  });
  await (bridge as Bridge).ask({ from: 'staff-1', conversation: GROUP, text: 'how many?' });
  expect(await compare()).toContain('deliver');
});

test('messages of the robot, and a picture that is fetched', async () => {
  const { ask } = await start({
    app: { script: words('seen'), parameters: taking('image') },
    dify: { version: '1.14' },
    env: { FILE_ALONE: 'ask', DINGTALK_CARD_TEMPLATE_ID: '' },
  });
  const late = { sessionWebhookExpiredTime: 1 };
  await ask({ from: 'staff-1', kind: 'picture', file: { name: 'a.png', bytes: png() } }, late);
  await ask({ from: 'staff-1', conversation: GROUP, text: 'how many?' }, late);
  expect([...(await compare())].toSorted()).toEqual(['downloadFile', 'sendToGroup', 'sendToPeople']);
});
