import { createHash } from 'node:crypto';
import { Redis } from '@upstash/redis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { describeWith } from '../support/require.ts';
import { createUpstashFront, type UpstashFront } from '../support/upstash-front.ts';

describeWith('redis-server', 'the Upstash front, driven by the real client', () => {
  let server: RedisServer;
  let front: UpstashFront;

  /** The real client, patient enough to repeat a request once; nothing else is guessed or sent. */
  function connect(
    options: { token?: string; retries?: number; timeoutMs?: number; pipelining?: boolean } = {},
  ): Redis {
    const { token = front.token, retries = 1, timeoutMs = 2000, pipelining = false } = options;
    return new Redis({
      url: front.url,
      token,
      automaticDeserialization: false,
      enableTelemetry: false,
      enableAutoPipelining: pipelining,
      retry: { retries, backoff: () => 1 },
      signal: () => AbortSignal.timeout(timeoutMs),
    });
  }

  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${front.url}${path}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${front.token}`, ...headers },
    });

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    front = await createUpstashFront({ redisPort: server.port });
    await connect().flushall();
    front.requests.length = 0;
  });
  afterEach(() => front.close());

  it('keeps every string as it was written', async () => {
    const redis = connect();
    for (const text of ['plain', '你好 🌊', '', 'OK', '007', 'null', 'a\r\nb', '{"a":1}']) {
      expect(await redis.set('key', text)).toBe('OK');
      expect(await redis.get('key')).toBe(text);
    }
    expect(await redis.get('nothing')).toBeNull();
    expect(await redis.incrby('count', 41)).toBe(41);
  });

  it('refuses a key that a script did not declare, and does not find out itself, where that is asked for', async () => {
    const foundKeys = () => ['found:*'];
    const strict = await createUpstashFront({ redisPort: server.port, foundKeys });
    const redis = new Redis({ url: strict.url, token: strict.token, enableTelemetry: false, retry: false });
    const script = "return redis.call('INCR', KEYS[1]) + redis.call('INCR', ARGV[1])";
    expect(await redis.eval(script, ['declared*'], ['found:1'])).toBe(2);
    await expect(redis.eval(script, ['declared*'], ['declared-not'])).rejects.toThrow(
      /can't access at least one of the keys/u,
    );
    const digest = createHash('sha1').update(script).digest('hex');
    expect(await Promise.all([redis.evalsha(digest, ['a'], ['found:2']), redis.evalsha(digest, ['b'], ['b'])])).toEqual(
      [2, 3],
    );
    await expect(redis.evalsha(digest, ['a'], ['b'])).rejects.toThrow(/can't access at least one of the keys/u);
    await strict.close();
    const lax = connect();
    expect(await lax.eval(script, ['declared*'], ['declared-not'])).toBe(4);
  });

  it('answers large values and lists of them', async () => {
    const redis = connect();
    const large = '大'.repeat(300_000);
    await redis.set('large', large);
    expect(await redis.mget('large', 'nothing', 'large')).toEqual([large, null, large]);
  });

  it('gives each command of a pipeline its own result, in order', async () => {
    const redis = connect({ pipelining: true });
    const done = await Promise.all([redis.set('a', '1'), redis.incr('a'), redis.append('a', 'x')]);
    expect(done).toEqual(['OK', 2, 2]);
    expect(front.requests).toHaveLength(1);
    expect(front.requests[0]).toMatchObject({
      path: '/pipeline',
      commands: [
        ['set', 'a', '1'],
        ['incr', 'a'],
        ['append', 'a', 'x'],
      ],
    });
    const mixed = await redis.pipeline().set('b', 'text').incr('b').get('b').exec({ keepErrors: true });
    expect(mixed.map(({ result }) => result)).toEqual(['OK', undefined, 'text']);
    expect(mixed[1]?.error).toMatch(/^ERR value is not an integer/u);
  });

  it('runs a transaction as a whole or not at all', async () => {
    const redis = connect();
    expect(await redis.multi().set('a', '1').incr('a').exec()).toEqual(['OK', 2]);
    const broken = await post('/multi-exec', JSON.stringify([['set', 'a', '9'], ['nonsense']]));
    expect(broken.status).toBe(400);
    expect(await broken.json()).toEqual({ error: expect.stringMatching(/^EXECABORT/u) });
    expect(await redis.get('a')).toBe('2');
  });

  it('runs scripts, also those with the flag that only Upstash knows', async () => {
    const redis = connect();
    expect(await redis.eval('return {KEYS[1], ARGV[1], 7, false}', ['key'], ['值'])).toEqual(['key', '值', 7, null]);
    const flagged = '#!lua flags=allow-key-locking\nreturn redis.call("INCR", KEYS[1])';
    expect(await redis.eval(flagged, ['count'], [])).toBe(1);
    const script = redis.createScript<number>(flagged);
    expect(await script.exec(['count'], [])).toBe(2);
    expect(await script.exec(['count'], [])).toBe(3);
    expect(front.requests.at(-1)?.commands[0]?.[0]).toBe('evalsha');
    await expect(redis.eval('return redis.error_reply("MINE went wrong")', [], [])).rejects.toThrow('MINE went wrong');
  });

  it('answers errors the way Upstash does', async () => {
    await connect().set('text', 'x');
    const wrongType = await post('/', '["LPUSH","text","y"]');
    expect(wrongType.status).toBe(400);
    expect(await wrongType.json()).toEqual({ error: expect.stringMatching(/^WRONGTYPE/u) });
    expect(await (await post('/', 'not json')).json()).toEqual({ error: 'ERR failed to parse command' });
    expect(await (await post('/pipeline', '[]')).json()).toEqual({ error: 'ERR empty pipeline request' });
    expect(
      (await fetch(front.url, { method: 'DELETE', headers: { authorization: `Bearer ${front.token}` } })).status,
    ).toBe(405);
    await expect(connect().lpush('text', 'y')).rejects.toThrow('WRONGTYPE');
  });

  it('encodes only when asked, and understands commands in the path', async () => {
    const stored = await post('/set/greeting?EX=100', 'hello');
    expect(await stored.json()).toEqual({ result: 'OK' });
    expect(await (await post('/get/greeting', '')).json()).toEqual({ result: 'hello' });
    const encoded = await post('/', '["GET","greeting"]', { 'upstash-encoding': 'base64' });
    expect(await encoded.json()).toEqual({ result: 'aGVsbG8=' });
  });

  it('refuses a wrong token on every path', async () => {
    for (const path of ['/', '/pipeline', '/multi-exec', '/get/a']) {
      const refused = await post(path, '[["GET","a"]]', { authorization: 'Bearer wrong' });
      expect(refused.status).toBe(401);
      expect(await refused.json()).toEqual({ error: expect.stringMatching(/^WRONGPASS/u) });
    }
    expect((await fetch(`${front.url}/get/a?_token=${front.token}`)).status).toBe(200);
    await expect(connect({ token: 'wrong' }).get('a')).rejects.toThrow('WRONGPASS');
  });

  it('lets the read-only token read and nothing else', async () => {
    const reader = connect({ token: front.readOnlyToken });
    expect(await reader.get('a')).toBeNull();
    await expect(reader.set('a', '1')).rejects.toThrow('NOPERM');
    await expect(reader.eval('return 1', [], [])).rejects.toThrow('NOPERM');
    expect(await connect().get('a')).toBeNull();
    // They tell the names of all keys.
    await expect(reader.keys('*')).rejects.toThrow('NOPERM');
    await expect(reader.scan(0)).rejects.toThrow('NOPERM');
    expect(await connect().keys('*')).toEqual([]);
  });

  it('refuses a request over 10 MB', async () => {
    const of = (bytes: number) => JSON.stringify(['SET', 'a', 'x'.repeat(bytes - '["SET","a",""]'.length)]);
    expect((await post('/', of(10 * 1024 * 1024))).status).toBe(200);
    const refused = await post('/', of(10 * 1024 * 1024 + 1));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toEqual({ error: expect.stringMatching(/^ERR max request size exceeded/u) });
  });

  it("answers in Redis' own form when asked for it", async () => {
    const resp2 = { 'upstash-response-format': 'resp2' };
    await connect().rpush('list', 'a', '汉');
    const list = await post('/', '["LRANGE","list","0","-1"]', resp2);
    expect(await list.text()).toBe('*2\r\n$1\r\na\r\n$3\r\n汉\r\n');
    expect(await (await post('/', '["GET","none"]', resp2)).text()).toBe('$-1\r\n');
    expect(await (await post('/', '["LLEN","list"]', resp2)).text()).toBe(':2\r\n');
    expect(await (await post('/', '["GET","list"]', resp2)).text()).toMatch(/^-WRONGTYPE .*\r\n$/u);
  });

  it('survives commands whose replies do not end', async () => {
    for (const command of ['["SUBSCRIBE","news"]', '["psubscribe","*"]', '["MONITOR"]'])
      expect((await post('/', command)).status).toBe(400);
    expect((await post('/pipeline', '[["SET","a","1"],["SUBSCRIBE","news"]]')).status).toBe(400);
    expect(await connect().get('a')).toBeNull();
  });

  it('records what came, how long it took and how it ended', async () => {
    front.faults.push({ kind: 'delay', ms: 40 });
    await connect().set('a', '1', { ex: 5 });
    expect(front.requests).toMatchObject([{ path: '/', commands: [['set', 'a', '1', 'ex', '5']], status: 200 }]);
    expect(front.requests[0]?.bytes).toBe('["set","a","1","ex",5]'.length);
    expect(front.requests[0]?.ms).toBeGreaterThanOrEqual(38);
  });

  it('loses a response so that the retried SET NX says that somebody else has the key', async () => {
    front.faults.push({ kind: 'lost-response' });
    expect(await connect().set('claim', 'me', { nx: true })).toBeNull();
    expect(await connect().get('claim')).toBe('me');
    expect(front.requests.map(({ status }) => status)).toEqual([undefined, 200, 200]);

    front.faults.push({ kind: 'lost-response' });
    expect(await connect().set('claim again', 'me', { nx: true, get: true })).toBe('me');
  });

  it('resets a connection without applying the command', async () => {
    front.faults.push({ kind: 'reset', times: 2 });
    await expect(connect().incr('count')).rejects.toThrow('fetch failed');
    expect(await connect().incr('count')).toBe(1);
  });

  it('hangs until the client gives up', async () => {
    front.faults.push({ kind: 'hang' });
    await expect(connect({ timeoutMs: 100 }).incr('count')).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await connect().get('count')).toBeNull();
  });

  it('answers with a status, and breaks only the requests that it is meant for', async () => {
    front.faults.push({ kind: 'status', status: 503, only: ({ commands }) => commands[0]?.[0] === 'incr' });
    expect(await connect().set('count', '5')).toBe('OK');
    await expect(connect().incr('count')).rejects.toThrow('ERR unavailable');
    expect(await connect().incr('count')).toBe(6);
  });

  it('is down until it is up again', async () => {
    front.down = true;
    await expect(connect().get('a')).rejects.toThrow('fetch failed');
    await expect(connect({ retries: 0 }).get('a')).rejects.toThrow('fetch failed');
    front.down = false;
    expect(await connect().get('a')).toBeNull();
  });
});
