// `npm run dev:stream` as its own process, against a simulated gateway of Stream mode.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createStreamGateway, streamTopics, type StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import { startHost } from '../../scripts/host.ts';
import { startVendors, withButtons, type BridgeOptions } from '../support/bridge.ts';
import { startScript } from '../support/script.ts';
import { words } from '../support/stage.ts';

/** For what takes a process, or a second that somebody waits before trying again. */
const SOON = { timeout: 30_000, interval: 50 };
const CLIENT_ID = 'dingclientid0001';
const CLIENT_SECRET = 'client-secret-1';

/** What has to end with the test, the newest first. */
let endings: (() => Promise<unknown>)[] = [];
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dev-stream-'));
  endings = [() => rm(directory, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const end of endings.toReversed()) await end();
});

async function startWorld(options: BridgeOptions = {}, pick?: (count: number) => number) {
  const gateway = await createStreamGateway({
    app: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
    ...(pick ? { pick } : {}),
  });
  const { dingtalk, dify, env } = await startVendors(
    { ...options, dingtalk: { ...withButtons.dingtalk, stream: gateway } },
    systemClock,
  );
  endings.push(() => Promise.all([dingtalk.close(), dify.close(), gateway.close()]));
  const say = (text: string) => dingtalk.deliver(gateway.callbackUrl, dingtalk.callback({ from: 'staff-1', text }));
  const settings = { ...env, DINGTALK_CARD_BUTTONS: 'true' };
  return { dingtalk, dify, gateway, env: settings, say, cards: () => [...dingtalk.cards.values()] };
}

function start(env: Record<string, string>, args: string[] = [], nodeArgs: string[] = []) {
  const process = startScript('scripts/dev-stream.ts', { cwd: directory, env, args, nodeArgs });
  endings.push(() => {
    process.child.kill('SIGKILL');
    return process.ended;
  });
  return process;
}

async function connect(gateway: StreamGateway, ...given: Parameters<typeof start>) {
  const before = gateway.connections().length;
  const bridge = start(...given);
  await expect
    .poll(() => [gateway.connections().length, bridge.output()], SOON)
    .toEqual([before + 1, expect.stringContaining('connected, waiting for messages')]);
  return bridge;
}

const count = (text: string, part: string) => text.split(part).length - 1;

describe('npm run dev:stream', () => {
  test('answers a message on a card that streams, and stops it by a button, all through the stream', async () => {
    const chunks = Array.from({ length: 300 }, (_, index) => ({ afterMs: 100, text: `w${index + 1} ` }));
    const { dingtalk, dify, gateway, env, say, cards } = await startWorld({ app: { script: { chunks } } });
    const { child, ended, output } = await connect(gateway, env);
    expect(output()).toMatch(/One client id should serve one stream service/);
    expect((await say('a secret question')).status).toBe(200);
    await expect.poll(() => cards()[0]?.frames.length, SOON).toBeGreaterThanOrEqual(2);
    const [card] = cards();
    if (!card) throw new Error('no card');
    expect(card).toMatchObject({ phase: 'typing', content: expect.stringMatching(/^w1 w2 /) as string });
    const [stop] = dingtalk.buttonsOf(card.outTrackId, 'staff-1');
    expect(stop).toMatchObject({ actionId: 'stop' });
    const press = { outTrackId: card.outTrackId, userId: 'staff-1', actionId: 'stop', params: { action: 'stop' } };
    const tap = await dingtalk.tap(press);
    // What the function answered came back in the acknowledgement, and DingTalk could use it.
    expect(tap).toMatchObject({ status: 200, update: { userPrivateData: { notice: '已收到停止请求。' } } });
    await expect.poll(() => card.phase, SOON).toBe('finished');
    expect(card.content).toMatch(/（已停止）[^\n]*$/u);
    await expect.poll(() => dify.runs[0]?.status, SOON).toBe('stopped');

    const [created] = dingtalk.calls.filter(({ api }) => api === 'createAndDeliver');
    expect(created?.request).toMatchObject({ callbackType: 'STREAM' });
    expect(created?.request).not.toHaveProperty('callbackRouteKey');
    expect(dingtalk.calls.filter(({ api }) => api === 'registerCallback')).toEqual([]);
    expect(gateway.acks).toMatchObject([
      { topic: streamTopics.robot, response: {} },
      { topic: streamTopics.card, response: { userPrivateData: { cardParamMap: { notice: '已收到停止请求。' } } } },
    ]);
    expect(await gateway.ping('an opaque text')).toEqual(['an opaque text']);
    expect(output()).toMatch(/"event":"message_accepted"/);
    expect(output()).not.toMatch(/a secret question|client-secret-1|app-key-1/);
    expect([gateway.violations, dingtalk.violations, dify.violations]).toEqual([[], [], []]);

    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await expect.poll(() => gateway.connections(), SOON).toEqual([]);
  }, 90_000);

  test('connects again after DingTalk ended the connection, and acknowledges on the new one', async () => {
    const { dingtalk, gateway, env, say, cards } = await startWorld({ app: { script: words('yes') } });
    const { output } = await connect(gateway, env);
    const [first] = gateway.connections();
    gateway.disconnect(100);
    await expect.poll(() => gateway.connections(), SOON).toEqual([expect.not.stringContaining(first ?? '')]);
    await expect.poll(() => count(output(), 'connected, waiting'), SOON).toBe(2);
    expect(output()).toContain('the connection has ended (announced), connecting again');
    expect((await say('hello')).status).toBe(200);
    await expect.poll(() => cards()[0], SOON).toMatchObject({ phase: 'finished', content: 'yes' });
    expect(gateway.acks).toMatchObject([{ connectionId: gateway.connections()[0] }]);
    // One ticket for each connection: no attempt too many.
    expect(gateway.attempts.map(({ step }) => step)).toEqual(['ticket', 'handshake', 'ticket', 'handshake']);
    expect([gateway.violations, dingtalk.violations]).toEqual([[], []]);
  }, 90_000);

  test('a refused ticket is named, and the next attempt gets a new one', async () => {
    const { gateway, env, say, cards } = await startWorld({ app: { script: words('yes') } });
    gateway.refuseTickets(2);
    const { output } = await connect(gateway, env);
    expect(count(output(), 'DingTalk refused the ticket')).toBe(2);
    expect(gateway.attempts.map(({ step, status }) => `${step} ${status}`)).toEqual(
      [401, 401, 101].flatMap((status) => ['ticket 200', `handshake ${status}`]),
    );
    expect((await say('hello')).status).toBe(200);
    await expect.poll(() => cards()[0]?.content, SOON).toBe('yes');
  }, 90_000);

  test('with a second connection for the same client id each message still has one answer', async () => {
    let turn = 0;
    const { gateway, env, say, cards } = await startWorld({ app: { script: words('yes') } }, (all) => turn++ % all);
    const bridges = [await connect(gateway, env), await connect(gateway, env)];
    for (const text of ['one', 'two']) expect((await say(text)).status).toBe(200);
    await expect.poll(() => cards().map(({ content }) => content), SOON).toEqual(['yes', 'yes']);
    expect(new Set(gateway.acks.map(({ connectionId }) => connectionId)).size).toBe(2);
    const accepted = () => bridges.map(({ output }) => count(output(), '"event":"message_accepted"'));
    await expect.poll(accepted, SOON).toEqual([1, 1]);
  }, 90_000);

  test('a wrong secret is named with its remedy, never shown, and not tried again', async () => {
    const { gateway, env } = await startWorld();
    const { ended, output } = start({ ...env, DINGTALK_CLIENT_SECRET: 'not-the-secret' });
    expect(await ended).toBe(1);
    expect(output()).toMatch(/does not know this pair of client id and client secret \(401\).*凭证与基础信息/);
    expect(output()).not.toContain('not-the-secret');
    expect(gateway.attempts).toMatchObject([{ step: 'ticket', status: 401 }]);
  }, 60_000);

  test('a crash in the function ends neither the stream nor what is answered next', async () => {
    const { gateway, env, say, cards } = await startWorld({ app: { script: words('yes') } });
    const crash = `process.on('SIGUSR2', () => { throw new TypeError('with a secret in it') })`;
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(crash)}`];
    const { child, output } = await connect(gateway, env, [], nodeArgs);
    child.kill('SIGUSR2');
    await expect.poll(output, SOON).toContain('The function crashed (TypeError). The stream goes on.');
    expect(output()).not.toContain('with a secret in it');
    expect((await say('hello')).status).toBe(200);
    await expect.poll(() => cards()[0]?.content, SOON).toBe('yes');
    expect(gateway.attempts).toHaveLength(2);
  }, 60_000);

  test('with --to it feeds a function elsewhere, signed, and outlives it', async () => {
    const { gateway, env, say } = await startWorld();
    const seen: Request[] = [];
    const handle = async (request: Request) => {
      seen.push(request);
      return new Response('{}', { status: 401 });
    };
    const host = await startHost({ port: 0, hostname: '127.0.0.1', handle });
    const bot = { name: 'dev', dingtalkClientId: CLIENT_ID, dingtalkClientSecret: `${CLIENT_SECRET},old` };
    const { DINGTALK_CLIENT_ID: _id, DINGTALK_CLIENT_SECRET: _secret, ...flat } = env;
    const { output } = await connect(gateway, { ...flat, BOTS: JSON.stringify([bot]) }, ['--to', host.url]);
    await say('one');
    await expect
      .poll(output, SOON)
      .toMatch(/\[dev\] a message came: forwarded with status 401 .*another DINGTALK_CLIENT_SECRET/);
    expect(seen.map(({ url, headers }) => [new URL(url).pathname, [...headers.keys()].includes('sign')])).toEqual([
      ['/api/dingtalk/dev', true],
    ]);
    await host.close(0);
    await say('two');
    await expect.poll(output, SOON).toContain('cannot be reached. The stream goes on');
    expect(gateway.connections()).toHaveLength(1);
  }, 60_000);

  test.each([[[]], [['--to', 'http://127.0.0.1:1']]])(
    'connects no robot whose connection is http: %j',
    async (args) => {
      const { gateway, env } = await startWorld();
      const { DINGTALK_CLIENT_ID: dingtalkClientId, DINGTALK_CLIENT_SECRET: dingtalkClientSecret, ...shared } = env;
      const bot = { name: 'hr', dingtalkClientId, dingtalkClientSecret, dingtalkConnection: 'http' };
      const { ended, output } = start({ ...shared, BOTS: JSON.stringify([bot]) }, args);
      expect(await ended).toBe(1);
      expect(output()).toContain('Every robot of BOTS has dingtalkConnection http');
      expect(gateway.attempts).toEqual([]);
    },
    60_000,
  );

  test('a wrong configuration is named, and nothing is connected', async () => {
    const { gateway, env } = await startWorld();
    const { ended, output } = start({ DINGTALK_API_URL: env.DINGTALK_API_URL });
    expect(await ended).toBe(1);
    for (const name of ['DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY']) {
      expect(output()).toContain(name);
    }
    expect(gateway.attempts).toEqual([]);
  }, 60_000);
});
