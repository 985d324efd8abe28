import type { Clock } from '../../runtime/clock.ts';
import type { ConversationContext, FormChange, Remembered } from '../state.ts';
import { createExpiringMap } from './expiring-map.ts';

/** Conversations, within this process. */
export function createMemoryConversations(clock: Clock) {
  const conversations = createExpiringMap<ConversationContext>(clock);

  const context = (key: string): ConversationContext =>
    conversations.get(key) ?? { generation: '', difyConversationId: null, form: null };

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
      conversations.set(conversationKey, { ...known, form: change.kind === 'wait' ? change.form : null }, ttlMs);
    },
    start(key: string, generation: string, ttlMs: number | null): void {
      if (context(key).generation === generation) return;
      conversations.set(key, { generation, difyConversationId: null, form: null }, ttlMs);
    },
  };
}
