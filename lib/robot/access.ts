import type { RobotConfig } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';

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
