import type { Callback, DingTalkEvent, DingTalkSimulator, SimulatedCard, SimulatedMessage } from '../dingtalk/types.ts';
import { GROUPS, PERSON_INFOS } from './cast.ts';
import { noteQuestion } from './watch.ts';
import type { Journal } from './journal.ts';
import type { ChatInfo, DeliveryInfo, Mention, QuestionItem } from './protocol.ts';

/** Callbacks that can be delivered again. */
const MAX_CALLBACKS = 300;

export interface Chats {
  infos: ChatInfo[];
  /** Sends a message as a person; it is delivered in the background. Null when chat and person do not fit. */
  send(input: { chat: string; from: string; text: string }): QuestionItem | null;
  /** Delivers the very same callback again. */
  redeliver(id: string): boolean;
  /** Whose request brings about what DingTalk will show next. */
  noteRequest(request: { path: string; body: string; question: string | null }): void;
  forget(): void;
}

export interface ChatsOptions {
  dingtalk: DingTalkSimulator;
  journal: Journal;
  callbackUrl: () => string;
}

/** The chats as people see them: what they write, and what DingTalk shows of the robot. */
export function createChats({ dingtalk, journal, callbackUrl }: ChatsOptions): Chats {
  const callbacks = new Map<string, Callback>();
  /** Card ids and bodies of session replies, by the question they belong to. */
  const owners = new Map<string, string | null>();
  const infos = chatInfos(dingtalk);

  const remember = <T>(map: Map<string, T>, key: string, value: T) => {
    map.delete(key);
    map.set(key, value);
    const oldest = map.keys().next();
    if (map.size > MAX_CALLBACKS && !oldest.done) map.delete(oldest.value);
  };

  const deliver = async (item: QuestionItem, callback: Callback) => {
    const delivery: DeliveryInfo = { at: Date.now(), ms: null, status: null };
    item.deliveries.push(delivery);
    journal.putItem(item);
    const answer = await dingtalk.deliver(callbackUrl(), callback).catch(() => ({ status: 0, ms: 0 }));
    Object.assign(delivery, { status: answer.status, ms: answer.ms });
    if (journal.item(item.id)) journal.putItem(item);
  };

  const onCard = (card: SimulatedCard) => {
    const question = owners.get(card.outTrackId) ?? null;
    // After a reset, what was asked before it is nobody's any more.
    if (question === null || !journal.item(question)) return;
    const frame = card.frames.at(-1);
    if (frame && !journal.item(card.outTrackId)) return;
    const { at, content, final, error } = frame ?? { at: 0, content: '', final: false, error: false };
    if (frame) journal.addFrame({ card: card.outTrackId, index: card.frames.length - 1, at, content, final, error });
    journal.putItem({
      kind: 'card',
      id: card.outTrackId,
      chat: card.conversationId,
      at: card.createdAt,
      question,
      phase: card.phase,
      content: card.content,
      mentions: card.mentions.map(({ userId, name }) => ({ id: userId, name })),
      summary: card.listSummary?.['ZH_CN'] ?? null,
      endedAt: card.endedAt,
    });
  };

  const onMessage = (message: SimulatedMessage) => {
    const question = owners.get(JSON.stringify(message.raw)) ?? null;
    if (question === null || !journal.item(question)) return;
    journal.putItem({
      kind: 'message',
      id: message.id,
      chat: message.conversationId,
      at: message.at,
      question,
      title: message.title,
      text: message.text,
      mentions: message.mentions.map(mentionOf),
    });
  };

  dingtalk.subscribe((event: DingTalkEvent) => {
    if (event.type === 'card') onCard(event.card);
    if (event.type === 'message') onMessage(event.message);
  });

  return {
    infos,
    send({ chat, from, text }) {
      const info = infos.find(({ id }) => id === chat);
      if (!info?.members.includes(from)) return null;
      const conversation = info.kind === 'group' ? { conversation: chat } : {};
      const callback = dingtalk.callback({ from, text, ...conversation });
      const id = String(callback.body['msgId']);
      remember(callbacks, id, callback);
      noteQuestion(id);
      const item: QuestionItem = { kind: 'question', id, chat, at: Date.now(), from, text, deliveries: [] };
      void deliver(item, callback);
      return item;
    },
    redeliver(id) {
      const item = journal.item(id);
      const callback = callbacks.get(id);
      if (item?.kind !== 'question' || !callback) return false;
      void deliver(item, callback);
      return true;
    },
    noteRequest({ path, body, question }) {
      if (path.endsWith('/createAndDeliver')) {
        const { outTrackId } = JSON.parse(body) as { outTrackId?: unknown };
        remember(owners, String(outTrackId), question);
      } else if (path === '/robot/sendBySession') remember(owners, body, question);
    },
    forget() {
      callbacks.clear();
      owners.clear();
    },
  };
}

function chatInfos(dingtalk: DingTalkSimulator): ChatInfo[] {
  const singles = PERSON_INFOS.map(({ id, name }) => ({
    id: dingtalk.singleConversation(id),
    kind: 'single' as const,
    title: { zh: name, en: name },
    members: [id],
  }));
  const groups = GROUPS.map(({ conversationId, title, english, members }) => ({
    id: conversationId,
    kind: 'group' as const,
    title: { zh: title, en: english },
    members,
  }));
  return [...singles, ...groups];
}

const mentionOf = (id: string): Mention => ({
  id,
  name: PERSON_INFOS.find((person) => person.id === id)?.name ?? id,
});
