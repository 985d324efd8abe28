import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import { withTimeout, type Clock } from '../runtime/clock.ts';
import { digest } from '../runtime/digest.ts';
import type { DingTalkClient } from './client.ts';
import { cardCallbackSecret } from './signature.ts';

/**
 * In place of a key: DingTalk sends what is pressed through the app's Stream connection, which needs no registration.
 */
export const STREAM = Symbol('stream');

/** Where DingTalk sends what is pressed on a card. */
export interface CardCallback {
  /**
   * The registered key by which a card names its callback; null when the registration failed: the card is then made
   * without a callback. Never rejects.
   */
  routeKey(): Promise<string | typeof STREAM | null>;
  /** Whether the next card may cost a call for the registration. */
  isPending(): boolean;
}

/** For development without a public address. */
export const streamCallback: CardCallback = { routeKey: async () => STREAM, isPending: () => false };

export interface CardCallbackOptions {
  client: DingTalkClient;
  config: DingTalkConfig;
  /** The function's own address for this robot. */
  address: string;
  /** Flags that all instances share. With them only one of the instances spends a call of the month to register. */
  flags: { isSet(name: string): Promise<boolean>; set(name: string, ttlMs: number): Promise<void> };
  clock: Clock;
  onFailed: (error: unknown) => void;
}

/** The address is registered again after this long, in case DingTalk has lost it. */
const REGISTERED_MS = 7 * 86_400_000;

/** After a failed registration cards are made without a callback for so long. */
const RETRY_MS = 600_000;

/** The longest that the first card waits for the registration. */
const PATIENCE_MS = 4_000;

const registered = z.object({ success: z.boolean().nullish() });

/**
 * Registers the address before the first card. The key is made of client id and address, because registering a key
 * again changes the callback of all cards that name it.
 */
export function createCardCallback({
  client,
  config,
  address,
  flags,
  clock,
  onFailed,
}: CardCallbackOptions): CardCallback {
  const routeKey = `bridge-${digest(`${config.clientId}\n${address}`)}`;
  const secret = cardCallbackSecret(config.clientSecrets[0]);
  const flag = `callback:${digest(`${routeKey}\n${secret}`)}`;
  let known: { key: Promise<string | null>; untilMs: number } | null = null;

  const current = () => (known && clock.now() < known.untilMs ? known : null);

  async function register(): Promise<string | null> {
    // Without the store each instance registers the address: that costs calls and does no harm.
    if (await flags.isSet(flag).catch(() => false)) return routeKey;
    const answer = await client.call('registerCallback', {
      method: 'POST',
      path: '/v1.0/card/callbacks/register',
      body: { callbackRouteKey: routeKey, callbackUrl: address, apiSecret: secret, forceUpdate: true },
      timeoutMs: PATIENCE_MS,
    });
    if (registered.safeParse(answer).data?.success === false) {
      throw new BridgeError('dingtalk_callback_unregistered', 'DingTalk did not register the address');
    }
    await flags.set(flag, REGISTERED_MS).catch(() => undefined);
    return routeKey;
  }

  async function attempt(): Promise<string | null> {
    try {
      return await withTimeout(clock, PATIENCE_MS, register);
    } catch (error) {
      onFailed(error);
      return null;
    }
  }

  return {
    isPending: () => current() === null,
    routeKey() {
      const kept = current();
      if (kept) return kept.key;
      const fresh = { key: attempt(), untilMs: clock.now() + REGISTERED_MS };
      known = fresh;
      void fresh.key.then((key) => {
        if (key === null) fresh.untilMs = clock.now() + RETRY_MS;
      });
      return fresh.key;
    },
  };
}
