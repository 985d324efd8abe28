import type { Clock } from '../../runtime/clock.ts';
import type { State } from '../state.ts';
import { createMemoryAccepting } from './accepting.ts';
import { createMemoryParts } from './parts.ts';
import { createMemoryRecords } from './records.ts';
import { createMemoryRunning } from './running.ts';
import { createMemoryStop } from './stop.ts';

export interface MemoryState extends State {
  /** How many entries are kept, so that a test can see that they do not pile up. */
  size(): number;
}

/** State within this process, for the playground and for a server of one process. A host hands it to `createApp`. */
export function createMemoryState(clock: Clock): MemoryState {
  const parts = createMemoryParts(clock);
  const { claims, turns, payloads, addresses, cards, conversations, held, robots, lines, leases, forms, counters } =
    parts;
  return {
    isDurable: false,
    tokens: null,
    storeTime: (nowMs) => nowMs,
    size: () =>
      [claims, turns, payloads, addresses, cards, conversations, held, robots, lines, leases, forms].reduce(
        (sum, part) => sum + part.size(),
        0,
      ),
    ...createMemoryAccepting(parts),
    ...createMemoryRunning(parts),
    ...createMemoryRecords(parts),
    ...forms.operations,
    stop: createMemoryStop(parts),
    overdue: async ({ nowMs, limit }) => leases.overdue(nowMs, limit),
    async startConversation({ conversationKey, generation, ttlMs }) {
      const dropped = held.leave(conversationKey, generation);
      conversations.start(conversationKey, generation, ttlMs);
      return dropped;
    },
    noteArrival: counters.arrived,
    status: async ({ nowMs }) => ({ running: leases.size(), waiting: lines.waiting(), ...counters.read(nowMs) }),
  };
}
