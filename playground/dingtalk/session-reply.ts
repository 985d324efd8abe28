import { isRecord, isText, isTextList, recordOf, type Json } from '../http/shape.ts';
import { sessionAnswer, type Answer } from './answer.ts';
import { holdsUnsafeWord } from './content-check.ts';
import { unknownPicture } from './message-media.ts';
import type { SimulatedMessage } from './types.ts';
import { maxSessions, type World } from './world.ts';

/** protocol 2, reported: bodies over 20,000 bytes are refused. */
const maxBodyBytes = 20_000;
/** protocol 2: 20 messages a minute. Confirmed for custom robots; here it is held against every session. */
const perMinute = 20;

type Reading = Pick<SimulatedMessage, 'title' | 'text'> | { missing: string };

const need = (part: Json, ...names: string[]): string | undefined => names.find((name) => !isText(part[name]));

/** What each msgtype must hold, and the text a person would read (protocol 2). */
const readers: Record<string, (part: Json) => Reading> = {
  text: (part) => {
    const missing = need(part, 'content');
    return missing ? { missing } : { title: null, text: String(part['content']) };
  },
  markdown: (part) => {
    const missing = need(part, 'title', 'text');
    return missing ? { missing } : { title: String(part['title']), text: String(part['text']) };
  },
  actionCard: (part) => {
    const missing =
      need(part, 'title', 'text') ?? (Array.isArray(part['btns']) ? undefined : need(part, 'singleTitle', 'singleURL'));
    return missing ? { missing } : { title: String(part['title']), text: String(part['text']) };
  },
  link: (part) => {
    const missing = need(part, 'title', 'text', 'messageUrl');
    return missing ? { missing } : { title: String(part['title']), text: String(part['text']) };
  },
  feedCard: (part) => {
    const { links } = part;
    if (!Array.isArray(links) || links.length === 0) return { missing: 'links' };
    const missing = links.map((link) => need(recordOf(link), 'title', 'messageURL', 'picURL')).find(Boolean);
    return missing
      ? { missing }
      : { title: null, text: links.map((link) => String(recordOf(link)['title'])).join('\n') };
  },
};

function badMentions(at: unknown): Answer | undefined {
  if (at === undefined) return undefined;
  if (!isRecord(at)) return sessionAnswer(40035, '缺少参数 json', 'at must be an object');
  const ids = at['atUserIds'] ?? [];
  if (!isTextList(ids)) return sessionAnswer(40035, '缺少参数 json', 'at.atUserIds must be a list of user ids');
  return ids.length > 50 ? sessionAnswer(40035, '参数错误', 'more than 50 people are mentioned') : undefined;
}

export interface SessionRequest {
  session: string;
  contentType: string;
  body: Json | undefined;
  bytes: number;
}

export function createSessionReplies(world: World) {
  const { settings } = world;

  /**
   * POST /robot/sendBySession?session=… (protocol 2). Pictures go within markdown, by URL or media id; an image or a
   * file of its own is refused.
   */
  return (request: SessionRequest): Answer => {
    const { body } = request;
    if (!request.contentType.startsWith('application/json'))
      return sessionAnswer(43004, '无效的HTTP HEADER Content-Type', 'the content type must be application/json');
    if (!body || Object.keys(body).length === 0)
      return sessionAnswer(40035, '缺少参数 json', 'the body must be a JSON object');
    if (request.bytes > maxBodyBytes)
      return sessionAnswer(460101, 'message body is too long', `the body has ${request.bytes} bytes, more than 20000`);
    const session = world.sessions.get(request.session);
    const isForgotten = world.sessions.size >= maxSessions;
    if (!session)
      return sessionAnswer(300001, 'session 不存在', isForgotten ? undefined : 'the session was never issued');
    if (session.expiresAt <= world.clock.now()) return sessionAnswer(300001, 'session 不存在');
    const kind = body['msgtype'];
    const read = typeof kind === 'string' ? readers[kind] : undefined;
    if (typeof kind !== 'string' || !read) return sessionAnswer(400105, '不支持的消息类型', `msgtype ${String(kind)}`);
    const reading = read(recordOf(body[kind]));
    if ('missing' in reading)
      return sessionAnswer(40035, '缺少参数 json', `${kind}.${reading.missing} must be a text that is not empty`);
    const badAt = badMentions(body['at']);
    if (badAt) return badAt;
    if (holdsUnsafeWord(settings, [reading.text, reading.title ?? ''])) return sessionAnswer(430104, '内容不合适');

    const now = world.clock.now();
    session.sentAt = session.sentAt.filter((at) => at > now - 60_000);
    if (session.sentAt.length >= perMinute) return sessionAnswer(410100, '发送速度太快而限流');
    session.sentAt.push(now);
    const uuid = body['msgUuid'];
    if (typeof uuid === 'string') {
      // protocol 2: the same id is not sent twice. Confirmed for the address of custom robots.
      if (session.uuids.has(uuid)) return sessionAnswer(0, 'ok');
      session.uuids.add(uuid);
    }

    const at = recordOf(body['at']);
    const mayMention = kind !== 'link' && kind !== 'feedCard';
    // A mention counts only where the id also stands in the text.
    const listed = isTextList(at['atUserIds']) ? at['atUserIds'] : [];
    const message: SimulatedMessage = {
      id: world.createId(),
      at: now,
      channel: 'session',
      kind,
      conversationId: session.conversationId,
      ...reading,
      mentions: mayMention ? listed.filter((id) => reading.text.includes(`@${id}`)) : [],
      mentionsAll: mayMention && at['isAtAll'] === true,
      raw: body,
    };
    world.messages.push(message);
    world.emit({ type: 'message', message });
    return sessionAnswer(0, 'ok', kind === 'markdown' ? unknownPicture(world, reading.text) : undefined);
  };
}
