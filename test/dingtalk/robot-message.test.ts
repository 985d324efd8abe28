import { describe, expect, onTestFinished, test } from 'vitest';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { createRobotMessage, sendToPeople } from '../../lib/dingtalk/robot-message.ts';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { readConfig } from '../../lib/config/config.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { DingTalkOptions } from '../../playground/dingtalk/types.ts';

const GROUP = 'cidGroup0001==';
const app = { clientId: 'dingclientid0001', clientSecret: 'client-secret-1', robotCode: 'dingrobot0001' };
const group = { id: GROUP, isGroup: true, title: '售后支持群' };
const single = { id: 'cidSingle0001==', isGroup: false, title: null };
const sender = { staffId: 'staff-1', unionId: null, id: 'encrypted', nick: '王小明', isAdmin: false };

async function scene(options: Partial<DingTalkOptions> = {}) {
  const staff = Array.from({ length: 45 }, (_, n) => ({ staffId: `staff-${n}`, unionId: `union-${n}`, nick: `${n}` }));
  const dingtalk = await createDingTalkSimulator({
    app,
    people: staff,
    groups: [{ conversationId: GROUP, title: '售后支持群', members: ['staff-1'] }],
    ...options,
  });
  onTestFinished(() => dingtalk.close());
  const result = readConfig({
    DINGTALK_CLIENT_ID: app.clientId,
    DINGTALK_CLIENT_SECRET: app.clientSecret,
    DINGTALK_ROBOT_CODE: app.robotCode,
    DINGTALK_API_URL: dingtalk.origin,
    DIFY_API_KEY: 'app-key',
  });
  const config = result.ok ? result.config.robots[0]?.dingtalk : undefined;
  if (!config) throw new Error('the configuration is not complete');
  const client = createDingTalkClient(config, fetch, systemClock);
  return {
    dingtalk,
    to: (chat: typeof group | typeof single, staffId: string | null = 'staff-1') =>
      createRobotMessage({ client, config, message: { chat, sender: { ...sender, staffId } } }),
    notify: (staffIds: readonly string[]) =>
      sendToPeople(client, config, staffIds, { title: '额度', text: '**80 %**' }),
    calls: () => dingtalk.calls.filter(({ api }) => api !== 'accessToken'),
    /** What DingTalk answers when it takes the call and leaves somebody out. */
    answerWith: (body: object) => {
      const answering: Fetch = async (url, init) =>
        url.endsWith('/batchSend') ? Response.json(body) : fetch(url, init);
      const other = createDingTalkClient(config, answering, systemClock);
      return createRobotMessage({ client: other, config, message: { chat: single, sender } });
    },
  };
}

const message = { title: '回答', text: '**好**\n\n第二行', mentionAsker: true };

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof BridgeError ? error.code : 'unexpected'),
  );

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
    expect(await notify([...people, 'staff-3', 'staff-44'])).toEqual({ unknown: [], throttled: [] });
    expect(calls()).toHaveLength(3);
    expect(new Set(dingtalk.messages.map(({ conversationId }) => conversationId)).size).toBe(45);
    expect(dingtalk.messages).toHaveLength(45);
    expect(dingtalk.violations).toEqual([]);
  });

  test('names those who were not reached, and reaches the others', async () => {
    const { dingtalk, notify } = await scene();
    expect(await notify(['staff-1', 'nobody'])).toEqual({ unknown: ['nobody'], throttled: [] });
    expect(dingtalk.messages).toHaveLength(1);
  });

  test('to nobody is no call', async () => {
    const { notify, calls } = await scene();
    expect(await notify([])).toEqual({ unknown: [], throttled: [] });
    expect(calls()).toEqual([]);
  });

  test('that is refused rejects', async () => {
    const { dingtalk, notify } = await scene();
    dingtalk.faults.inject({ api: 'sendToPeople', kind: 'qps' });
    expect(await codeOf(notify(['staff-1']))).toBe('dingtalk_qps');
  });
});
