// What one question costs a store: requests, bytes, and the memory that stays when it is answered.
import { GROUP, startBridge } from './bridge.ts';
import { sendTo, type TestStore } from './store.ts';

export interface Footprint {
  requests: number;
  /** Bodies of these requests. */
  bytes: number;
  /** Bytes of Redis, by the kind of key, that stay for 30 days. */
  memory: Record<string, number>;
  memoryInAll: number;
}

/** Longer than everything that expires by itself soon. */
const SOON_MS = 2 * 86_400_000;

const KIND = /^[^{]*(?:\{[^}]*\}:)?([^:]*)/u;

/** Names of the keys that are kept for long, with what Redis says of their size. */
async function keptKeys({ redis }: TestStore): Promise<Map<string, number>> {
  const [listed] = await sendTo(redis, ['KEYS', '*']);
  const names = (listed as Buffer[]).map(String);
  const lifetimes = await sendTo(redis, ...names.map((name) => ['PTTL', name]));
  const long = names.filter((_, index) => Number(lifetimes[index]) > SOON_MS);
  const sizes = await sendTo(redis, ...long.map((name) => ['MEMORY', 'USAGE', name, 'SAMPLES', '0']));
  return new Map(long.map((name, index) => [name, Number(sizes[index])]));
}

/** Asks twice, the second time as an instance that is warm, in a conversation that is known. */
export async function footprintOf(store: TestStore): Promise<Footprint> {
  // What is there when the answer is first recorded, as of one that takes 4.5 s, and the rest well after that.
  const chunks = [
    { afterMs: 60, text: '答案'.repeat(35) },
    { afterMs: 1_500, text: '答案'.repeat(265) },
  ];
  const bridge = await startBridge({ app: { script: { chunks } }, env: store.env });
  const ask = { from: 'staff-1', text: '年假怎么申请？', conversation: GROUP };
  await bridge.ask(ask);
  const before = await keptKeys(store);
  store.front.requests.length = 0;
  await bridge.ask(ask);
  const requests = [...store.front.requests];
  await bridge.close();
  const kept = [...(await keptKeys(store))].filter(([name]) => !before.has(name));
  const memory: Record<string, number> = {};
  for (const [name, size] of kept) {
    const kind = KIND.exec(name)?.[1] ?? name;
    memory[kind] = (memory[kind] ?? 0) + size;
  }
  return {
    requests: requests.length,
    bytes: requests.reduce((sum, { bytes }) => sum + bytes, 0),
    memory,
    memoryInAll: kept.reduce((sum, [, size]) => sum + size, 0),
  };
}
