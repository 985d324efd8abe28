import type { Clock } from '../../lib/runtime/clock.ts';
import type {
  Callback,
  Delivery,
  DingTalkEvent,
  DingTalkSimulator,
  SimulatedCard,
  SimulatedMessage,
} from '../dingtalk/types.ts';
import { keepNewest } from '../http/newest.ts';
import { pressOf } from '../dingtalk/callback.ts';
import { CALLBACK_TARGET, withoutSecrets } from './curl.ts';
import { GROUP_INFOS, inLanguage, PERSON_INFOS, ROBOT } from './cast.ts';
import { mirrorDrawing, mirrorFile } from './mirror.ts';
import { prepare, type Sending } from './sending.ts';
import { noteQuestion, TAP_HEADER } from './watch.ts';
import type { Journal, OpenCall } from './journal.ts';
import type { Json } from './redaction.ts';
import type { Recorder } from './recorder.ts';
import type {
  ChatInfo,
  DeliveryInfo,
  Mention,
  PressShape,
  QuestionItem,
  ReplyLanguage,
  SaidInfo,
  TapItem,
} from './protocol.ts';
import type { Uploads } from './uploads.ts';

/** Callbacks that can be delivered again. */
const MAX_CALLBACKS = 300;

/** Most entries of a forwarded record. */
const MAX_SAID = 10;

/** What a person taps on a card. */
export interface Tapping {
  card: string;
  from: string;
  actionId: string;
  params: Record<string, unknown>;
  /** What the button says. */
  label: string;
}

export interface Chats {
  infos: ChatInfo[];
  /** Sends a message as a person; it is delivered in the background. Null when that cannot be sent. */
  send(sending: Sending): QuestionItem | null;
  /** Taps a button and waits for what comes back. Null when that person does not see the card. */
  tap(tapping: Tapping): Promise<TapItem | null>;
  /** Follows a link as a person; null when it sends nothing. */
  followLink(link: { chat: string; from: string; url: string }): QuestionItem | null;
  /** Delivers the very same callback again. */
  redeliver(id: string): boolean;
  /** Whose request brings about what DingTalk will show next. */
  noteRequest(request: { path: string; body: string; question: string | null }): void;
  forget(): void;
}

export interface ChatsOptions {
  clock: Clock;
  dingtalk: DingTalkSimulator;
  journal: Journal;
  recorder: Recorder;
  uploads: Uploads;
  /** Called before DingTalk delivers a message or a press. */
  beforeDelivery: () => void;
  callbackUrl: () => string;
  language: () => ReplyLanguage;
  pressShape: () => PressShape;
}

/** The chats as people see them: what they write, and what DingTalk shows of the robot. */
export function createChats(options: ChatsOptions): Chats {
  const { clock, dingtalk, journal, recorder, uploads, beforeDelivery, callbackUrl, language, pressShape } = options;
  const callbacks = new Map<string, Callback>();
  /** Card ids and bodies of messages, by the question they belong to. */
  const owners = new Map<string, string | null>();
  const infos = chatInfos(dingtalk);
  let taps = 0;

  const mentionOf = (id: string): Mention => {
    const name = PERSON_INFOS.find((person) => person.id === id)?.name;
    return { id, name: name ? inLanguage(name, language()) : id };
  };

  const remember = <T>(map: Map<string, T>, key: string, value: T) => {
    map.delete(key);
    map.set(key, value);
    keepNewest(map, MAX_CALLBACKS);
  };

  const deliver = async (item: QuestionItem, callback: Callback) => {
    beforeDelivery();
    const delivery: DeliveryInfo = { at: clock.now(), ms: null, status: null };
    item.deliveries.push(delivery);
    journal.putItem(item);
    const request = JSON.stringify(withoutSecrets(callback.body as Json));
    const call = journal.openCall({
      service: 'callback',
      name: '/api/dingtalk',
      method: 'POST',
      target: CALLBACK_TARGET,
      question: item.id,
      request,
      requestBytes: Buffer.byteLength(request),
    });
    const answer = await dingtalk.deliver(callbackUrl(), callback).catch(() => ({ status: 0, ms: 0, body: '' }));
    finishCall(call, answer);
    Object.assign(delivery, { status: answer.status, ms: answer.ms });
    if (journal.item(item.id)) journal.putItem(item);
  };

  const onCard = (card: SimulatedCard) => {
    const question = owners.get(card.outTrackId) ?? null;
    // Its question is gone: it was asked before a reset.
    if (question === null || !journal.item(question)) return;
    const frame = card.frames.at(-1);
    if (frame && !journal.item(card.outTrackId)) return;
    const { at, content, final, error } = frame ?? { at: 0, content: '', final: false, error: false };
    if (frame) journal.addFrame({ card: card.outTrackId, index: card.frames.length - 1, at, content, final, error });
    const people = infos.find(({ id }) => id === card.conversationId)?.members ?? [];
    journal.putItem({
      kind: 'card',
      id: card.outTrackId,
      chat: card.conversationId,
      at: card.createdAt,
      question,
      phase: card.phase,
      content: card.content,
      mentions: card.mentions.map(({ userId, name }) => ({ id: userId, name })),
      drawn: mirrorDrawing(dingtalk, card, people),
      wide: dingtalk.isWide(card.outTrackId),
      summary: (card.summaryFollows && card.content) || (card.listSummary?.['ZH_CN'] ?? null),
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
      file: mirrorFile(dingtalk, message),
    });
  };

  dingtalk.subscribe((event: DingTalkEvent) => {
    if (event.type === 'card') onCard(event.card);
    if (event.type === 'message') onMessage(event.message);
  });

  /** Sends what was made ready. */
  const dispatch = (callback: Callback, shown: Omit<QuestionItem, 'kind' | 'id' | 'at' | 'deliveries'>) => {
    const id = String(callback.body['msgId']);
    remember(callbacks, id, callback);
    noteQuestion(id);
    recorder.noteMessage(id, callback);
    const item: QuestionItem = { kind: 'question', id, at: clock.now(), ...shown, deliveries: [] };
    void deliver(item, callback);
    return item;
  };

  const chatOf = (chat: string, from: string) => {
    const info = infos.find(({ id }) => id === chat);
    return info?.members.includes(from) ? info : null;
  };

  /** What was said last in a chat, as a person forwards it. */
  function saidIn(chat: string): SaidInfo[] {
    const items = journal.contents().items.filter((item) => item.chat === chat);
    const robot = inLanguage(ROBOT, language());
    return items
      .toSorted((a, b) => a.at - b.at)
      .flatMap((item): SaidInfo[] => {
        if (item.kind === 'tap') return [];
        if (item.kind === 'card') return [{ name: robot, text: item.content, file: null }];
        if (item.kind === 'message') return [{ name: robot, text: item.text, file: item.file }];
        if (item.record) return [];
        const { name } = mentionOf(item.from);
        const words = item.recognition ?? item.text;
        return [
          ...item.files.map((file) => ({ name, text: '', file })),
          ...(words === '' ? [] : [{ name, text: words, file: null }]),
        ];
      })
      .slice(-MAX_SAID);
  }

  return {
    infos,
    send(sending) {
      const { chat, from, text } = sending;
      const info = chatOf(chat, from);
      if (!info) return null;
      const isGroup = info.kind === 'group';
      const prepared = prepare(sending, { uploads, isGroup, item: (id) => journal.item(id), said: () => saidIn(chat) });
      if (!prepared) return null;
      const { input, ...shown } = prepared;
      const callback = dingtalk.callback({ from, ...input, ...(isGroup ? { conversation: chat } : {}) });
      return dispatch(callback, { chat, from, text, ...shown });
    },
    async tap({ card, from, actionId, params, label }) {
      const shown = journal.item(card);
      if (shown?.kind !== 'card' || !chatOf(shown.chat, from)) return null;
      beforeDelivery();
      const id = `tap-${(taps += 1)}`;
      const delivery: DeliveryInfo = { at: clock.now(), ms: null, status: null };
      const item: TapItem = {
        kind: 'tap',
        id,
        chat: shown.chat,
        at: clock.now(),
        from,
        card,
        actionId,
        text: label,
        deliveries: [delivery],
      };
      journal.putItem(item);
      recorder.noteTap(id, { outTrackId: card, userId: from, actionId, params });
      const press = { actionId, params, shape: pressShape() };
      const request = JSON.stringify(pressOf(press));
      const call = journal.openCall({
        service: 'callback',
        name: 'card callback',
        method: null,
        target: null,
        question: id,
        request,
        requestBytes: Buffer.byteLength(request),
      });
      const tapped = await dingtalk.tap(
        { outTrackId: card, userId: from, ...press },
        { headers: { [TAP_HEADER]: id } },
      );
      finishCall(call, tapped);
      Object.assign(delivery, { status: tapped.status, ms: tapped.ms });
      if (journal.item(id)) journal.putItem(item);
      return item;
    },
    followLink({ chat, from, url }) {
      if (!chatOf(chat, from)) return null;
      const input = dingtalk.tapLink(chat, from, url);
      if (!input) return null;
      const shown = { chat, from, text: input.text ?? '', files: [], recognition: null, quote: null, record: null };
      return dispatch(dingtalk.callback(input), shown);
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
      else if (/\/robot\/(?:oToMessages\/batchSend|groupMessages\/send)$/.test(path)) {
        const { msgParam } = JSON.parse(body) as { msgParam?: unknown };
        remember(owners, JSON.stringify(JSON.parse(String(msgParam))), question);
      }
    },
    forget() {
      callbacks.clear();
      owners.clear();
      recorder.clear();
      uploads.forget();
    },
  };
}

function finishCall(call: OpenCall, { status, body }: Delivery): void {
  const responseBytes = Buffer.byteLength(body);
  call.finish({ status, code: status === 200 ? 'ok' : String(status), response: body, responseBytes });
}

function chatInfos(dingtalk: DingTalkSimulator): ChatInfo[] {
  const singles = PERSON_INFOS.map(({ id, name }) => ({
    id: dingtalk.singleConversation(id),
    kind: 'single' as const,
    title: name,
    members: [id],
  }));
  return [...singles, ...GROUP_INFOS];
}
