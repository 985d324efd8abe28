// What only Stream mode has: connections that end, several of them, several processes, and the end of a process.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import { createStreamGateway, type StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import { startVendors, withButtons, type BridgeOptions } from '../support/bridge.ts';
import { app, TEMPLATE, templates } from '../support/dingtalk.ts';
import { startInstance } from '../support/instance.ts';
import { describeWith } from '../support/require.ts';
import { startScript } from '../support/script.ts';
import { fast, heldAnswer, stage, words } from '../support/stage.ts';
import { startStore } from '../support/store.ts';

const CRON_SECRET = 'cron-secret';

/** What has to end with the test, the newest first. */
let endings: (() => unknown)[] = [];
beforeEach(() => {
  endings = [];
});
afterEach(async () => {
  for (const end of endings.toReversed()) await end();
});

describe('a connection that ends', () => {
  const { start, bridge } = stage();
  const begin = async (options: BridgeOptions) => {
    const { gateway } = await start({ ...options, door: 'stream' });
    if (!gateway) throw new Error('no gateway');
    return gateway;
  };
  const reconnected = (gateway: StreamGateway, count: number) =>
    expect.poll(() => [gateway.attempts.length / 2, gateway.connections().length]).toEqual([count, 1]);

  test('without a word is made again, and an answer that is being written goes on', async () => {
    const { goOn, script: held } = heldAnswer();
    const gateway = await begin({ app: { script: held('and the rest') } });
    await bridge().send('one');
    await expect.poll(() => bridge().cards()[0]?.content).toBe('well,');
    gateway.cut();
    await reconnected(gateway, 2);
    goOn();
    await bridge().idle();
    await bridge().ask('two');
    expect(
      bridge()
        .cards()
        .map(({ content }) => content),
    ).toEqual(['well, and the rest', 'well, and the rest']);
  });

  test('by an announcement is open anew before the old one is let go: no message finds none', async () => {
    const gateway = await begin({ app: { script: words('yes') } });
    // One that ends within 10 s counts as a failure, so its successor takes a second.
    const [old] = gateway.connections();
    gateway.disconnect(9_000);
    await expect.poll(() => gateway.connections()).toEqual([expect.not.stringContaining(old ?? '')]);
    await bridge().ask('one');
    expect(bridge().card().content).toBe('yes');
  });

  test('before the acknowledgement arrived: the message comes again, and is answered once', async () => {
    const gateway = await begin({ app: { script: words('yes') } });
    const { dingtalk, dify } = bridge();
    gateway.loseAcks(1);
    expect((await bridge().ask('one')).status).toBe(200);
    await reconnected(gateway, 2);
    expect(bridge().logs.map(({ event }) => event)).toContain('message_repeated');
    expect([dify.runs.length, dingtalk.cards.size]).toEqual([1, 1]);
  });

  test('of which DingTalk forgot is noticed, and what was lost comes on the next one', async () => {
    const gateway = await begin({ app: { script: words('yes') }, ...fast(30) });
    const endedAs = (reason: string) =>
      expect
        .poll(() => bridge().logs)
        .toContainEqual(expect.objectContaining({ event: 'stream_ending', reason }) as unknown);
    gateway.forget();
    await endedAs('silent');
    await expect.poll(() => gateway.connections()).toHaveLength(1);
    gateway.freeze();
    await endedAs('dead');
    await expect.poll(() => gateway.connections()).toHaveLength(1);
    await bridge().ask('one');
    expect(bridge().card().content).toBe('yes');
  });
});

describeWith('redis-server', 'several processes with one Redis', () => {
  async function begin(options: BridgeOptions = {}) {
    const directory = await mkdtemp(join(tmpdir(), 'stream-'));
    endings.push(() => rm(directory, { recursive: true, force: true }));
    const store = await startStore();
    endings.push(() => store.close());
    let turn = 0;
    const gateway = await createStreamGateway({ app, pick: (count) => turn++ % count, resendMs: 500 });
    const vendors = await startVendors(
      { ...options, dingtalk: { ...withButtons.dingtalk, stream: gateway } },
      systemClock,
    );
    const { dingtalk, dify } = vendors;
    endings.push(() => Promise.all([dingtalk.close(), dify.close(), gateway.close()]));
    const env = {
      ...vendors.env,
      ...withButtons.env,
      ...store.env,
      DINGTALK_CONNECTION: 'stream',
      PORT: '0',
      HOST: '127.0.0.1',
    };
    async function serve() {
      const before = gateway.connections().length;
      const process = startScript('scripts/serve.ts', { cwd: directory, env });
      endings.push(() => {
        process.child.kill('SIGKILL');
        return process.ended;
      });
      await expect.poll(() => gateway.connections().length).toBe(before + 1);
      return process;
    }
    const say = (text: string, from = 'staff-1') =>
      dingtalk.deliver(gateway.callbackUrl, dingtalk.callback({ from, text }));
    return { ...vendors, env, gateway, serve, say, cards: () => [...dingtalk.cards.values()] };
  }

  test('share the messages; a press that comes to the other process than the one that answers stops the answer', async () => {
    const chunks = Array.from({ length: 300 }, (_, index) => ({ afterMs: 100, text: `w${index + 1} ` }));
    const { dingtalk, dify, gateway, serve, say, cards } = await begin({
      app: { script: { chunks } },
      dify: { behaviour: { stopNoticeMs: 2_000 } },
    });
    const both = [await serve(), await serve()];
    expect((await say('long')).status).toBe(200);
    await expect.poll(() => cards()[0]?.phase).toBe('typing');
    const press = { outTrackId: cards()[0]?.outTrackId ?? '', userId: 'staff-1', actionId: 'stop' };
    const tap = await dingtalk.tap({ ...press, params: { action: 'stop' } });
    expect(tap).toMatchObject({ status: 200, update: { userPrivateData: { notice: '已收到停止请求。' } } });
    expect(new Set(gateway.acks.map(({ connectionId }) => connectionId)).size).toBe(2);
    await expect.poll(() => cards()[0]?.content).toMatch(/（已停止）[^\n]*$/u);
    await expect.poll(() => dify.runs[0]?.status).toBe('stopped');
    expect(both.filter(({ output }) => output().includes('"event":"turn_finished"'))).toHaveLength(1);
    expect([gateway.violations, dingtalk.violations, dify.violations]).toEqual([[], [], []]);
  });

  test('SIGTERM: the connection is closed first, what runs is finished, and the other process gets every message', async () => {
    const { goOn, script: held } = heldAnswer();
    const { dingtalk, dify, gateway, serve, say, cards } = await begin({ app: { script: held('the end') } });
    const first = await serve();
    await say('one');
    await expect.poll(() => cards()[0]?.content).toBe('well,');
    // The update without a gap: the new process is there before the old one is told to end.
    await serve();
    first.child.kill('SIGTERM');
    await expect.poll(() => gateway.connections().length).toBe(1);
    expect(cards()[0]?.phase).toBe('typing');
    expect((await say('two', 'staff-2')).status).toBe(200);
    goOn();
    expect(await first.ended).toBe(0);
    await expect.poll(() => cards().map(({ phase }) => phase)).toEqual(['finished', 'finished']);
    expect(cards().map(({ content }) => content)).toEqual(['well, the end', 'well, the end']);
    expect([gateway.violations, dingtalk.violations, dify.violations]).toEqual([[], [], []]);
  });

  test('a process that is killed leaves its answer on record for another one', async () => {
    const chunks = Array.from({ length: 4 }, (_, index) => ({ afterMs: 500, text: `w${index + 1} ` }));
    const { env, gateway, say, cards, dify } = await begin({ app: { mode: 'workflow', script: { chunks } } });
    const settings = { env: { ...env, CRON_SECRET }, leaseTiming: { leaseMs: 1_500, renewMs: 500 } };
    const first = await startInstance(settings);
    endings.push(() => first.kill());
    await expect.poll(() => gateway.connections().length).toBe(1);
    await say('one');
    await expect.poll(() => cards()[0]?.content).toMatch(/^w1/u);
    await first.kill();
    const second = await startInstance(settings);
    endings.push(() => second.kill());
    const headers = { authorization: `Bearer ${CRON_SECRET}` };
    await expect
      .poll(async () => {
        await fetch(`${second.url}?sweep`, { headers });
        return cards()[0]?.phase;
      })
      .toBe('finished');
    expect(cards()[0]?.content).toBe('w1 w2 w3 w4');
    expect(dify.runs).toHaveLength(1);
  });
});

describe('several robots in one process', () => {
  const { start, bridge } = stage();

  test('one that has a connection takes nothing by HTTP', async () => {
    const { gateway, dingtalk, url } = await start({ app: { script: words('yes') }, door: 'stream' });
    expect(gateway?.connections()).toHaveLength(1);
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({ content: 'yes', isOfStream: true });
    const closed = await dingtalk.deliver(url, dingtalk.callback({ from: 'staff-1', text: 'two' }));
    expect(closed.status).toBe(404);
  });

  test('each has a connection of its own, and gets its own messages only', async () => {
    const hrApp = { clientId: 'ding-hr', clientSecret: 'secret-hr' };
    const hrGateway = await createStreamGateway({ app: hrApp });
    const hr = await createDingTalkSimulator({
      app: hrApp,
      templates: templates(),
      people: [{ staffId: 'staff-9', unionId: 'union-9', nick: '人事' }],
      stream: hrGateway,
    });
    const hrDify = await createDifySimulator({ apps: { 'key-hr': { mode: 'chat', name: 'hr', script: words('hr') } } });
    endings.push(() => Promise.all([hr.close(), hrDify.close(), hrGateway.close()]));
    const bot = {
      name: 'hr',
      dingtalkClientId: hrApp.clientId,
      dingtalkClientSecret: hrApp.clientSecret,
      dingtalkCardTemplateId: TEMPLATE,
      dingtalkApiUrl: hr.origin,
      dingtalkOapiUrl: hr.origin,
      difyApiUrl: hrDify.url,
      difyApiKey: 'key-hr',
    };
    await start({ app: { script: words('flat') }, door: 'stream', env: { BOTS: JSON.stringify([bot]) } });
    await expect.poll(() => hrGateway.connections().length).toBe(1);
    await bridge().ask('one');
    await hr.deliver(hrGateway.callbackUrl, hr.callback({ from: 'staff-9', text: 'two' }));
    await bridge().idle();
    expect(bridge().card().content).toBe('flat');
    expect([...hr.cards.values()].map(({ content }) => content)).toEqual(['hr']);
    expect([hrGateway.violations, hr.violations]).toEqual([[], []]);
  });
});
