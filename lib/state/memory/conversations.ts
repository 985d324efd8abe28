import type { Clock } from '../../runtime/clock.ts';
import type { FormChange, Remembered } from '../state.ts';
import type { ConversationContext } from '../told.ts';
import { createExpiringMap } from './expiring-map.ts';

/** Conversations, within this process. */
export function createMemoryConversations(clock: Clock) {
  const conversations = createExpiringMap<ConversationContext>(clock);

  const context = (key: string): ConversationContext =>
    conversations.get(key) ?? { generation: '', difyConversationId: null, form: null, forms: null };

  return {
    context,
    size: () => conversations.size(),
    /** Prolongs a conversation; true when it was not known before. */
    meet(key: string, ttlMs: number | null): boolean {
      const isFirst = conversations.get(key) === undefined;
      conversations.set(key, context(key), ttlMs);
      return isFirst;
    },
    remember({ conversationKey, generation, difyConversationId, ttlMs }: Remembered): void {
      const known = context(conversationKey);
      if (difyConversationId === null || known.generation !== generation) return;
      conversations.set(conversationKey, { ...known, difyConversationId }, ttlMs);
    },
    changeForm({ conversationKey, generation, ttlMs }: Remembered, change: FormChange): void {
      const known = context(conversationKey);
      if (change.kind === 'keep' || known.generation !== generation) return;
      const { newest: form, all } = change;
      conversations.set(conversationKey, { ...known, form, forms: all ?? known.forms ?? null }, ttlMs);
    },
    start(key: string, generation: string, ttlMs: number | null): void {
      const { generation: before, forms = null } = context(key);
      if (before === generation) return;
      // Its forms stay: their numbers are not given again, and words that name one are no question.
      conversations.set(key, { generation, difyConversationId: null, form: null, forms }, ttlMs);
    },
  };
}
