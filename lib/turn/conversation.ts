import type { RobotConfig } from '../config/robot.ts';
import type { Message, Sender } from '../dingtalk/callback.ts';
import { digest } from '../runtime/digest.ts';
import type { Turn, TurnPayload, TurnProgress } from './turn.ts';

/** The name of the asker in stored records. */
export function askerOf({ sender }: { sender: Pick<Sender, 'staffId' | 'id'> }): string {
  return sender.staffId ?? sender.id;
}

/** Who talks with Dify, and in which conversation, according to the robot's scope. */
export interface Conversation {
  /** Names the context in the store. */
  key: string;
  /** Dify's `user`. A conversation of Dify belongs to one user, so a shared one has the chat for its user. */
  difyUser: string;
}

export function conversationOf(
  { chat, sender }: Pick<Message, 'chat' | 'sender'>,
  scope: RobotConfig['conversation']['scope'],
): Conversation {
  // Never the nick: people rename themselves, and two can have the same.
  const person = sender.staffId ?? `sender-${digest(sender.id)}`;
  switch (scope) {
    case 'user-in-chat':
      return { key: digest(`user-in-chat\n${chat.id}\n${person}`), difyUser: person };
    case 'user':
      return { key: digest(`user\n${person}`), difyUser: person };
    case 'chat':
      return { key: digest(`chat\n${chat.id}`), difyUser: `chat-${digest(chat.id)}` };
  }
}

/** Whom Dify knows the asker of a turn as (`Turn.user`). */
export function userOfTurn(
  { form, message }: Pick<TurnPayload, 'form' | 'message'>,
  scope: RobotConfig['conversation']['scope'],
): string {
  return form?.user ?? conversationOf(message, scope).difyUser;
}

/** Dify's id; null for a new one. A second try, also of another instance, goes on in the one that the first try began. */
export const conversationToAskIn = (
  { record }: Pick<Turn, 'record'>,
  { ids }: Pick<TurnProgress, 'ids'>,
): string | null => ids.conversationId ?? record.context?.difyConversationId ?? null;

/** The name of a group in which forms of several people can wait; null where each of them waits in its own chat or context. */
export function groupOf({ chat }: Pick<Message, 'chat'>, scope: RobotConfig['conversation']['scope']): string | null {
  return chat.isGroup && scope !== 'chat' ? digest(`group\n${chat.id}`) : null;
}
