import { createHmac } from 'node:crypto';
import { isText, type Json } from '../http/shape.ts';
import { createContents } from './content.ts';
import { keepNewest } from '../http/newest.ts';
import type { Callback, CallbackInput, CardActionInput, Person } from './types.ts';
import { maxSessions, type World } from './world.ts';

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

function withOverrides(body: Json, overrides: Json): Json {
  const merged = { ...body, ...overrides };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

/** What the body of a press says of the button. */
export function pressOf({ actionId, params = {}, shape }: Omit<CardActionInput, 'outTrackId' | 'userId'>): Json {
  const pressed = { cardPrivateData: { actionIds: [actionId], params } };
  if (shape === 'actionId') return { actionId, params };
  return shape === 'actionData' ? { actionData: pressed } : { content: JSON.stringify(pressed) };
}

export function createCallbacks(world: World, origin: () => string) {
  const robot = `$:LWCP_v1:$${world.robotCode}==`;

  const payload = createContents(world);

  const requirePerson = (id: string): Person => {
    const person = world.findPerson(id);
    if (!person) throw new Error(`the simulated DingTalk knows nobody called ${id}`);
    return person;
  };

  /** The encrypted id of whom a message is from; without a person it is the robot. */
  const senderOf = (from: string | undefined): string =>
    from === undefined ? robot : `$:LWCP_v1:$${Buffer.from(requirePerson(from).unionId).toString('base64url')}==`;

  const openSession = (conversationId: string, now: number): string => {
    const session = world.createId().replaceAll('-', '');
    world.sessions.set(session, { conversationId, expiresAt: now + sessionLifeMs, sentAt: [], uuids: new Set() });
    keepNewest(world.sessions, maxSessions);
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
        senderId: senderOf(input.from),
        conversationTitle: group?.title,
        isInAtList: group ? true : undefined,
        sessionWebhook: openSession(conversationId, now),
        robotCode: world.robotCode,
        openThreadId: conversationId,
        ...payload(input, group !== undefined, senderOf),
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

  /**
   * A tap on a card's button. Signed only if a secret was registered for the card's route key.
   *
   * @param at when it is signed, in ms: the unit DingTalk sends is not known (protocol 4.8).
   */
  const cardAction = (input: CardActionInput, overrides: Json = {}, at = world.clock.now()): Callback => {
    const route = world.routeOf(input.outTrackId);
    const timestamp = String(at);
    const body = withOverrides(
      {
        type: 'actionCallback',
        outTrackId: input.outTrackId,
        corpId: world.corpId,
        userId: input.userId,
        ...pressOf(input),
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
