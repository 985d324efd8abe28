import type { FinishRequest, State } from '../state.ts';
import { DUE_AGAIN_MS, MOST_GROUP_FORMS, type ConversationContext } from '../told.ts';
import type { createMemoryConversations } from './conversations.ts';
import type { MemoryTurn } from './turn.ts';

interface Wait {
  dueAtMs: number;
  untilMs: number;
  group: string | null;
}

/** Forms that wait on cards, within this process. */
export function createMemoryForms(
  conversations: ReturnType<typeof createMemoryConversations>,
  receiptOf: (turnId: string) => string | null,
) {
  const waits = new Map<string, Wait>();

  /** The turns whose form is due, the oldest first. */
  function due(nowMs: number, limit: number): string[] {
    const overdue = [...waits].filter(([, { dueAtMs }]) => dueAtMs <= nowMs);
    const told = overdue.toSorted(([, a], [, b]) => a.dueAtMs - b.dueAtMs).slice(0, limit);
    for (const [, wait] of told) wait.dueAtMs = nowMs + DUE_AGAIN_MS;
    return told.map(([id]) => id);
  }

  /** The receipts of the turns whose cards show the waiting forms of a group, the newest first. */
  function of(group: string | null, nowMs: number): string[] {
    if (group === null) return [];
    const waiting = [...waits].filter(([, wait]) => wait.group === group && wait.untilMs >= nowMs);
    const newest = waiting.toSorted(([, a], [, b]) => b.untilMs - a.untilMs).slice(0, MOST_GROUP_FORMS);
    return newest.flatMap(([id]) => receiptOf(id) ?? []);
  }

  const operations: Pick<State, 'dueForms' | 'postponeForm'> = {
    dueForms: async ({ nowMs, limit }) => due(nowMs, limit),
    async postponeForm({ turnId, untilMs }) {
      const wait = waits.get(turnId);
      if (untilMs === null) waits.delete(turnId);
      else if (wait) wait.dueAtMs = untilMs;
    },
  };

  return {
    operations,
    due,
    size: () => waits.size,
    /** What a turn that ends says about forms. */
    finish({ turnId, waits: wait, formsOver = [] }: FinishRequest): void {
      for (const over of formsOver) waits.delete(over);
      if (wait) waits.set(turnId, { dueAtMs: wait.untilMs, ...wait });
    },
    /** What is told of the conversation of a turn; less where it has begun anew since. */
    contextOf({ conversationKey, generation, toldOf }: MemoryTurn, nowMs: number): ConversationContext {
      const known = conversations.context(conversationKey);
      const isSame = known.generation === generation;
      const own = isSame ? known : { difyConversationId: null, form: null, forms: null };
      return { ...own, generation, others: of(toldOf, nowMs) };
    },
  };
}
