import type { Clock } from '../../runtime/clock.ts';
import { createMemoryConversations } from './conversations.ts';
import { createMemoryCounters } from './counters.ts';
import { createExpiringMap } from './expiring-map.ts';
import { createMemoryForms } from './forms.ts';
import { createMemoryHeld } from './held.ts';
import { createMemoryLeases } from './leases.ts';
import { createMemoryBudget, createMemoryRates } from './limits.ts';
import { createMemoryLines } from './lines.ts';
import { createMemoryRobotRows } from './robot-rows.ts';
import type { MemoryClaim, MemoryTurn } from './turn.ts';

export type MemoryParts = ReturnType<typeof createMemoryParts>;

/** What the in-process store keeps. */
export function createMemoryParts(clock: Clock) {
  const claims = createExpiringMap<MemoryClaim>(clock);
  const turns = createExpiringMap<MemoryTurn>(clock);
  const conversations = createMemoryConversations(clock);
  return {
    claims,
    turns,
    payloads: createExpiringMap<string>(clock),
    /** The reply addresses of answered turns. */
    addresses: createExpiringMap<string>(clock),
    /** The turn whose answer a card shows, by what DingTalk calls the card. */
    cards: createExpiringMap<string>(clock),
    conversations,
    held: createMemoryHeld(clock, conversations, claims),
    robots: createMemoryRobotRows(clock),
    lines: createMemoryLines(turns),
    leases: createMemoryLeases(),
    forms: createMemoryForms(conversations, (turnId) => turns.get(turnId)?.receipt ?? null),
    accounts: createMemoryBudget(clock),
    counters: createMemoryCounters(clock),
    isLimited: createMemoryRates(clock),
    flags: createExpiringMap<true>(clock),
  };
}
