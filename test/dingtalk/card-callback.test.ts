import { describe, expect, test } from 'vitest';
import { createCardCallback, STREAM, streamCallback } from '../../lib/dingtalk/card-callback.ts';
import type { ApiRequest } from '../../lib/dingtalk/client.ts';
import { cardCallbackSecret } from '../../lib/dingtalk/signature.ts';
import { BridgeError } from '../../lib/errors.ts';
import { app, robotConfig } from '../support/dingtalk.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

const ADDRESS = 'https://bot.example/api/dingtalk';
const DAY_MS = 86_400_000;

/** What DingTalk answers to a registration; a function may throw, or never answer. */
type Answer = () => Promise<unknown>;

const fine: Answer = async () => ({ success: true });
const refused: Answer = async () => Promise.reject(new BridgeError('dingtalk_permission_missing', 'on purpose'));
const never: Answer = () => new Promise(() => undefined);

interface SceneOptions {
  answers?: Answer[];
  /** Flags that all instances know, with the time until which they are set; null while the store is down. */
  flags?: Map<string, number> | null;
  clock?: VirtualClock;
  address?: string;
}

function scene({
  answers = [],
  flags = new Map(),
  clock = createVirtualClock(),
  address = ADDRESS,
}: SceneOptions = {}) {
  const requests: (ApiRequest & { api: string })[] = [];
  const failed: unknown[] = [];
  const callback = createCardCallback({
    client: {
      async call(api, request) {
        requests.push({ api, ...request });
        return (answers.shift() ?? fine)();
      },
      upload: () => Promise.reject(new Error('nothing is to be uploaded here')),
    },
    config: robotConfig().dingtalk,
    address,
    flags: {
      async isSet(name) {
        if (!flags) throw new Error('no store');
        return (flags.get(name) ?? 0) > clock.now();
      },
      async set(name, ttlMs) {
        if (!flags) throw new Error('no store');
        flags.set(name, clock.now() + ttlMs);
      },
    },
    clock,
    onFailed: (error) => failed.push(error),
  });
  return { callback, clock, requests, failed };
}

describe('the address for what is pressed', () => {
  test('is registered before the first card, with a key and a secret of its own', async () => {
    const { callback, requests, failed } = scene();
    expect(callback.isPending()).toBe(true);
    const key = await callback.routeKey();
    expect(key).toMatch(/^bridge-[0-9a-f]{32}$/);
    expect(requests).toMatchObject([
      {
        api: 'registerCallback',
        path: '/v1.0/card/callbacks/register',
        body: {
          callbackRouteKey: key,
          callbackUrl: ADDRESS,
          apiSecret: cardCallbackSecret(app.clientSecret),
          forceUpdate: true,
        },
      },
    ]);
    expect(callback.isPending()).toBe(false);
    expect(failed).toEqual([]);
  });

  test('is registered once, however many cards ask for its key', async () => {
    const { callback, requests } = scene();
    const keys = await Promise.all([callback.routeKey(), callback.routeKey(), callback.routeKey()]);
    expect(new Set([...keys, await callback.routeKey()]).size).toBe(1);
    expect(requests).toHaveLength(1);
  });

  test('is registered by one of the instances', async () => {
    const flags = new Map<string, number>();
    const clock = createVirtualClock();
    const key = await scene({ flags, clock }).callback.routeKey();
    const second = scene({ flags, clock });
    expect(await second.callback.routeKey()).toBe(key);
    expect(second.requests).toEqual([]);
  });

  test('is registered by each instance while the store is down', async () => {
    const { callback, requests, failed } = scene({ flags: null });
    expect(await callback.routeKey()).toMatch(/^bridge-/);
    expect(requests).toHaveLength(1);
    expect(failed).toEqual([]);
  });

  test('has a key of its own for each address', async () => {
    const other = scene({ address: `${ADDRESS}/hr` });
    expect(await other.callback.routeKey()).not.toBe(await scene().callback.routeKey());
  });

  test('is registered again after seven days', async () => {
    const { callback, clock, requests } = scene();
    await callback.routeKey();
    await clock.advance(7 * DAY_MS - 1);
    await callback.routeKey();
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    await callback.routeKey();
    expect(requests).toHaveLength(2);
  });

  test.each<[string, Answer, object]>([
    ['refuses', refused, { code: 'dingtalk_permission_missing' }],
    ['does not take it', async () => ({ success: false }), { code: 'dingtalk_callback_unregistered' }],
    ['does not answer within 4 s', never, { name: 'TimeoutError' }],
  ])('that DingTalk %s is tried again after ten minutes; cards go without until then', async (_how, answer, error) => {
    const { callback, clock, requests, failed } = scene({ answers: [answer] });
    const first = callback.routeKey();
    await clock.advance(4_000);
    expect(await first).toBeNull();
    expect(failed).toMatchObject([error]);
    expect(callback.isPending()).toBe(false);
    await clock.advance(599_999 - 4_000);
    expect(await callback.routeKey()).toBeNull();
    expect(requests).toHaveLength(1);
    await clock.advance(4_001);
    expect(callback.isPending()).toBe(true);
    expect(await callback.routeKey()).toMatch(/^bridge-/);
    expect(requests).toHaveLength(2);
  });
});

test('through the Stream connection nothing is registered', async () => {
  expect(await streamCallback.routeKey()).toBe(STREAM);
  expect(streamCallback.isPending()).toBe(false);
});
