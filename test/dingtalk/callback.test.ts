import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCallback, type Callback } from '../../lib/dingtalk/callback.ts';
import { BridgeError } from '../../lib/errors.ts';

const folder = new URL('../fixtures/dingtalk/', import.meta.url);

function fixture(name: string): string {
  const { body } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { body: object };
  return JSON.stringify(body);
}

function message(body: string): Extract<Callback, { kind: 'message' }> {
  const callback = readCallback(body);
  if (callback.kind !== 'message') throw new Error(`read as ${callback.kind}`);
  return callback;
}

const understood: Record<string, object> = {
  'text-single': { kind: 'text', text: '年假怎么申请？' },
  'text-group': { kind: 'text', text: '年假怎么申请？' },
  'text-content-string': { kind: 'text', text: '你好' },
  'external-sender': { kind: 'text', text: '你好' },
  'quoted-reply': { kind: 'text', text: '这句是什么意思？' },
  'rich-text': { kind: 'rich-text', text: '这张发票能报销吗？', pictures: ['dlcode-rich-1'] },
  audio: { kind: 'audio', downloadCode: 'dlcode-audio-1', recognition: '明天上海天气怎么样' },
  picture: { kind: 'picture', downloadCode: 'dlcode-pic-1' },
  video: { kind: 'video', downloadCode: 'dlcode-video-1' },
  file: { kind: 'file', downloadCode: 'dlcode-file-1', fileName: '报销制度 2026.pdf' },
  'unknown-type': { kind: 'unknown', messageType: 'unknownMsgType' },
};

describe('recorded callbacks', () => {
  test.each(Object.entries(understood))('%s', (name, content) => {
    expect(message(fixture(name)).content).toEqual(content);
  });

  test('each recording has its expectation here', () => {
    const others = new Set(['quota-exhausted', 'card-action', 'signatures']);
    const names = readdirSync(folder).map((file) => file.replace('.json', ''));
    expect(names.filter((name) => !others.has(name)).toSorted()).toEqual(Object.keys(understood).toSorted());
  });

  test('the notice of a used-up allowance is no empty question', () => {
    expect(readCallback(fixture('quota-exhausted'))).toEqual({ kind: 'quota-notice', robotCode: 'dingclientid0001' });
  });

  test('a group message tells the group, the sender and the reply address', () => {
    const { id, chat, sender, session, robotCode, corpId } = message(fixture('text-group'));
    expect(id).toBe('msgA1b2C3d4E5f6==');
    expect(chat).toEqual({ id: 'cid7x2Qm0Pz9Vt5bWk1Hn3Rg==', isGroup: true, title: '售后支持群' });
    expect(sender).toEqual({
      staffId: 'staff-0001',
      unionId: null,
      id: '$:LWCP_v1:$sender0001==',
      nick: '王小明',
      isAdmin: false,
    });
    expect(session).toEqual({
      webhook: 'https://oapi.dingtalk.com/robot/sendBySession?session=0a1b2c3d4e5f',
      expiresAtMs: 1_795_000_000_000,
    });
    expect(robotCode).toBe('dingclientid0001');
    expect(corpId).toBe('dingcorp0001');
  });

  test('an external sender has no staff id, a sample without robotCode has none', () => {
    expect(message(fixture('external-sender')).sender.staffId).toBeNull();
    expect(message(fixture('text-content-string')).robotCode).toBeNull();
  });
});

describe('odd bodies', () => {
  const base = JSON.parse(fixture('text-single')) as Record<string, unknown>;
  const reason = (body: string): string => {
    try {
      readCallback(body);
      return 'accepted';
    } catch (error) {
      return error instanceof BridgeError && error.code === 'body_invalid' ? error.message : 'unexpected';
    }
  };

  test('are refused with a line that names the fields and no value', () => {
    expect(reason('{')).toBe('the body is not JSON');
    expect(reason('[]')).toContain('missing or malformed');
    expect(reason('null')).toContain('missing or malformed');
    expect(reason(JSON.stringify({ ...base, msgId: '', conversationType: 'secret-value' }))).toBe(
      'missing or malformed: msgId, conversationType',
    );
  });

  test('are read all the same where a field that nothing hangs on is of another type', () => {
    const { sender, session } = message(
      JSON.stringify({ ...base, isAdmin: 'true', senderNick: 7, conversationTitle: {}, sessionWebhookExpiredTime: '' }),
    );
    expect(sender).toMatchObject({ nick: '', isAdmin: false });
    expect(session?.expiresAtMs).toBeNull();
    expect(reason(JSON.stringify({ ...base, robotCode: 7 }))).toBe('missing or malformed: robotCode');
  });

  test('may have null wherever a field is not needed', () => {
    const { sender, session, content } = message(
      JSON.stringify({
        ...base,
        senderStaffId: null,
        senderNick: null,
        sessionWebhook: null,
        isAdmin: null,
        text: null,
      }),
    );
    expect(sender).toMatchObject({ staffId: null, nick: '' });
    expect(session).toBeNull();
    expect(content).toEqual({ kind: 'unknown', messageType: 'text' });
  });

  test.each([
    { quoteMessage: { msgId: 'm', msgtype: 'text', text: { content: ' 差旅三档 ' } } },
    { quoteMessage: { msgId: 'm', msgtype: 'text', text: '差旅三档' } },
    { content: { quoteContent: '差旅三档' } },
    { text: { content: '?', repliedMsg: { msgType: 'text', content: { text: '差旅三档' } } } },
  ])('may quote in an older shape: %j', (shape) => {
    expect(message(JSON.stringify({ ...base, ...shape })).quoted).toEqual({ text: '差旅三档', file: null });
  });

  test('that tell of a used-up allowance need no robot code', () => {
    const notice = { kind: 'quota-notice', robotCode: null };
    expect(readCallback('{"errorCode":20001}')).toEqual(notice);
    expect(readCallback('{"errorCode":"20001","robotCode":""}')).toEqual(notice);
    expect(reason('{"errorCode":"20002"}')).toContain('missing or malformed');
  });

  test('without a type, a corporation or a name are read', () => {
    const { msgtype: _type, senderNick: _nick, chatbotCorpId: _corp, ...rest } = base;
    const { content, corpId, sender, chat } = message(
      JSON.stringify({ ...rest, conversationTitle: '', senderUnionId: 'union-1' }),
    );
    expect({ content, corpId, nick: sender.nick, unionId: sender.unionId, title: chat.title }).toEqual({
      content: { kind: 'unknown', messageType: '' },
      corpId: null,
      nick: '',
      unionId: 'union-1',
      title: null,
    });
  });

  test('a type named like a property of every object is just unknown', () => {
    expect(message(JSON.stringify({ ...base, msgtype: 'constructor' })).content.kind).toBe('unknown');
  });
});
