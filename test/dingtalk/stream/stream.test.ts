// The connection of Stream mode on a clock that stands still: when it is opened, given up, and let go.
import { describe, expect, it } from 'vitest';
import type { Callbacks } from '../../../lib/dingtalk/stream/connection.ts';
import { keepStream } from '../../../lib/dingtalk/stream/stream.ts';
import type { Fetch } from '../../../lib/net/http.ts';
import { createLog } from '../../../lib/runtime/log.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { createFakeSockets } from './fake-socket.ts';

const MESSAGE = '/v1.0/im/bot/messages/get';
const PRESS = '/v1.0/card/instances/callback';

interface Given {
  answers?: { status: number; body: unknown }[];
  callbacks?: Partial<Callbacks>;
  random?: () => number;
  apiUrl?: string;
  clientSecrets?: readonly [string, ...string[]];
}

const REFUSED = { status: 503, body: { code: 'busy' } };

function begin({ answers = [], callbacks = {}, random = () => 1, apiUrl, clientSecrets = ['secret'] }: Given = {}) {
  const clock = createVirtualClock();
  const sockets = createFakeSockets();
  const logs: Record<string, unknown>[] = [];
  const asked: { atMs: number; url: string; body: Record<string, unknown> }[] = [];
  let tickets = 0;
  const beganAtMs = clock.now();
  const fetch: Fetch = async (url, { body }) => {
    asked.push({ atMs: clock.now() - beganAtMs, url, body: JSON.parse(body as string) as Record<string, unknown> });
    tickets += 1;
    const answer = answers.shift() ?? {
      status: 200,
      body: { endpoint: 'wss://gateway.example/connect', ticket: `t+${tickets}` },
    };
    return Response.json(answer.body, { status: answer.status });
  };
  const stream = keepStream({
    config: { clientId: 'id', clientSecrets, apiUrl: apiUrl ?? 'https://api.example' },
    callbacks: { message: async () => 200, press: async () => ({ code: 200, response: {} }), ...callbacks },
    openSocket: sockets.openSocket,
    fetch,
    clock,
    random,
    log: createLog(clock, 'debug', (line) => logs.push(JSON.parse(line) as Record<string, unknown>)),
  });
  /** The newest attempt's socket, opened. */
  async function open() {
    await clock.advance(0);
    const socket = sockets.newest();
    socket.open();
    await clock.advance(0);
    return socket;
  }
  return { clock, sockets, logs, asked, stream, open };
}

const acksOf = ({ sent }: { sent: string[] }) =>
  sent.map((text) => {
    const { code, headers, data } = JSON.parse(text) as { code: number; headers: { messageId: string }; data: string };
    return [headers.messageId, code, data];
  });

describe('opening', () => {
  it('asks for both topics, and encodes the ticket', async () => {
    const { asked, open } = begin();
    const { url } = await open();
    expect(asked).toMatchObject([
      {
        url: 'https://api.example/v1.0/gateway/connections/open',
        body: {
          clientId: 'id',
          clientSecret: 'secret',
          subscriptions: [
            { type: 'CALLBACK', topic: MESSAGE },
            { type: 'CALLBACK', topic: PRESS },
          ],
        },
      },
    ]);
    expect(url).toBe('wss://gateway.example/connect?ticket=t%2B1');
  });

  it('is tried again with pauses that double up to half a minute', async () => {
    const { clock, asked, logs, stream } = begin({ answers: Array.from({ length: 9 }, () => REFUSED) });
    await clock.advance(150_000);
    const times = asked.map(({ atMs }) => atMs);
    expect(times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(logs[0]).toMatchObject({
      event: 'stream_not_opened',
      code: 'dingtalk_server_error',
      status: 503,
      attempt: 1,
    });
    expect(stream.status()).toEqual({ openSinceMs: null, remade: 0, failure: 'dingtalk_server_error' });
  });

  it('spreads the pauses down to their half', async () => {
    const { clock, asked } = begin({ answers: [REFUSED, REFUSED], random: () => 0 });
    await clock.advance(1_500);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 500, 1_500]);
  });

  it.each([
    [401, { code: 'authFailed' }, 'dingtalk_credentials'],
    [403, { code: 'some.code' }, 'dingtalk_stream_refused'],
    [400, { code: 'invalidParameter' }, 'dingtalk_stream_refused'],
    [429, {}, 'dingtalk_qps'],
    [200, { endpoint: 'no address', ticket: 't' }, 'dingtalk_stream_refused'],
    [200, { endpoint: 'ws://plain.example', ticket: 't' }, 'dingtalk_stream_refused'],
    [200, { punish: 'deny' }, 'dingtalk_server_error'],
  ])('that is refused with %i %j is %s', async (status, body, code) => {
    const { clock, logs, sockets } = begin({ answers: [{ status, body }] });
    await clock.advance(0);
    expect(logs).toMatchObject([{ event: 'stream_not_opened', code }]);
    expect(sockets.all).toEqual([]);
  });

  it('takes an unencrypted address only where the API itself is not encrypted', async () => {
    const answers = [{ status: 200, body: { endpoint: 'ws://local.example/c', ticket: 't' } }];
    const { clock, sockets } = begin({ apiUrl: 'http://local.example', answers });
    await clock.advance(0);
    expect(sockets.newest().url).toBe('ws://local.example/c?ticket=t');
  });

  it('tries the old secret where the new one is not known yet', async () => {
    const { asked, open } = begin({ clientSecrets: ['new', 'old'], answers: [{ status: 401, body: {} }] });
    await open();
    expect(asked.map(({ body }) => body['clientSecret'])).toEqual(['new', 'old']);
  });

  it('gives up a handshake after 10 s, and one that is refused at once', async () => {
    const { clock, sockets, logs } = begin();
    await clock.advance(10_000);
    expect(sockets.newest().ends).toEqual(['cut']);
    expect(logs).toMatchObject([{ event: 'stream_not_opened', code: 'dingtalk_stream_handshake', status: null }]);
    await clock.advance(1_000);
    sockets.newest().events.onEnd({ status: 401, network: null });
    await clock.advance(0);
    expect(logs.at(-1)).toMatchObject({ code: 'dingtalk_stream_handshake', status: 401, attempt: 2 });
  });
});

describe('a message', () => {
  it('is acknowledged only when it is on record', async () => {
    const recorded = Promise.withResolvers<200>();
    const bodies: string[] = [];
    const message = (body: string) => {
      bodies.push(body);
      return recorded.promise;
    };
    const { clock, open } = begin({ callbacks: { message } });
    const socket = await open();
    socket.frame('CALLBACK', MESSAGE, { msgId: 'one' });
    await clock.advance(700);
    expect(bodies).toEqual(['{"msgId":"one"}']);
    expect(socket.sent).toEqual([]);
    recorded.resolve(200);
    await clock.advance(0);
    expect(acksOf(socket)).toEqual([['m1', 200, '{"response":{}}']]);
  });

  it('that arrives with the handshake is not lost', async () => {
    const { clock, sockets } = begin();
    await clock.advance(0);
    const socket = sockets.newest();
    socket.open();
    socket.frame('CALLBACK', MESSAGE);
    await clock.advance(0);
    expect(acksOf(socket)).toEqual([['m1', 200, '{"response":{}}']]);
  });

  it('that failed is told so, and one of a topic that was not asked for', async () => {
    const { clock, open } = begin({ callbacks: { message: async () => 500 } });
    const socket = await open();
    socket.frame('CALLBACK', MESSAGE, {}, 'm1');
    socket.frame('EVENT', '*', {}, 'm2');
    await clock.advance(0);
    expect(acksOf(socket).map(([id, code]) => [id, code])).toEqual([
      ['m2', 404],
      ['m1', 500],
    ]);
  });
});

it('a press is answered with what changes on the card, a ping with what it brought', async () => {
  const { clock, open } = begin({ callbacks: { press: async () => ({ code: 200, response: { a: 1 } }) } });
  const socket = await open();
  socket.frame('CALLBACK', PRESS, {}, 'm1');
  socket.frame('SYSTEM', 'ping', { opaque: 'x' }, 'm2');
  await clock.advance(0);
  expect(acksOf(socket)).toEqual([
    ['m2', 200, '{"opaque":"x"}'],
    ['m1', 200, '{"response":{"a":1}}'],
  ]);
});

describe('the end of a connection', () => {
  it('that DingTalk announces: the new one is open before the old one is let go', async () => {
    const { clock, sockets, open, stream, logs } = begin();
    const old = await open();
    for (let seconds = 0; seconds < 120; seconds += 20) {
      await clock.advance(20_000);
      old.frame('SYSTEM', 'KEEPALIVE');
    }
    old.frame('SYSTEM', 'disconnect', { reason: 'persistent connection is timeout' });
    await clock.advance(0);
    expect(sockets.all).toHaveLength(2);
    await clock.advance(5_000);
    expect(old.ends).toEqual([]);
    sockets.newest().open();
    await clock.advance(0);
    expect(old.ends).toEqual(['close']);
    expect(sockets.newest().ends).toEqual([]);
    expect(stream.status()).toMatchObject({ openSinceMs: clock.now(), remade: 1, failure: null });
    expect(logs.map(({ event, reason }) => reason ?? event)).toEqual(['stream_opened', 'announced', 'stream_opened']);
  });

  it('that DingTalk announces: what is under way there is still acknowledged there', async () => {
    const recorded = Promise.withResolvers<200>();
    const { clock, open } = begin({ callbacks: { message: () => recorded.promise } });
    const old = await open();
    old.frame('CALLBACK', MESSAGE);
    old.frame('SYSTEM', 'disconnect');
    await clock.advance(1_000);
    await open();
    await clock.advance(500);
    expect(old.ends).toEqual([]);
    recorded.resolve(200);
    await clock.advance(0);
    expect(acksOf(old)).toEqual([['m1', 200, '{"response":{}}']]);
    expect(old.ends).toEqual(['close']);
  });

  it('without a word: the next attempt comes within a second', async () => {
    const { clock, sockets, open, stream } = begin();
    const socket = await open();
    for (let minute = 0; minute < 4; minute += 1) {
      await clock.advance(20_000);
      socket.frame('SYSTEM', 'ping');
    }
    socket.events.onEnd({ status: null, network: null });
    await clock.advance(999);
    expect(sockets.all).toHaveLength(1);
    expect(stream.status().openSinceMs).toBeNull();
    await clock.advance(1);
    expect(sockets.all).toHaveLength(2);
  });

  it('soon after its beginning: the pauses grow, however it ended', async () => {
    const { clock, sockets, open, asked } = begin();
    for (const how of ['closed', 'announced', 'closed'] as const) {
      const socket = await open();
      if (how === 'closed') socket.events.onEnd({ status: null, network: null });
      else socket.frame('SYSTEM', 'disconnect');
      await clock.advance(9_000);
    }
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 1_000, 11_000, 22_000]);
    expect(sockets.all).toHaveLength(4);
  });

  it('is noticed within a minute where nothing comes, not even a pong', async () => {
    const { clock, sockets, open, logs } = begin();
    const socket = await open();
    await clock.advance(35_000);
    expect(socket.pings).toBeGreaterThan(0);
    expect(socket.ends).toEqual([]);
    await clock.advance(5_000);
    expect(socket.ends).toEqual(['cut']);
    await clock.advance(20_000);
    expect(sockets.all.length).toBeGreaterThan(1);
    expect(logs).toContainEqual(expect.objectContaining({ event: 'stream_ending', reason: 'dead' }));
  });

  it('is noticed within a minute where pongs come and no frame: it is replaced before it is let go', async () => {
    const { clock, sockets, open, logs } = begin();
    const silent = await open();
    for (let second = 0; second < 45; second += 5) {
      await clock.advance(5_000);
      silent.events.onPong();
    }
    expect(silent.ends).toEqual([]);
    await clock.advance(5_000);
    expect(sockets.all).toHaveLength(2);
    expect(logs).toContainEqual(expect.objectContaining({ event: 'stream_ending', reason: 'silent' }));
    await open();
    expect(silent.ends).toEqual(['close']);
  });

  it('does not come while DingTalk gives a sign of life every 30 s', async () => {
    const { clock, sockets, open } = begin();
    const socket = await open();
    for (let count = 0; count < 20; count += 1) {
      await clock.advance(30_000);
      if (count % 2 === 0) socket.events.onPing();
      else socket.frame('SYSTEM', 'KEEPALIVE');
    }
    expect(sockets.all).toHaveLength(1);
    expect(socket.ends).toEqual([]);
  });
});

describe('closing', () => {
  it('acknowledges what has arrived, then closes, and opens nothing more', async () => {
    const recorded = Promise.withResolvers<200>();
    const { clock, sockets, open, stream } = begin({ callbacks: { message: () => recorded.promise } });
    const socket = await open();
    socket.frame('CALLBACK', MESSAGE);
    let isClosed = false;
    void stream.close().then(() => (isClosed = true));
    await clock.advance(500);
    expect(socket.ends).toEqual([]);
    recorded.resolve(200);
    await clock.advance(0);
    expect(acksOf(socket)).toHaveLength(1);
    expect(socket.ends).toEqual(['close']);
    expect(isClosed).toBe(true);
    expect(clock.waiting()).toBe(0);
    await clock.advance(100_000);
    expect(sockets.all).toHaveLength(1);
  });

  it('waits 2 s for what does not get on record', async () => {
    const { clock, open, stream } = begin({ callbacks: { message: () => new Promise(() => undefined) } });
    const socket = await open();
    socket.frame('CALLBACK', MESSAGE);
    const closed = stream.close();
    await clock.advance(1_999);
    expect(socket.ends).toEqual([]);
    await clock.advance(1);
    await closed;
    expect(socket.ends).toEqual(['close']);
  });

  it('ends an attempt that is under way, and a pause', async () => {
    const opening = begin();
    await opening.clock.advance(0);
    await opening.stream.close();
    expect(opening.sockets.newest().ends).toEqual(['cut']);
    const pausing = begin({ answers: [REFUSED] });
    await pausing.clock.advance(100);
    await pausing.stream.close();
    await pausing.clock.advance(100_000);
    expect(pausing.sockets.all).toEqual([]);
    expect(pausing.logs).toHaveLength(1);
  });
});
