import { describe, expect, test } from 'vitest';
import type { DingTalkConfig } from '../../lib/config/robot.ts';
import { isRefusedForNow, isUnanswered, type BridgeError } from '../../lib/errors.ts';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { createTokenSource, type StoredToken, type TokenStore } from '../../lib/dingtalk/token.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { codeOf } from '../support/delivery.ts';
import { app, robotConfig, startDingTalk } from '../support/dingtalk.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const fetch = createFetch();

const SECRET = app.clientSecret;
const MINUTE_MS = 60_000;
const LIFE_MS = 120 * MINUTE_MS;

/** What the instances of a tenant share, with ways to break it. */
function createStore(clock: VirtualClock) {
  let token: StoredToken | null = null;
  let claimedUntilMs = 0;
  let fault: (() => Promise<never>) | null = null;
  let claims = 0;
  const store: TokenStore = {
    read: async () => (fault ? fault() : token),
    async save(fresh) {
      if (fault) return fault();
      token = fresh;
    },
    async claimRenewal() {
      if (fault) return fault();
      claims += 1;
      if (clock.now() < claimedUntilMs) return false;
      claimedUntilMs = clock.now() + 30_000;
      return true;
    },
  };
  return {
    ...store,
    claims: () => claims,
    stored: () => token,
    put(fresh: StoredToken) {
      token = fresh;
    },
    breakWith(how: () => Promise<never>) {
      fault = how;
    },
  };
}

async function scene() {
  const clock = createVirtualClock();
  // Its time is ours, but the network's is the real one.
  const { dingtalk, config } = await startDingTalk({ clock: { ...systemClock, now: () => clock.now() } });
  let asked = 0;
  const countingFetch: Fetch = (url, init) => {
    if (url.endsWith('/accessToken')) asked += 1;
    return fetch(url, init);
  };
  return {
    clock,
    dingtalk,
    store: createStore(clock),
    /** Requests for a token so far, counted where they begin. */
    asked: () => asked,
    attempts: () => dingtalk.calls.filter(({ api }) => api === 'sendToPeople').length,
    instance: (store: TokenStore | null = null, clientSecrets: DingTalkConfig['clientSecrets'] = [SECRET]) =>
      createTokenSource({ config: { ...config, clientSecrets }, fetch: countingFetch, clock, store }),
    client: (store?: TokenStore) => createDingTalkClient(config, countingFetch, clock, store),
  };
}

const notice = {
  method: 'POST',
  path: '/v1.0/robot/oToMessages/batchSend',
  body: {
    robotCode: app.robotCode,
    userIds: ['staff-1'],
    msgKey: 'sampleMarkdown',
    msgParam: JSON.stringify({ title: '提醒', text: '好' }),
  },
} as const;

describe('a token', () => {
  test('is asked for once, however many calls wait for it and come later', async () => {
    const { clock, asked, instance } = await scene();
    const source = instance();
    const tokens = await Promise.all(Array.from({ length: 60 }, () => source.get()));
    expect(new Set(tokens).size).toBe(1);
    await clock.advance(LIFE_MS - 11 * MINUTE_MS);
    expect(await source.get()).toBe(tokens[0]);
    await clock.advance(0);
    expect(asked()).toBe(1);
  });

  test('that was not given is asked for again by the next call', async () => {
    const { dingtalk, asked, instance } = await scene();
    const source = instance();
    dingtalk.faults.inject({ api: 'accessToken', kind: 'busy' });
    expect(await codeOf(source.get())).toBe('dingtalk_server_error');
    expect(await codeOf(source.get())).toBe('fine');
    expect(asked()).toBe(2);
  });

  test('is asked for with the new secret, and with the old one while the new one is not valid yet', async () => {
    const { asked, instance } = await scene();
    expect(await codeOf(instance(null, ['the next one', SECRET]).get())).toBe('fine');
    expect(asked()).toBe(2);
    expect(await codeOf(instance(null, [SECRET, 'the last one']).get())).toBe('fine');
    expect(asked()).toBe(3);
    expect(await codeOf(instance(null, ['wrong', 'wrong as well']).get())).toBe('dingtalk_credentials');
  });

  test('is asked for with one secret only when DingTalk is what fails', async () => {
    const { dingtalk, asked, instance } = await scene();
    dingtalk.faults.inject({ api: 'accessToken', kind: 'reset' });
    const failure = await instance(null, [SECRET, 'the last one'])
      .get()
      .catch((error: unknown) => error);
    // The call that needed the token was not sent.
    expect([(failure as BridgeError).code, isUnanswered(failure), isRefusedForNow(failure)]).toEqual([
      'dingtalk_unreachable',
      false,
      true,
    ]);
    expect(asked()).toBe(1);
  });
});

describe('a shared token', () => {
  test('is asked for by the first instance and read by the others', async () => {
    const { store, asked, instance } = await scene();
    const first = await instance(store).get();
    expect(await instance(store).get()).toBe(first);
    expect(asked()).toBe(1);
  });

  test('that has ended, or nearly, is not used', async () => {
    const { clock, store, asked, instance } = await scene();
    store.put({ value: 'old', expiresAtMs: clock.now() + 20_000 });
    expect(await instance(store).get()).not.toBe('old');
    expect(asked()).toBe(1);
  });

  test.each([
    ['fails', () => Promise.reject(new Error('no store'))],
    [
      'throws',
      () => {
        throw new Error('no store');
      },
    ],
  ] as const)('is not missed when the store %s', async (_how, fault) => {
    const { store, asked, instance } = await scene();
    store.breakWith(fault);
    expect(await codeOf(instance(store).get())).toBe('fine');
    expect(asked()).toBe(1);
  });

  test('is not waited for longer than 400 ms', async () => {
    const { clock, store, asked, instance } = await scene();
    store.breakWith(() => new Promise(() => undefined));
    const token = codeOf(instance(store).get());
    await clock.advance(399);
    expect(asked()).toBe(0);
    await clock.advance(1);
    expect(await token).toBe('fine');
  });

  test('is not believed when it was refused while the store was being read', async () => {
    const { clock, store, instance } = await scene();
    const reading = Promise.withResolvers<StoredToken>();
    const source = instance({ ...store, read: () => reading.promise });
    const token = source.get();
    source.invalidate('refused');
    reading.resolve({ value: 'refused', expiresAtMs: clock.now() + LIFE_MS });
    expect(await token).not.toBe('refused');
  });
});

describe('renewal', () => {
  test('is done ten minutes early by one of the instances, and none of them waits for it', async () => {
    const { clock, store, asked, instance } = await scene();
    const instances = Array.from({ length: 5 }, () => instance(store));
    await Promise.all(instances.map((source) => source.get()));
    const before = asked();
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    const old = store.stored();
    for (let round = 0; round < 10; round += 1) await Promise.all(instances.map((source) => source.get()));
    // All were answered before the network had a chance.
    expect(store.stored()).toBe(old);
    await expect.poll(asked).toBe(before + 1);
    await expect.poll(() => store.stored()?.expiresAtMs).toBe(clock.now() + LIFE_MS);
    expect(store.claims()).toBe(5);
    // The others look again, and find it.
    await clock.advance(30_000);
    await Promise.all(instances.map((source) => source.get()));
    await clock.advance(LIFE_MS - 12 * MINUTE_MS);
    await Promise.all(instances.map((source) => source.get()));
    expect(asked()).toBe(before + 1);
    expect(store.claims()).toBe(5);
  });

  test('that fails leaves the old token in use and is tried again half a minute later', async () => {
    const { clock, dingtalk, store, asked, instance } = await scene();
    const source = instance(store);
    await source.get();
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    dingtalk.faults.inject({ api: 'accessToken', kind: 'busy' });
    for (let count = 0; count < 3; count += 1) expect(await codeOf(source.get())).toBe('fine');
    await expect.poll(asked).toBe(2);
    await clock.advance(29_999);
    await source.get();
    await clock.advance(1);
    expect(asked()).toBe(2);
    await source.get();
    await expect.poll(asked).toBe(3);
  });

  test('happens without a store', async () => {
    const { clock, asked, instance } = await scene();
    const source = instance();
    await source.get();
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    await source.get();
    await expect.poll(asked).toBe(2);
  });

  test('that is under way is joined by the call that would come too late', async () => {
    const { clock, dingtalk, asked, instance } = await scene();
    const source = instance();
    await source.get();
    await clock.advance(LIFE_MS - 31_000);
    dingtalk.faults.inject({ api: 'accessToken', kind: 'slow', delayMs: 100 });
    await source.get();
    await clock.advance(2_000);
    expect(await codeOf(source.get())).toBe('fine');
    expect(asked()).toBe(2);
  });

  test('is done by every instance that cannot reach the store', async () => {
    const { clock, store, asked, instance } = await scene();
    const source = instance(store);
    await source.get();
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    store.breakWith(() => Promise.reject(new Error('no store')));
    await source.get();
    await expect.poll(asked).toBe(2);
  });

  test('does not take a token from the store that ends before the one in use', async () => {
    const { clock, store, instance } = await scene();
    const source = instance({ ...store, claimRenewal: async () => false });
    const token = await source.get();
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    store.put({ value: 'ends sooner', expiresAtMs: clock.now() + 5 * MINUTE_MS });
    await source.get();
    await clock.advance(0);
    expect(await source.get()).toBe(token);
  });

  test('that nobody carried out is made good by the call that would come too late', async () => {
    const { clock, store, asked, instance } = await scene();
    const source = instance({ ...store, claimRenewal: async () => false });
    await source.get();
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    await source.get();
    await clock.advance(9 * MINUTE_MS - 30_000);
    expect(asked()).toBe(1);
    expect(await codeOf(source.get())).toBe('fine');
    expect(asked()).toBe(2);
  });
});

describe('a refused token', () => {
  test('is replaced, here and in the store, and the call is repeated', async () => {
    const { dingtalk, store, asked, attempts, client } = await scene();
    const first = client(store);
    await first.call('notice', notice);
    const old = store.stored()?.value;
    dingtalk.invalidateTokens();
    expect(await codeOf(first.call('notice', notice))).toBe('fine');
    await expect.poll(() => store.stored()?.value).not.toBe(old);
    expect(await codeOf(client(store).call('notice', notice))).toBe('fine');
    expect(asked()).toBe(2);
    expect(attempts()).toBe(4);
  });

  test('is replaced by DingTalk, not by what another instance left in the store', async () => {
    const { clock, dingtalk, store, asked, instance } = await scene();
    const source = instance(store);
    const old = await source.get();
    dingtalk.invalidateTokens();
    store.put({ value: 'older still', expiresAtMs: clock.now() + LIFE_MS });
    source.invalidate(old);
    const fresh = await source.get();
    expect(fresh).not.toBe('older still');
    await expect.poll(() => store.stored()?.value).toBe(fresh);
    // That is over with the new one: what others renew is taken from the store again.
    await clock.advance(LIFE_MS - 9 * MINUTE_MS);
    store.put({ value: 'renewed elsewhere', expiresAtMs: clock.now() + LIFE_MS });
    await source.get();
    await clock.advance(0);
    expect(await source.get()).toBe('renewed elsewhere');
    expect(asked()).toBe(2);
  });

  test('is replaced once for all the calls that met it', async () => {
    const { dingtalk, asked, client } = await scene();
    dingtalk.settings.qps = 1_000;
    const one = client();
    await one.call('notice', notice);
    dingtalk.invalidateTokens();
    const calls = Array.from({ length: 30 }, () => codeOf(one.call('notice', notice)));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['fine']));
    expect(asked()).toBe(2);
  });

  test.each([
    ['400 InvalidAuthentication', { status: 400, code: 'InvalidAuthentication' }],
    ['401', { status: 401, code: 'whatever' }],
  ])('is asked for again after %s, but not for ever when DingTalk gives the same one', async (_what, fault) => {
    const { clock, dingtalk, asked, attempts, client } = await scene();
    const one = client();
    dingtalk.faults.inject({ api: 'sendToPeople', kind: 'status', times: Infinity, ...fault });
    const results = await Promise.all(Array.from({ length: 5 }, () => codeOf(one.call('notice', notice))));
    expect(results).toEqual(Array(5).fill('dingtalk_token_invalid'));
    expect(attempts()).toBe(10);
    expect(asked()).toBe(2);
    await clock.advance(59_000);
    expect(await codeOf(one.call('notice', notice))).toBe('dingtalk_token_invalid');
    expect(asked()).toBe(2);
    await clock.advance(1_000);
    expect(await codeOf(one.call('notice', notice))).toBe('dingtalk_token_invalid');
    expect(asked()).toBe(3);
  });

  test('that DingTalk gives out again stays confirmed through a renewal', async () => {
    const clock = createVirtualClock();
    let asked = 0;
    const source = createTokenSource({
      config: robotConfig().dingtalk,
      async fetch() {
        asked += 1;
        return Response.json({ accessToken: 'the only one', expireIn: 300 });
      },
      clock,
      store: null,
    });
    source.invalidate(await source.get());
    // It ends so soon that this call renews it.
    await source.get();
    await source.get();
    await clock.advance(0);
    expect(asked).toBe(3);
    source.invalidate('the only one');
    expect(await source.get()).toBe('the only one');
    expect(asked).toBe(3);
  });

  test('is not asked for again by a call that was late to notice', async () => {
    const { dingtalk, asked, instance } = await scene();
    const source = instance();
    const old = await source.get();
    dingtalk.invalidateTokens();
    source.invalidate(old);
    const fresh = await source.get();
    source.invalidate(old);
    expect(await source.get()).toBe(fresh);
    expect(asked()).toBe(2);
  });
});
