import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { refusal } from './failures.ts';
import { send } from './http.ts';

/** An access token of one app, and when DingTalk stops taking it (milliseconds since the epoch). */
export interface StoredToken {
  value: string;
  expiresAtMs: number;
}

/** Where the instances of one app share its token. Any of these may fail or be slow: no call waits for them long. */
export interface TokenStore {
  read(): Promise<StoredToken | null>;
  save(token: StoredToken): Promise<void>;
  /** True for one instance in about half a minute: the one that renews. */
  claimRenewal(): Promise<boolean>;
}

export interface TokenSource {
  /** A token to call with. @throws BridgeError with a `dingtalk_…` code when DingTalk gives none. */
  get(): Promise<string>;
  /** DingTalk refused `used`: the next `get` asks DingTalk, whatever is remembered here or in the store. */
  invalidate(used: string): Promise<void>;
}

export interface TokenSourceOptions {
  config: DingTalkConfig;
  fetch: Fetch;
  clock: Clock;
  /** Null where nothing is shared. */
  store: TokenStore | null;
}

const FETCH_TIMEOUT_MS = 8_000;

/** Renew this long before the token ends: the official advice is 10 minutes of its 2 hours. */
const RENEW_EARLY_MS = 600_000;

/** So close to its end a token may not survive the call, so the call waits for the next one. */
const TOO_LATE_MS = 30_000;

/** How long to go on with the old one, after a renewal was begun here or elsewhere, before looking again. */
const LOOK_AGAIN_MS = 30_000;

/** The store answers within some 20 ms where it is near; after this long DingTalk itself is asked. */
const STORE_PATIENCE_MS = 400;

/** For how long a token counts as good, whatever a call says, after DingTalk gave out that very one again. */
const CONFIRMED_MS = 60_000;

const tokenBody = z.object({ accessToken: z.string().min(1), expireIn: z.number() });

/**
 * The app's access token: from memory, else from the store, else from DingTalk. Asking DingTalk again while a token is
 * valid returns the same one and extends it, so two instances that ask at once do no harm; renewal by one at a time
 * only spares calls.
 */
export function createTokenSource({ config, fetch, clock, store }: TokenSourceOptions): TokenSource {
  let cached: StoredToken | null = null;
  /** What DingTalk refused last; believed no more until DingTalk itself gives it out again. */
  let refused: string | null = null;
  let confirmed: { value: string; untilMs: number } | null = null;
  let acquiring: Promise<string> | null = null;
  let fetching: Promise<StoredToken> | null = null;
  let nextRenewalMs = 0;

  const leftMs = (token: StoredToken) => token.expiresAtMs - clock.now();

  /** The store's token if it can be used and lives longer than the one here. */
  async function fromStore(): Promise<StoredToken | null> {
    if (!store || refused !== null) return null;
    const stored = await inTime(clock, () => store.read(), null);
    // A call may have been refused while the store was asked.
    if (!stored || stored.value === refused || leftMs(stored) <= TOO_LATE_MS) return null;
    if (!cached || stored.expiresAtMs > cached.expiresAtMs) cached = stored;
    return cached;
  }

  async function requestToken(secret: string): Promise<StoredToken> {
    const askedAtMs = clock.now();
    const answer = await send(fetch, clock, 'accessToken', {
      method: 'POST',
      url: `${config.apiUrl}/v1.0/oauth2/accessToken`,
      body: { appKey: config.clientId, appSecret: secret },
      timeoutMs: FETCH_TIMEOUT_MS,
    });
    const parsed = tokenBody.safeParse(answer.json);
    if (answer.status !== 200 || !parsed.success) throw refusal('accessToken', answer.status, answer.json);
    return { value: parsed.data.accessToken, expiresAtMs: askedAtMs + parsed.data.expireIn * 1000 };
  }

  /** While the secret is being rotated, the new one may not be valid yet, or the old one no longer. */
  async function requestWithAnySecret(): Promise<StoredToken> {
    const [secret, oldSecret] = config.clientSecrets;
    try {
      return await requestToken(secret);
    } catch (error) {
      const isWrong = error instanceof BridgeError && error.code === 'dingtalk_credentials';
      if (!isWrong || oldSecret === undefined) throw error;
      return requestToken(oldSecret);
    }
  }

  /** One request however many wait for it. A failure is not remembered. */
  function fromDingTalk(): Promise<StoredToken> {
    fetching ??= requestWithAnySecret()
      .then((token) => {
        if (token.value === refused) confirmed = { value: token.value, untilMs: clock.now() + CONFIRMED_MS };
        refused = null;
        cached = token;
        // Nobody waits for this: without it the others ask DingTalk themselves.
        if (store) void inTime(clock, () => store.save(token), undefined);
        return token;
      })
      .finally(() => {
        fetching = null;
      });
    return fetching;
  }

  const acquire = async () => ((await fromStore()) ?? (await fromDingTalk())).value;

  /** Never rejects: a token that cannot be renewed now is asked for again when it is too late for the old one. */
  async function renew(): Promise<void> {
    nextRenewalMs = clock.now() + LOOK_AGAIN_MS;
    try {
      const stored = await fromStore();
      if (stored && leftMs(stored) > RENEW_EARLY_MS) return;
      const isOurs = !store || (await inTime(clock, () => store.claimRenewal(), true));
      if (isOurs) await fromDingTalk();
    } catch {
      // The failure shows at the call that needs the token.
    }
  }

  return {
    get() {
      if (cached && leftMs(cached) > TOO_LATE_MS) {
        if (leftMs(cached) <= RENEW_EARLY_MS && clock.now() >= nextRenewalMs) void renew();
        return Promise.resolve(cached.value);
      }
      acquiring ??= acquire().finally(() => {
        acquiring = null;
      });
      return acquiring;
    },
    async invalidate(used) {
      // Another call has seen to it already.
      if (cached && cached.value !== used) return;
      // DingTalk has just given out this very token again, so another one is not to be had.
      if (confirmed?.value === used && clock.now() < confirmed.untilMs) return;
      cached = null;
      refused = used;
    },
  };
}

/** What `work` brings; `otherwise` when it fails or takes too long. Never rejects. */
async function inTime<T>(clock: Clock, work: () => Promise<T>, otherwise: T): Promise<T> {
  let cancel = () => {};
  const late = new Promise<T>((resolve) => {
    cancel = clock.schedule(STORE_PATIENCE_MS, () => resolve(otherwise));
  });
  try {
    return await Promise.race([work(), late]);
  } catch {
    return otherwise;
  } finally {
    cancel();
  }
}
