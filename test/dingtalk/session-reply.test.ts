import { describe, expect, test } from 'vitest';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { createSessionReply } from '../../lib/dingtalk/session-reply.ts';
import { codeOf } from '../support/delivery.ts';
import { robotConfig, senderOf } from '../support/dingtalk.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const WEBHOOK = 'https://oapi.dingtalk.com/robot/sendBySession?session=1';
const { dingtalk: config } = robotConfig();
const clock = createVirtualClock();

interface SceneOptions {
  /** What each try gets; null breaks the connection. When they are used up, tries succeed. */
  answers?: (object | null)[];
  status?: number;
  isGroup?: boolean;
  staffId?: string | null;
  session?: Message['session'];
}

/** What DingTalk is sent, as far as these tests look at it. */
interface Sent {
  msgUuid: string;
  markdown: { title: string; text: string };
  at?: object;
}

function scene({ answers = [], status = 200, isGroup = false, staffId = 'staff-1', session }: SceneOptions = {}) {
  const sent: (Sent & { atMs: number })[] = [];
  const startMs = clock.now();
  const reply = createSessionReply({
    config,
    message: {
      id: 'msg-1',
      chat: { id: 'cid1', isGroup, title: null },
      sender: senderOf({ staffId }),
      session: session === undefined ? { webhook: WEBHOOK, expiresAtMs: null } : session,
    },
    clock,
    async fetch(_url, { body }) {
      sent.push({ ...(JSON.parse(body as string) as Sent), atMs: clock.now() - startMs });
      const answer = answers.length > 0 ? answers.shift() : { errcode: 0 };
      if (!answer) throw new TypeError('reset');
      return Response.json(answer, { status });
    },
  });
  const send = async (text = 'text', mentionAsker = false) => {
    const outcome = codeOf(reply.send({ title: 'title', text, mentionAsker }));
    await clock.advance(60_000);
    return outcome;
  };
  return { send, sent };
}

const ok = { errcode: 0 };
const robotGone = { errcode: 400106 };

describe('a reply', () => {
  test.each<[string, (object | null)[], string, number[]]>([
    ['is sent once where it is answered', [ok], 'fine', [0]],
    ['is refused at once', [robotGone], 'dingtalk_refused', [0]],
    ['without an answer is sent again under its own name', [null, null, ok], 'fine', [0, 1_000, 2_000]],
    ['that a gateway did not wait for is sent again under its own name', [{ errcode: 15 }, ok], 'fine', [0, 1_000]],
    [
      'that never gets an answer is given up',
      [null, null, null, null],
      'dingtalk_unreachable',
      [0, 1_000, 2_000, 3_000],
    ],
    // A refusal would let it go another way, and then it might be seen twice.
    ['is not called refused when a try before may have been shown', [null, robotGone, ok], 'fine', [0, 1_000, 2_000]],
    [
      'that the content check refuses was not shown before',
      [null, { errcode: 430104 }],
      'dingtalk_content_unsafe',
      [0, 1_000],
    ],
    [
      'that may be there counts as such to the end',
      [null, robotGone, robotGone, robotGone],
      'dingtalk_unreachable',
      [0, 1_000, 2_000, 3_000],
    ],
  ])('%s', async (_what, answers, outcome, triesAtMs) => {
    const { send, sent } = scene({ answers });
    expect(await send()).toBe(outcome);
    expect(sent.map(({ atMs }) => atMs)).toEqual(triesAtMs);
    expect(new Set(sent.map(({ msgUuid }) => msgUuid)).size).toBe(1);
  });

  test.each([
    [200, { errcode: '0' }, 'fine'],
    [200, { errcode: 300001 }, 'dingtalk_session_expired'],
    [200, { errcode: 130101 }, 'dingtalk_qps'],
    [200, { errcode: 410100 }, 'dingtalk_qps'],
    [200, { errcode: 430101 }, 'dingtalk_content_unsafe'],
    [200, { errcode: 90030 }, 'dingtalk_month_used_up'],
    [200, { errcode: -1 }, 'dingtalk_server_error'],
    [200, { errcode: 400106 }, 'dingtalk_refused'],
    [200, {}, 'dingtalk_refused'],
    [500, { errcode: 0 }, 'dingtalk_server_error'],
    [500, {}, 'dingtalk_server_error'],
    [502, {}, 'dingtalk_unreachable'],
    [504, {}, 'dingtalk_unreachable'],
    [403, {}, 'dingtalk_refused'],
    [429, {}, 'dingtalk_qps'],
  ])('that gets %i %j', async (status, answer, outcome) => {
    expect(await scene({ status, answers: [answer] }).send()).toBe(outcome);
  });

  test.each([
    [429, {}, [0, 1_000, 2_000, 3_000]],
    // The limit of the address counts by the minute.
    [200, { errcode: 130101 }, [0]],
  ])('that came too fast: %i %j', async (status, answer, triesAtMs) => {
    const { send, sent } = scene({ status, answers: [answer, answer, answer, answer] });
    expect(await send()).toBe('dingtalk_qps');
    expect(sent.map(({ atMs }) => atMs)).toEqual(triesAtMs);
  });

  test('of the same text has another id, the same for each instance', async () => {
    const first = scene();
    for (const text of ['one', 'two', 'one']) await first.send(text);
    const ids = first.sent.map(({ msgUuid }) => msgUuid);
    expect(new Set(ids).size).toBe(3);
    const second = scene();
    for (const text of ['one', 'two', 'one']) await second.send(text);
    expect(second.sent.map(({ msgUuid }) => msgUuid)).toEqual(ids);
  });

  test('keeps its id when it is sent again after a refusal, because that may hide a message that was sent', async () => {
    const { send, sent } = scene({ answers: [{ errcode: -1 }] });
    expect(await send('text')).toBe('dingtalk_server_error');
    expect(await send('text')).toBe('fine');
    expect(sent[1]?.msgUuid).toBe(sent[0]?.msgUuid);
  });
});

describe('the asker is mentioned', () => {
  test('in a group, by the id in the text as well', async () => {
    const { send, sent } = scene({ isGroup: true });
    await send('text', true);
    expect(sent).toMatchObject([
      { markdown: { title: 'title', text: '@staff-1  \n\ntext' }, at: { atUserIds: ['staff-1'], isAtAll: false } },
    ]);
  });

  test.each<[string, SceneOptions, boolean]>([
    ['not in a single chat', {}, true],
    ['not where the message says no', { isGroup: true }, false],
    ['not without a staff id', { isGroup: true, staffId: null }, true],
  ])('%s', async (_where, options, mentionAsker) => {
    const { send, sent } = scene(options);
    await send('text', mentionAsker);
    expect(sent).toMatchObject([{ markdown: { text: 'text' } }]);
    expect(sent[0]).not.toHaveProperty('at');
  });
});

describe('the reply address', () => {
  test.each([
    ['is missing', null, 'dingtalk_session_missing'],
    ['is no address', 'nonsense', 'dingtalk_session_untrusted'],
    ['is of another host', 'https://evil.example.com/robot/sendBySession?session=1', 'dingtalk_session_untrusted'],
    ['is not encrypted', WEBHOOK.replace('https', 'http'), 'dingtalk_session_untrusted'],
    ['is of another path', WEBHOOK.replace('sendBySession', 'send'), 'dingtalk_session_untrusted'],
    ['has a user', WEBHOOK.replace('//', '//someone@'), 'dingtalk_session_untrusted'],
    ['has a password', WEBHOOK.replace('//', '//:secret@'), 'dingtalk_session_untrusted'],
  ])('that %s is not used', async (_what, webhook, outcome) => {
    const { send, sent } = scene({ session: webhook === null ? null : { webhook, expiresAtMs: null } });
    expect(await send()).toBe(outcome);
    expect(sent).toEqual([]);
  });

  test('is used until it closes', async () => {
    const expiresAtMs = clock.now() + 1;
    const { send } = scene({ session: { webhook: WEBHOOK, expiresAtMs } });
    expect(await send()).toBe('fine');
    expect(await scene({ session: { webhook: WEBHOOK, expiresAtMs } }).send()).toBe('dingtalk_session_expired');
  });
});
