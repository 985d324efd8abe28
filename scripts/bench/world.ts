// One instance of a version's code in a process of its own, between simulators in this one, over a real Redis.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '../../lib/runtime/clock.ts';
import { LEASE_TIMING } from '../../lib/turn/lease-timing.ts';
import type { DifySimulator } from '../../playground/dify/types.ts';
import type { Delivery, DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import type { Code } from '../../test/chaos/code.ts';
import type { HostSettings } from '../../test/chaos/fleet.ts';
import { startVendors, type BridgeOptions } from '../../test/support/bridge.ts';
import { startStore, type TestStore } from '../../test/support/store.ts';
import { createCountingProxy } from './counting-proxy.ts';

/** What the process of the instance has used since it was asked last. */
export interface Used {
  cpuMs: number;
  rssMb: number;
  heapMb: number;
  /** How late the process ran what was due. */
  delayP99Ms: number;
  delayMaxMs: number;
}

export interface World {
  dingtalk: DingTalkSimulator;
  dify: DifySimulator;
  store: TestStore;
  /** New connections of the instance so far. */
  connections: () => { dingtalk: number; dify: number };
  /** A message of this person, delivered; `ms` is the time to the acknowledgement. */
  send: (from: string, text: string) => Promise<Delivery>;
  /** Waits until so many cards have ended. */
  ended: (cards: number) => Promise<void>;
  used: () => Promise<Used>;
  /** The same without collecting garbage before. */
  look: () => Promise<Used>;
}

export type WorldOptions = Pick<BridgeOptions, 'app' | 'dingtalk'> & {
  env?: Record<string, string>;
  people?: number;
  /** How long the store takes to answer. */
  storeMs?: number;
};

/** How many people there are, unless a row names more. */
const PEOPLE = 20;

export const personOf = (index: number): string => `p${index}`;

/** Runs `measure` in a world that is warm: the instance has a token, and knows the app. */
export async function inWorld<T>(
  { host }: Code,
  { people = PEOPLE, storeMs = 0, ...options }: WorldOptions,
  measure: (world: World) => Promise<T>,
): Promise<T> {
  const store = await startStore();
  const persons = Array.from({ length: people }, (_, index) => ({
    staffId: personOf(index),
    unionId: `u${index}`,
    nick: `P${index}`,
  }));
  const vendors = await startVendors(
    { ...options, dingtalk: { people: persons, qps: 1_000_000, ...options.dingtalk } },
    systemClock,
  );
  const { dingtalk, dify } = vendors;
  const proxies = {
    dingtalk: await createCountingProxy(dingtalk.origin),
    dify: await createCountingProxy(dify.url),
  };
  const settings: HostSettings = {
    env: {
      ...vendors.env,
      DINGTALK_API_URL: proxies.dingtalk.url,
      DINGTALK_OAPI_URL: proxies.dingtalk.url,
      DIFY_API_URL: proxies.dify.url,
      DINGTALK_QPS: '10000',
      ...store.env,
      ...options.env,
    },
    clock: { startMs: Date.now(), speed: 1 },
    leaseTiming: LEASE_TIMING,
  };
  const child = fork(host, [JSON.stringify(settings)], {
    execArgv: ['--expose-gc', '--import', fileURLToPath(new URL('probe.mjs', import.meta.url))],
    // The log is no part of what is measured, and nobody reads it.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const told = async <M>() => ((await once(child, 'message')) as [M])[0];
  const url = `${(await told<{ url: string }>()).url}/api/dingtalk`;
  const endedCards = () => [...dingtalk.cards.values()].filter(({ endedAt }) => endedAt !== null).length;
  const world: World = {
    dingtalk,
    dify,
    store,
    connections: () => ({ dingtalk: proxies.dingtalk.connections, dify: proxies.dify.connections }),
    send: (from, text) => dingtalk.deliver(url, dingtalk.callback({ from, text })),
    async ended(cards) {
      while (endedCards() < cards) await sleep(systemClock, 5);
    },
    async used() {
      child.send('probe');
      return told<Used>();
    },
    async look() {
      child.send('look');
      return told<Used>();
    },
  };
  try {
    if (storeMs > 0) store.front.faults.push({ kind: 'delay', ms: storeMs, times: Number.POSITIVE_INFINITY });
    await world.send(personOf(0), 'warm up');
    await world.ended(1);
    await world.used();
    return await measure(world);
  } finally {
    child.kill('SIGKILL');
    await exited;
    await Promise.all([proxies.dingtalk.close(), proxies.dify.close(), dingtalk.close(), dify.close()]);
    await store.close();
  }
}
