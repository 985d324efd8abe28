// What an answer asks of the store.
import { startBridge } from '../../test/support/bridge.ts';
import { footprintOf } from '../../test/support/footprint.ts';
import { programPath } from '../../test/support/programs.ts';
import { startStore, type TestStore } from '../../test/support/store.ts';
import { createFastClock } from '../../test/support/virtual-clock.ts';
import { answerOf, ROUND_TRIP_MS } from './calls.ts';

/** A round trip to the store, in the same region. */
const STORE_MS = 10;

/** Requests of one answer of so many seconds, on an instance that is warm. */
async function storeRequests({ env, front }: TestStore, seconds: number): Promise<number> {
  const chunks = Array.from({ length: seconds }, () => ({ afterMs: 1_000, text: '答案' }));
  const bridge = await startBridge({
    app: { script: ({ text }) => ({ chunks: text === 'tell me' ? chunks : [{ text: 'warm' }] }) },
    env,
    clock: createFastClock(20),
  });
  await bridge.ask({ from: 'staff-1', text: 'warm up', msgId: `warm-${seconds}` });
  front.requests.length = 0;
  await bridge.ask({ from: 'staff-1', text: 'tell me', msgId: `long-${seconds}` });
  const requests = front.requests.length;
  await bridge.close();
  return requests;
}

/** How often an answer asks the store, and what the acknowledgement waits for. */
export async function measureStore(): Promise<string[]> {
  if (!programPath('redis-server')) return ['store requests and acknowledgement: SKIPPED, needs redis-server'];
  const store = await startStore();
  const { front, env } = store;
  front.faults.push({ kind: 'delay', ms: STORE_MS, times: Number.POSITIVE_INFINITY });
  const bridge = await startBridge({
    app: { script: { chunks: answerOf(1) } },
    dingtalk: { latencyMs: ROUND_TRIP_MS },
    env,
  });
  await bridge.ask('warm up');
  front.requests.length = 0;
  const { ms } = await bridge.send('tell me');
  const beforeAck = front.requests.length;
  await bridge.idle();
  const total = front.requests.length;
  const storeMs = front.requests[0]?.ms ?? STORE_MS;
  await bridge.close();
  front.faults.length = 0;
  await store.clear();
  const { bytes, memory, memoryInAll } = await footprintOf(store);
  const byLength: string[] = [];
  for (const seconds of [20, 45, 70]) byLength.push(`${await storeRequests(store, seconds)} for ${seconds} s`);
  await store.close();
  return [
    `store requests for an answer, warm: ${total} (before the acknowledgement: ${beforeAck}); ${byLength.join(', ')}`,
    `bytes to the store for an answer, warm: ${bytes}; Redis memory of an answered question, 30 days: ${memoryInAll} B ${JSON.stringify(memory)}`,
    `acknowledged after ${(ms / storeMs).toFixed(1)} store round trips, ${(ms / ROUND_TRIP_MS).toFixed(1)} DingTalk round trips`,
  ];
}
