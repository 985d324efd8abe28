import type { Message } from '../../lib/dingtalk/callback.ts';
import type { Content, Quoted } from '../../lib/dingtalk/message-kinds.ts';

/** A message of Ann's in a group. */
export const messageOf = (content: Content, quoted: Quoted | null = null): Message => ({
  kind: 'message',
  id: 'msg-1',
  chat: { id: 'chat-1', isGroup: true, title: 'Team' },
  sender: { staffId: 'staff-0001', unionId: null, id: '$:LWCP_v1:$ann', nick: 'Ann', isAdmin: false },
  session: null,
  corpId: 'corp-1',
  content,
  quoted,
});
