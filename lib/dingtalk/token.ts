import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError, hasCode } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import { within, type Clock } from '../runtime/clock.ts';
import { refusal } from './failures.ts';
import { send } from './http.ts';

/** An access token of one app, and when DingTalk stops accepting it (milliseconds since the epoch). */
export interface StoredToken {
  value: string;
  expiresAtMs: number;
}

/** Where the instances of one app share its token. Each of these may fail or be slow; no call waits long for them. */
export interface TokenStore {
  read(): Promise<StoredToken | null>;
  save(token: StoredToken): Promise<void>;
  /** True for one instance in about half a minute: the one that renews. */
  claimRenewal(): Promise<boolean>;
}

export interface TokenSource {
  /** A token to call with. @throws BridgeError with a `dingtalk_…` code when DingTalk gives none. */
  get(): Promise<string>;
  /** DingTalk refused `used`: the next `get` asks DingTalk, not the memory of this instance and not the store. */
  invalidate(used: string): void;
}

export interface TokenSourceOptions {
  config: DingTalkConfig;
  fetch: Fetch;
  clock: Clock;
  /** Null where nothing is shared. */
  store: TokenStore | null;
}

const FETCH_TIMEOUT_MS = 8_000;

/** A renewal begins this long before the token ends: DingTalk advises 10 minutes of its 2 hours. */
const RENEW_EARLY_MS = 600_000;

/** A token this close to its end may end during the call, so the call waits for the next token. */
const TOO_LATE_MS = 30_000;

/** After a renewal began, here or in another instance, the old token stays in use for so long before the next look. */
const LOOK_AGAIN_MS = 30_000;

/** A near store answers within some 20 ms. After this long this instance asks DingTalk instead. */
const STORE_PATIENCE_MS = 400;

/** When DingTalk gives out a refused token again, further refusals of it are ignored for so long. */
const CONFIRMED_MS = 60_000;

const tokenBody = z.object({ accessToken: z.string().min(1), expireIn: z.number() });

/** What this instance knows of the app's token. */
type Known =
  | { kind: 'none' }
  | {
      kind: 'usable';
      token: StoredToken;
      /** Set when DingTalk gave the token out again after a refusal: until then DingTalk has no other; else 0. */
      confirmedUntilMs: number;
    }
  /** DingTalk refused this value. The store may still hold it, so only DingTalk is asked for the next one. */
  | { kind: 'refused'; value: string };

/**
 * The app's access token: from memory, else from the store, else from DingTalk. While a token is valid, DingTalk gives
 * out the same one and extends it. So two instances that ask at once do no harm; one of them renews only to save calls.
 */
export function createTokenSource({ config, fetch, clock, store }: TokenSourceOptions): TokenSource {
  let known: Known = { kind: 'none' };
  let lookAgainAtMs = 0;

  const usable = () => (known.kind === 'usable' ? known.token : null);

  const isRefused = ({ value }: StoredToken) => known.kind === 'refused' && known.value === value;

  const leftMs = (token: StoredToken) => token.expiresAtMs - clock.now();

  function keep(token: StoredToken): void {
    let confirmedUntilMs = 0;
    // Only DingTalk's own answer brings a refused value here.
    if (isRefused(token)) confirmedUntilMs = clock.now() + CONFIRMED_MS;
    else if (known.kind === 'usable' && known.token.value === token.value) confirmedUntilMs = known.confirmedUntilMs;
    known = { kind: 'usable', token, confirmedUntilMs };
  }

  /** What the store says; `otherwise` when it fails or is slow. Never rejects. */
  const inTime = <T>(ask: () => Promise<T>, otherwise: T): Promise<T> =>
    within(clock, STORE_PATIENCE_MS, ask()).catch(() => otherwise);

  /** The token of this instance or of the store, whichever lives longer; null when none of them can be used. */
  async function fromStore(): Promise<StoredToken | null> {
    if (!store || known.kind === 'refused') return null;
    const stored = await inTime(() => store.read(), null);
    // A call may have been refused while the store was asked.
    if (!stored || isRefused(stored) || leftMs(stored) <= TOO_LATE_MS) return null;
    const here = usable();
    if (here && here.expiresAtMs >= stored.expiresAtMs) return here;
    keep(stored);
    return stored;
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

  const fromDingTalk = shared(async () => {
    const token = await withAnySecret(config, requestToken).catch((error: unknown) => {
      // The call that the token is for is not sent, so nothing can come of it.
      if (!(error instanceof BridgeError)) throw error;
      throw new BridgeError(error.code, error.message, { ...error.facts, unsent: true }, error);
    });
    keep(token);
    // No call waits for the store here. If the token does not get there, the other instances ask DingTalk themselves.
    if (store) void inTime(() => store.save(token), undefined);
    return token;
  });

  const acquire = shared(async () => ((await fromStore()) ?? (await fromDingTalk())).value);

  /** Never rejects: when this renewal fails, the old token stays in use until it is too late for it. */
  async function renew(): Promise<void> {
    lookAgainAtMs = clock.now() + LOOK_AGAIN_MS;
    try {
      const stored = await fromStore();
      if (stored && leftMs(stored) > RENEW_EARLY_MS) return;
      const isOurs = !store || (await inTime(() => store.claimRenewal(), true));
      if (isOurs) await fromDingTalk();
    } catch {
      // The call that needs the token reports the failure.
    }
  }

  return {
    get() {
      const token = usable();
      if (!token || leftMs(token) <= TOO_LATE_MS) return acquire();
      if (leftMs(token) <= RENEW_EARLY_MS && clock.now() >= lookAgainAtMs) void renew();
      return Promise.resolve(token.value);
    },
    invalidate(used) {
      if (known.kind === 'usable') {
        // Another call has replaced the token already.
        if (known.token.value !== used) return;
        if (clock.now() < known.confirmedUntilMs) return;
      }
      known = { kind: 'refused', value: used };
    },
  };
}

/**
 * Asks with the app's secret, and with the old one where DingTalk does not know the new one: while the secret is being
 * rotated, DingTalk may not accept the new one yet, or not accept the old one any more.
 */
export async function withAnySecret<T>(
  { clientSecrets: [secret, oldSecret] }: Pick<DingTalkConfig, 'clientSecrets'>,
  ask: (secret: string) => Promise<T>,
): Promise<T> {
  try {
    return await ask(secret);
  } catch (error) {
    if (!hasCode(error, 'dingtalk_credentials') || oldSecret === undefined) throw error;
    return ask(oldSecret);
  }
}

/** One run of `work` at a time: a call that comes meanwhile waits for the same result. A failure is not remembered. */
function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () =>
    (running ??= work().finally(() => {
      running = null;
    }));
}
