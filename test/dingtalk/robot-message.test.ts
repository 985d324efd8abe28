import { describe, expect, test } from 'vitest';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { createRobotMessage, sendToPeople } from '../../lib/dingtalk/robot-message.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { Fetch } from '../../lib/net/http.ts';
import type { DingTalkOptions } from '../../playground/dingtalk/types.ts';
import { codeOf } from '../support/delivery.ts';
import { GROUP, senderOf, startDingTalk } from '../support/dingtalk.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const fetch = createFetch();

const group = { id: GROUP, isGroup: true, title: '售后支持群' };
const single = { id: 'cidSingle0001==', isGroup: false, title: null };

async function scene(options: Partial<DingTalkOptions> = {}) {
  const staff = Array.from({ length: 45 }, (_, n) => ({ staffId: `staff-${n}`, unionId: `union-${n}`, nick: `${n}` }));
  const { dingtalk, config } = await startDingTalk({ people: staff, ...options });
  const client = createDingTalkClient(config, fetch, systemClock);
  return {
    dingtalk,
    to: (chat: typeof group | typeof single, staffId: string | null = 'staff-1') =>
      createRobotMessage({ client, config, message: { chat, sender: senderOf({ staffId }) } }),
    notify: (staffIds: readonly string[]) =>
      sendToPeople(client, config, staffIds, { title: '额度', text: '**80 %**' }),
    calls: () => dingtalk.calls.filter(({ api }) => api !== 'accessToken'),
    /** What DingTalk answers when it takes the call and leaves somebody out. */
    answerWith: (body: object) => {
      const answering: Fetch = async (url, init) =>
        url.endsWith('/batchSend') ? Response.json(body) : fetch(url, init);
      const other = createDingTalkClient(config, answering, systemClock);
      return createRobotMessage({ client: other, config, message: { chat: single, sender: senderOf() } });
    },
  };
}

const message = { title: '回答', text: '**好**\n\n第二行', mentionAsker: true };

describe('a robot message', () => {
  test('reaches the asker in the single chat', async () => {
    const { dingtalk, to } = await scene();
    await to(single).send(message);
    expect(dingtalk.messages).toMatchObject([
      {
        channel: 'robot',
        kind: 'markdown',
        conversationId: dingtalk.singleConversation('staff-1'),
        title: message.title,
        text: message.text,
      },
    ]);
    expect(dingtalk.violations).toEqual([]);
  });

  test('reaches the group, also of an asker without a staff id', async () => {
    const { dingtalk, to } = await scene();
    await to(group, null).send(message);
    expect(dingtalk.messages).toMatchObject([{ channel: 'robot', conversationId: GROUP, text: message.text }]);
    expect(dingtalk.violations).toEqual([]);
  });

  test('has nowhere to go in the single chat of an asker without a staff id', async () => {
    const { to, calls } = await scene();
    expect(await codeOf(to(single, null).send(message))).toBe('dingtalk_card_no_target');
    expect(calls()).toEqual([]);
  });

  test('to somebody whom DingTalk does not know is refused, although the call was taken', async () => {
    const { dingtalk, to } = await scene();
    expect(await codeOf(to(single, 'stranger').send(message))).toBe('dingtalk_refused');
    expect(dingtalk.messages).toEqual([]);
  });

  test('to somebody who got too many is a limit of speed', async () => {
    const { answerWith } = await scene();
    const throttled = { processQueryKey: 'k', invalidStaffIdList: null, flowControlledStaffIdList: ['staff-1'] };
    expect(await codeOf(answerWith(throttled).send(message))).toBe('dingtalk_qps');
    expect(await codeOf(answerWith({ processQueryKey: 'k' }).send(message))).toBe('fine');
  });

  test.each(['send.too.fast', 'send.byToken.tooFast', 'too.many.group', 'too.many.people'])(
    'that comes too fast (%s) may be repeated',
    async (code) => {
      const { dingtalk, to } = await scene();
      dingtalk.faults.inject({ api: '*', kind: 'status', status: 400, code, when: (body) => 'msgKey' in Object(body) });
      expect(await codeOf(to(group).send(message))).toBe('dingtalk_qps');
    },
  );

  test('that is not allowed says so', async () => {
    const { to } = await scene({ permissions: [] });
    expect(await codeOf(to(single).send(message))).toBe('dingtalk_permission_missing');
    expect(await codeOf(to(group).send(message))).toBe('dingtalk_permission_missing');
  });

  test.each([
    ['a page of Chinese text', '答案。\n'.repeat(950), 1],
    ['lines', '一行中文文字\n'.repeat(1_000), 2],
    ['one line of characters of four bytes', '😀'.repeat(5_001), 2],
    ['characters that JSON escapes', '\u0001'.repeat(6_000), 4],
  ])('never has more bytes than DingTalk takes, and loses none: %s', async (_what, text, parts) => {
    const { dingtalk, to } = await scene();
    await to(group).send({ ...message, text });
    expect(dingtalk.violations).toEqual([]);
    expect(dingtalk.messages).toHaveLength(parts);
    expect(dingtalk.messages.map((sent) => sent.text).join('')).toBe(text);
    expect(dingtalk.messages.every((sent) => sent.text.isWellFormed())).toBe(true);
  });
});

describe('a notice', () => {
  test('reaches everybody once, twenty in a call', async () => {
    const { dingtalk, notify, calls } = await scene();
    const people = Array.from({ length: 45 }, (_, n) => `staff-${n}`);
    await notify([...people, 'staff-3', 'staff-44']);
    expect(calls()).toHaveLength(3);
    expect(new Set(dingtalk.messages.map(({ conversationId }) => conversationId)).size).toBe(45);
    expect(dingtalk.messages).toHaveLength(45);
    expect(dingtalk.violations).toEqual([]);
  });

  test('reaches the others where DingTalk does not know one of them', async () => {
    const { dingtalk, notify } = await scene();
    await notify(['staff-1', 'nobody']);
    expect(dingtalk.messages).toHaveLength(1);
  });

  test('that reaches none of them rejects', async () => {
    const { notify } = await scene();
    expect(await codeOf(notify(['nobody', 'none']))).toBe('dingtalk_refused');
  });

  test('to nobody is no call', async () => {
    const { notify, calls } = await scene();
    await notify([]);
    expect(calls()).toEqual([]);
  });

  test('that is refused rejects', async () => {
    const { dingtalk, notify } = await scene();
    dingtalk.faults.inject({ api: 'sendToPeople', kind: 'qps' });
    expect(await codeOf(notify(['staff-1']))).toBe('dingtalk_qps');
  });
});
