import type { RobotConfig } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { RobotRow } from '../state/state.ts';
import { conversationOf } from '../turn/conversation.ts';

/**
 * Whether the sender may ask. Administrators may. Where both lists are set, the sender must be on both. The list of groups
 * is not applied to single chats. A sender without a staff id is on no list.
 */
export function mayAsk({ chat, sender }: Pick<Message, 'chat' | 'sender'>, access: RobotConfig['access']): boolean {
  if (isAdmin({ sender }, access)) return true;
  const { staffId } = sender;
  const userPasses = access.allowedUsers === null || (staffId !== null && access.allowedUsers.includes(staffId));
  const chatPasses = access.allowedChats === null || !chat.isGroup || access.allowedChats.includes(chat.id);
  return userPasses && chatPasses;
}

/** Configured administrators only: the callback's own `isAdmin` grants nothing. */
export function isAdmin({ sender: { staffId } }: Pick<Message, 'sender'>, access: RobotConfig['access']): boolean {
  return staffId !== null && access.adminUsers.includes(staffId);
}

/**
 * Most answers that robots get in a chat before a person writes there again. Two robots that mention each other would never
 * come to an end; three answers are enough for a robot that asks another one for something.
 */
const MOST_TO_ROBOTS = 3;

/** Where a message stands in the row of answers to robots: a robot's is counted, a person's ends the row. */
export function rowOf({ chat, sender, fromRobot }: Pick<Message, 'chat' | 'sender' | 'fromRobot'>): RobotRow {
  return { chat: conversationOf({ chat, sender }, 'chat').key, most: fromRobot ? MOST_TO_ROBOTS : null };
}
