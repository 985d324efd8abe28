// The gateway of Stream mode, which holds a client to the protocol notes.
import axios from 'axios';
import { DWClient, GATEWAY_URL, TOPIC_CARD, TOPIC_ROBOT, type DWClientDownStream } from 'dingtalk-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createStreamGateway, streamTopics, type StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';

const SOON = { timeout: 30_000, interval: 50 };
const app = { clientId: 'dingclientid0001', clientSecret: 'client-secret-1' };

/** What has to end with the test, the newest first. */
let endings: (() => Promise<unknown> | void)[] = [];
beforeEach(() => {
  endings = [];
});
afterEach(async () => {
  for (const end of endings.toReversed()) await end();
});

async function startGateway(options: Partial<Parameters<typeof createStreamGateway>[0]> = {}): Promise<StreamGateway> {
  const gateway = await createStreamGateway({ app, ...options });
  endings.push(() => gateway.close());
  return gateway;
}

const post = (gateway: StreamGateway, body: object) =>
  fetch(gateway.callbackUrl, { method: 'POST', body: JSON.stringify(body) });

describe('the simulated gateway', () => {
  const begin = async (now: () => number) => {
    const gateway = await createStreamGateway({ app, clock: { ...systemClock, now } });
    endings.push(() => gateway.close());
    const dial = (ticket: string) => {
      const socket = new WebSocket(
        `${gateway.origin.replace('http:', 'ws:')}/connect?ticket=${encodeURIComponent(ticket)}`,
      );
      return new Promise<WebSocket | null>((resolve) => {
        socket.on('error', () => resolve(null));
        socket.on('open', () => resolve(socket));
      });
    };
    return { gateway, dial };
  };

  test('takes a ticket once, and for 90 s', async () => {
    let now = 1_000;
    const { gateway, dial } = await begin(() => now);
    const [first, second, third] = [gateway.issueTicket(), gateway.issueTicket(), gateway.issueTicket()];
    expect(await dial(first)).not.toBeNull();
    expect(await dial(first)).toBeNull();
    now += 89_999;
    expect(await dial(second)).not.toBeNull();
    now += 1;
    expect(await dial(third)).toBeNull();
    expect(gateway.attempts.map(({ status }) => status)).toEqual([101, 401, 101, 401]);
  });

  test('notes an acknowledgement that DingTalk would not understand, and one that never comes', async () => {
    const { gateway, dial } = await begin(() => Date.now());
    const socket = await dial(gateway.issueTicket());
    socket?.on('message', (data: Buffer) => {
      const { type, headers } = JSON.parse(data.toString('utf8')) as { type: string; headers: { messageId: string } };
      if (type === 'SYSTEM') return;
      const ack = {
        code: 200,
        message: 'OK',
        headers: { contentType: 'application/json', messageId: headers.messageId },
      };
      socket.send(JSON.stringify({ ...ack, data: {} }));
      socket.send(JSON.stringify({ ...ack, headers: { ...ack.headers, messageId: 'another' }, data: '{}' }));
    });
    const tap = await fetch(gateway.callbackUrl, { method: 'POST', body: '{"type":"actionCallback"}' });
    expect(tap.status).toBe(504);
    expect(gateway.violations).toEqual([
      'the data of an acknowledgement is a string',
      'an acknowledgement names a frame of its own connection that waits for one',
      'no acknowledgement of /v1.0/card/instances/callback in time',
    ]);
    socket?.terminate();
    await expect.poll(() => gateway.connections(), SOON).toEqual([]);
    expect((await fetch(gateway.callbackUrl, { method: 'POST', body: '{}' })).status).toBe(502);
  });

  test('asks for credentials, and for what is subscribed to', async () => {
    const { gateway } = await begin(() => Date.now());
    const open = async (body: object) => {
      const url = `${gateway.origin}/v1.0/gateway/connections/open`;
      return (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).status;
    };
    const subscriptions = [{ type: 'CALLBACK', topic: streamTopics.robot }];
    expect(await open({ ...app, subscriptions })).toBe(200);
    expect(await open({ ...app, clientSecret: 'another', subscriptions })).toBe(401);
    expect(await open({ ...app, subscriptions: [] })).toBe(400);
    expect(await open({ ...app, subscriptions: [{ topic: streamTopics.robot }] })).toBe(400);
    expect(gateway.violations).toHaveLength(2);
  });
});

describe('the official package', () => {
  /** The package has the gateway's address as a constant, and asks through the shared axios. */
  async function connect(gateway: StreamGateway, onFrame: (client: DWClient, frame: DWClientDownStream) => void) {
    const redirect = axios.interceptors.request.use((request) => {
      if (request.url === GATEWAY_URL) request.url = `${gateway.origin}${new URL(GATEWAY_URL).pathname}`;
      return request;
    });
    const client = new DWClient({ ...app, keepAlive: true });
    client.config.subscriptions = [];
    for (const topic of [TOPIC_ROBOT, TOPIC_CARD]) {
      client.registerCallbackListener(topic, (frame) => onFrame(client, frame));
    }
    await client.getEndpoint();
    await client._connect();
    endings.push(() => {
      client.disconnect();
      axios.interceptors.request.eject(redirect);
    });
    return client;
  }

  test('connects, receives messages and presses, and its acknowledgements are understood', async () => {
    const gateway = await startGateway();
    const seen: [string, string][] = [];
    const client = await connect(gateway, (own, { headers, data }) => {
      seen.push([headers.topic, data]);
      own.socketCallBackResponse(headers.messageId, { of: headers.topic });
    });
    expect(gateway.connections()).toHaveLength(1);
    await expect.poll(() => client.registered, SOON).toBe(true);
    const message = await post(gateway, { msgId: 'one', text: { content: 'hello' } });
    expect([message.status, await message.json()]).toEqual([200, { of: TOPIC_ROBOT }]);
    const press = await post(gateway, { type: 'actionCallback', outTrackId: 'card' });
    expect([press.status, await press.json()]).toEqual([200, { of: TOPIC_CARD }]);
    expect(seen.map(([topic]) => topic)).toEqual([TOPIC_ROBOT, TOPIC_CARD]);
    expect(JSON.parse(seen[0]?.[1] ?? '')).toEqual({ msgId: 'one', text: { content: 'hello' } });
    expect(await gateway.ping('opaque')).toEqual(['opaque']);
    gateway.disconnect(0);
    await expect.poll(() => client.registered, SOON).toBe(false);
    expect(gateway.violations).toEqual([]);
  });

  test('that does not acknowledge a message gets it again', async () => {
    const gateway = await startGateway({ resendMs: 0 });
    const ids: string[] = [];
    await connect(gateway, (client, { headers, data }) => {
      ids.push(data);
      if (ids.length === 2) client.socketCallBackResponse(headers.messageId, {});
    });
    expect((await post(gateway, { msgId: 'one' })).status).toBe(200);
    expect(ids).toEqual(['{"msgId":"one"}', '{"msgId":"one"}']);
    expect(gateway.violations).toEqual(['no acknowledgement of /v1.0/im/bot/messages/get in time']);
  });
});
