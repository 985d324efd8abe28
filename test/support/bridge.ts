// The whole function over real HTTP, between a simulated DingTalk and a simulated Dify.
import { createApp, type App } from '../../lib/app.ts';
import type { LeaseTiming } from '../../lib/turn/lease-timing.ts';
import type { Platform } from '../../lib/runtime/platform.ts';
import { sleep, systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { STORE_TIMEOUT_MS } from '../../lib/state/redis/failure.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifyOptions, DifySimulator, SampleApp } from '../../playground/dify/types.ts';
import { keepStream } from '../../lib/dingtalk/stream/stream.ts';
import { openWebSocket } from '../../lib/dingtalk/stream/web-socket.ts';
import { createStreamGateway, type StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type {
  CallbackInput,
  Delivery,
  DingTalkOptions,
  DingTalkSimulator,
  SimulatedCard,
} from '../../playground/dingtalk/types.ts';
import { createLife } from '../../playground/server/life.ts';
import { startHost } from '../../scripts/host.ts';
import { app as credentials, GROUP, TEMPLATE, templates } from './dingtalk.ts';

export { GROUP, TEMPLATE, templates };

export const API_KEY = 'app-key-1';

/** Sooner than DingTalk sends a message again. */
const RESEND_MS = 1_000;

export interface BridgeOptions {
  app?: Partial<SampleApp>;
  dify?: Partial<DifyOptions>;
  dingtalk?: Partial<DingTalkOptions>;
  env?: Record<string, string | undefined>;
  /** Default: the system's. The store may take as long as in reality, however fast the clock is. */
  clock?: Clock & { speed?: number };
  leaseTiming?: LeaseTiming;
  /** A store that outlives the function. */
  state?: State;
  /** How messages and presses reach the function. Default: by HTTP callback. */
  door?: Door;
}

export type Door = 'http' | 'stream';

export interface Bridge {
  dingtalk: DingTalkSimulator;
  dify: DifySimulator;
  /** Null where the door is HTTP. */
  gateway: StreamGateway | null;
  /** The function's own address. */
  readonly url: string;
  /** Where DingTalk delivers messages, and presses on cards. */
  readonly callbackUrl: string;
  logs: Record<string, unknown>[];
  /** Delivers a message, signed, and returns DingTalk's view of the answer. `overrides` change the callback's body. */
  send(input: CallbackInput | string, overrides?: Record<string, unknown>): Promise<Delivery>;
  /** Delivers a message and waits until its answer is complete. */
  ask(input: CallbackInput | string, overrides?: Record<string, unknown>): Promise<Delivery>;
  /** Waits until nothing is being answered. */
  idle(): Promise<void>;
  /** Starts the function afresh, with nothing of its own memory, and returns the new address. */
  restart(): Promise<string>;
  /** Ends the function as the platform does, at once and in the middle of whatever it does, and starts it afresh. */
  kill(): Promise<void>;
  /** All cards, the oldest first. */
  cards(): SimulatedCard[];
  /** The only card. */
  card(): SimulatedCard;
  close(): Promise<void>;
}

/** For cards with buttons. */
export const withButtons = {
  dingtalk: { templates: templates({ buttons: true }) },
  env: { DINGTALK_CARD_BUTTONS: 'true' },
} satisfies BridgeOptions;

/** The two vendors that the function stands between, and the environment that points it at them. */
export async function startVendors(options: BridgeOptions, clock: Clock) {
  const dingtalk = await createDingTalkSimulator({
    app: { clientId: credentials.clientId, clientSecret: credentials.clientSecret },
    templates: templates(),
    people: [
      { staffId: 'staff-1', unionId: 'union-1', nick: '王小明' },
      { staffId: 'staff-2', unionId: 'union-2', nick: '李雷' },
      { unionId: 'union-3', nick: '外部客户' },
    ],
    groups: [{ conversationId: GROUP, title: '售后支持群', members: ['staff-1', 'staff-2', 'union-3'] }],
    clock,
    ...options.dingtalk,
  });
  const dify = await createDifySimulator({
    apps: { [API_KEY]: { mode: 'chat', name: 'helper', ...options.app } },
    clock,
    ...options.dify,
  });
  const env = {
    DINGTALK_CLIENT_ID: credentials.clientId,
    DINGTALK_CLIENT_SECRET: credentials.clientSecret,
    DINGTALK_CARD_TEMPLATE_ID: TEMPLATE,
    DINGTALK_API_URL: dingtalk.origin,
    DINGTALK_OAPI_URL: dingtalk.origin,
    DIFY_API_URL: dify.url,
    DIFY_API_KEY: API_KEY,
    // Most stories are about what an answer says; what stands below it has stories of its own.
    AI_LABEL: 'false',
  };
  return { dingtalk, dify, env };
}

async function waitFor(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries === 5_000) throw new Error('the function opened no connection');
    await sleep(systemClock, 2);
  }
}

export async function startBridge(options: BridgeOptions = {}): Promise<Bridge> {
  const clock = options.clock ?? systemClock;
  const gateway =
    options.door === 'stream'
      ? await createStreamGateway({ app: options.dingtalk?.app ?? credentials, clock, resendMs: RESEND_MS })
      : null;
  const stream = gateway ? { stream: gateway } : {};
  const { dingtalk, dify, env } = await startVendors(
    { ...options, dingtalk: { ...stream, ...options.dingtalk } },
    clock,
  );
  const logs: Record<string, unknown>[] = [];
  let life = createLife();
  let running = 0;
  let idleWaiters: (() => void)[] = [];
  /** Counts the work that goes on after the acknowledgement, so that a story can wait for it. */
  const counted = (platform: Platform): Platform => ({
    ...platform,
    waitUntil(work) {
      const { isOver } = life;
      running += 1;
      platform.waitUntil(
        work.finally(() => {
          if (isOver()) return;
          running -= 1;
          if (running === 0) for (const wake of idleWaiters.splice(0)) wake();
        }),
      );
    },
  });
  const startFunction = async () => {
    let app: App | null = null;
    const own = (life = createLife());
    const { state } = options;
    const started = await startHost({
      port: 0,
      hostname: '127.0.0.1',
      handle: async (request, platform) =>
        app?.handle(request, counted(platform)) ?? new Response(null, { status: 503 }),
    });
    // Only now is the address known that the function hands its turns on to.
    app = createApp({
      env: { PUBLIC_URL: started.url, ...env, ...(gateway ? { DINGTALK_CONNECTION: 'stream' } : {}), ...options.env },
      openStream: (given) => keepStream({ ...given, openSocket: own.socket(openWebSocket), random: () => 0 }),
      clock: own.clock(clock),
      fetch: own.fetch,
      createMemoryState: (ownClock) => (state ? own.state(state) : createMemoryState(ownClock)),
      writeLog: (line) => logs.push(JSON.parse(line) as Record<string, unknown>),
      storeTimeoutMs: STORE_TIMEOUT_MS * (options.clock?.speed ?? 1),
      ...(options.leaseTiming ? { leaseTiming: options.leaseTiming } : {}),
    });
    current = app;
    if (gateway && app.ok) {
      app.connect(counted(started.platform));
      await waitFor(() => gateway.connections().length > 0);
    }
    return started;
  };
  let current: App | null = null;
  let host = await startFunction();
  const address = () => `${host.url}/api/dingtalk`;
  const callbackUrl = () => gateway?.callbackUrl ?? address();
  const disconnect = async () => {
    if (current?.ok) await current.disconnect();
  };
  const deliver: Bridge['send'] = (input, overrides) =>
    dingtalk.deliver(
      callbackUrl(),
      dingtalk.callback(typeof input === 'string' ? { from: 'staff-1', text: input } : input, overrides),
    );
  const cards = () => [...dingtalk.cards.values()];
  const idle = () => (running === 0 ? Promise.resolve() : new Promise<void>((resolve) => idleWaiters.push(resolve)));

  const bridge: Bridge = {
    dingtalk,
    dify,
    gateway,
    get url() {
      return address();
    },
    get callbackUrl() {
      return callbackUrl();
    },
    logs,
    send: deliver,
    async ask(input, overrides) {
      const delivery = await deliver(input, overrides);
      await idle();
      return delivery;
    },
    idle,
    async restart() {
      if (!life.isOver()) await disconnect();
      await host.close(0);
      host = await startFunction();
      return address();
    },
    async kill() {
      life.end();
      running = 0;
      await bridge.restart();
    },
    cards,
    card() {
      const [card, ...others] = cards();
      if (!card || others.length > 0) throw new Error(`${cards().length} cards`);
      return card;
    },
    async close() {
      await disconnect();
      await host.close(0);
      await Promise.all([dingtalk.close(), dify.close(), gateway?.close()]);
      idleWaiters = [];
    },
  };
  return bridge;
}
