import { createHmac } from 'node:crypto';
import { isText, type Json } from '../http/shape.ts';
import type { Callback, CallbackInput, CardActionInput, MessageKind, Person } from './types.ts';
import type { World } from './world.ts';

/** protocol 2: measured expiry − createAt is about 90 minutes. */
const sessionLifeMs = 5_400_000;

/** protocol 1.1: Base64(HMAC-SHA256(secret, timestamp + "\n" + secret)). The body is not covered. */
export function signRobotCallback(timestamp: string, secret: string): string {
  return createHmac('sha256', secret).update(`${timestamp}\n${secret}`, 'utf8').digest('base64');
}

/** protocol 4.8: Base64(HMAC-SHA256(apiSecret, timestamp)). */
export function signCardCallback(timestamp: string, apiSecret: string): string {
  return createHmac('sha256', apiSecret).update(timestamp, 'utf8').digest('base64');
}

/** protocol 1.3: an example of each kind's `content`. */
const examples: Record<Exclude<MessageKind, 'text'>, Json> = {
  richText: {
    richText: [
      { text: '这张发票' },
      { text: '能报销吗？\n' },
      { type: 'picture', downloadCode: 'dlcode-rich-1', pictureDownloadCode: 'pdl-rich-1' },
    ],
  },
  picture: { downloadCode: 'dlcode-pic-1', pictureDownloadCode: 'pdl-pic-1' },
  audio: { duration: 3200, downloadCode: 'dlcode-audio-1', recognition: '年假怎么申请' },
  video: { duration: 8000, downloadCode: 'dlcode-video-1', videoType: 'mp4' },
  file: {
    downloadCode: 'dlcode-file-1',
    fileName: '报销制度 2026.pdf',
    spaceId: '24834926306',
    fileId: '174668037180',
  },
  unknownMsgType: { unknownMsgType: '暂不支持的消息' },
};

function withOverrides(body: Json, overrides: Json): Json {
  const merged = { ...body, ...overrides };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

function payload(input: CallbackInput, inGroup: boolean): Json {
  const kind = input.kind ?? 'text';
  if (kind !== 'text') return { content: input.content ?? examples[kind], msgtype: kind };
  // protocol 1.2: a space is left where the @mention stood.
  return { text: { content: `${inGroup ? ' ' : ''}${input.text ?? ''}` }, msgtype: 'text' };
}

export function createCallbacks(world: World, origin: () => string) {
  const robot = `$:LWCP_v1:$${world.robotCode}==`;

  const requirePerson = (id: string): Person => {
    const person = world.findPerson(id);
    if (!person) throw new Error(`the simulated DingTalk knows nobody called ${id}`);
    return person;
  };

  const openSession = (conversationId: string, now: number): string => {
    const session = world.createId().replaceAll('-', '');
    world.sessions.set(session, { conversationId, expiresAt: now + sessionLifeMs, sentAt: [] });
    return `${origin()}/robot/sendBySession?session=${session}`;
  };

  /** A robot message, fields in the order of the recorded ones. */
  const callback = (input: CallbackInput, overrides: Json = {}): Callback => {
    const person = requirePerson(input.from);
    const group = input.conversation === undefined ? undefined : world.findGroup(input.conversation);
    if (input.conversation !== undefined && !group)
      throw new Error(`the simulated DingTalk knows no group ${input.conversation}`);
    const now = world.clock.now();
    const conversationId = group?.conversationId ?? world.singleConversation(person);
    const body = withOverrides(
      {
        senderPlatform: 'Mac',
        conversationId,
        atUsers: group ? [{ dingtalkId: robot }] : undefined,
        chatbotCorpId: world.corpId,
        chatbotUserId: robot,
        msgId: input.msgId ?? `msg${Buffer.from(world.createId()).toString('base64url')}==`,
        senderNick: person.nick,
        isAdmin: person.isAdmin ?? false,
        // protocol 1.4: empty for people outside the robot's organisation.
        senderStaffId: person.staffId,
        // As recorded: members come without union id. For outsiders it is the only address (protocol 1.4).
        senderUnionId: person.staffId === undefined ? person.unionId : undefined,
        sessionWebhookExpiredTime: now + sessionLifeMs,
        createAt: now,
        senderCorpId: world.corpId,
        conversationType: group ? '2' : '1',
        senderId: `$:LWCP_v1:$${Buffer.from(person.unionId).toString('base64url')}==`,
        conversationTitle: group?.title,
        isInAtList: group ? true : undefined,
        sessionWebhook: openSession(conversationId, now),
        robotCode: world.robotCode,
        openThreadId: conversationId,
        ...payload(input, group !== undefined),
      },
      overrides,
    );
    const timestamp = String(now);
    const signed: Callback = {
      headers: {
        'content-type': 'application/json; charset=utf-8',
        timestamp,
        sign: signRobotCallback(timestamp, world.clientSecret),
      },
      body,
    };
    world.emit({ type: 'callback', callback: signed });
    return signed;
  };

  /** A tap on a card's button. Signed only if a secret was registered for the card's route key. */
  const cardAction = (input: CardActionInput, overrides: Json = {}): Callback => {
    const card = world.cards.get(input.outTrackId);
    const route = world.callbackRoutes.get(card?.callbackRouteKey ?? '');
    const timestamp = String(world.clock.now());
    const content = { cardPrivateData: { actionIds: [input.actionId], params: input.params ?? {} } };
    const body = withOverrides(
      {
        type: 'actionCallback',
        outTrackId: input.outTrackId,
        corpId: world.corpId,
        userId: input.userId,
        content: JSON.stringify(content),
      },
      overrides,
    );
    const signature = isText(route?.apiSecret)
      ? {
          'x-ddpaas-signature-timestamp': timestamp,
          'x-ddpaas-signature': signCardCallback(timestamp, route.apiSecret),
        }
      : {};
    return { headers: { 'content-type': 'application/json; charset=utf-8', ...signature }, body };
  };

  return { callback, cardAction };
}
