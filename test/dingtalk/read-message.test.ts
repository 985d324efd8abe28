// The odd spellings of clients. The usual shapes are in test/fixtures/quotes, through the running function.
import { describe, expect, test } from 'vitest';
import { readMessage } from '../../lib/dingtalk/read-message.ts';

const replyTo = (repliedMsg: unknown) => ({ msgId: 'm', text: { content: 'why?', isReplyMsg: true, repliedMsg } });
const quotedText = (repliedMsg: unknown) => readMessage('text', replyTo(repliedMsg)).quoted?.text;

describe('the words of a quote', () => {
  test.each<[string, unknown, string]>([
    ['as a JSON text as a whole', JSON.stringify({ msgType: 'text', content: { text: 'words' } }), 'words'],
    [
      'as a text of a text',
      { msgType: 'TEXT', content: JSON.stringify(JSON.stringify({ content: 'words' })) },
      'words',
    ],
    ['as a plain text', { msgType: 'text', content: 'words' }, 'words'],
    ['that look like a list', { msgType: 'text', content: '[1, 2]' }, '[1, 2]'],
    ['that look like an object', { msgType: 'text', content: { text: '{"a":1}' } }, '{"a":1}'],
    ['beside the message', { msgType: 'text', text: { content: 'words' } }, 'words'],
    ['as a number', { msgType: 'text', content: { text: 42 } }, '42'],
    ['of a card with a plain tree', { msgType: 'interactiveCard', content: { cardContent: 'words' } }, 'words'],
    ['of a card that is a list', { msgType: 'interactiveCard', content: [{ elementType: 'TEXT', value: 7 }] }, '7'],
    [
      'of a card with lists in lists',
      { msgType: 'interactiveCard', content: { cardContent: [[{ value: 'a' }, { value: 'b' }], [{ value: 'c' }]] } },
      'ab\nc',
    ],
    [
      'of a card with other variables',
      {
        msgType: 'interactiveCard',
        content: { cardParamMap: { status: '3', url: 'https://x.cn/long', answer: '好的' } },
      },
      '好的',
    ],
    [
      'of rich text with lists in lists',
      { msgType: 'richText', content: { richText: [[{ text: 'a' }], [], { text: 'b' }] } },
      'ab',
    ],
    ['of rich text as a JSON text', { msgType: 'richText', content: { richText: '[{"text":"a"}]' } }, 'a'],
    [
      'of a link without words',
      { msgType: 'link', content: { title: 'T', messageUrl: 'https://x.cn' } },
      'T\nhttps://x.cn',
    ],
  ])('%s', (_what, replied, words) => {
    expect(quotedText(replied)).toBe(words);
  });

  test('in a body whose text is a JSON text', () => {
    const text = JSON.stringify({ content: 'why?', repliedMsg: { msgType: 'text', content: { text: 'words' } } });
    expect(readMessage('text', { text })).toEqual({
      content: { kind: 'text', text: 'why?' },
      quoted: { text: 'words', file: null },
    });
  });
});

describe('a chat record', () => {
  const record = (content: unknown) => quotedText({ msgType: 'chatRecord', content });
  const said = (senderId: string, content: string) => ({ senderId, msgType: 'text', content });

  test.each<[string, unknown, string]>([
    [
      'takes names from the summary, over several lines',
      {
        summary: 'A:one\ntwo\nB:three…',
        chatRecord: [said('1', 'one\ntwo'), said('2', 'three four'), said('1', 'five')],
      },
      'A: one\ntwo\nB: three four\nA: five',
    ],
    [
      'tells nameless senders apart',
      { records: [said('$:1', 'x'), said('$:2', 'y'), said('$:1', 'z')] },
      'A: x\nB: y\nA: z',
    ],
    ['needs no names for one sender', { messages: [said('$:1', 'x'), said('$:1', 'y')] }, 'x\ny'],
    ['leaves a summary as it is', { summary: '10:30 开会\nhttps://x.cn' }, '10:30 开会\nhttps://x.cn'],
    [
      'has entries as JSON texts, in lists of lists',
      [
        [{ msgType: 'text', text: '{"text":"x"}', senderName: 'A' }],
        ['{"msgtype":"text","body":"y","senderNick":"B"}'],
      ],
      'A: x\nB: y',
    ],
    [
      'has a sender as an object, and an entry of rich text',
      { contents: [{ sender: { nick: 'A' }, msgType: 'richText', content: { richText: [{ text: 'x' }] } }] },
      'A: x',
    ],
    ['lies within a text', { text: JSON.stringify({ chatRecord: [said('1', 'x')] }) }, 'x'],
    [
      'has entries without words',
      { title: 'T', summary: 'A:x', chatRecord: [{ msgType: 'text', content: '' }] },
      'A: x',
    ],
  ])('%s', (_what, content, words) => {
    expect(record(content)).toBe(words);
  });

  test('counts what cannot be fetched, and names it', () => {
    const chatRecord = [
      { msgType: 'file', fileName: 'a.pdf', spaceId: '1', dentryId: '2' },
      { msgType: 'text', content: '[合并的聊天记录]' },
      { msgType: 'audio', recognition: '好的' },
      { msgType: 'richText', content: { richText: [{ text: 'x' }, { type: 'picture', pictureUrl: 'https://x' }] } },
      { msgType: 'hologram' },
      { msgType: 'picture', pictureDownloadCode: 'p' },
    ];
    const { quoted, leftOut } = readMessage('chatRecord', { content: { chatRecord } });
    expect(quoted).toMatchObject({
      isRecord: true,
      text: '[文件] a.pdf\n[合并的聊天记录]\n好的\nx [图片]\n[消息]\n[图片]',
      file: { kind: 'picture', downloadCode: 'p' },
    });
    expect(leftOut).toEqual({ file: 1, record: 1, picture: 1, message: 1 });
  });
});

describe('own messages', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['richText', { content: [{ text: 'a' }, { type: 'picture', downloadCode: 'c' }] }, { text: 'a', pictures: ['c'] }],
    ['RichText', { content: { richText: [{ type: 'at', atName: 'bot' }, { text: ' a' }] } }, { text: 'a' }],
    [
      'richText',
      {
        chatbotUserId: '$:bot',
        content: {
          richText: [{ text: 'a ' }, { type: 'at', atName: 'bot', atUserId: '$:bot' }, { type: 'at', atName: '李雷' }],
        },
      },
      { text: 'a @李雷' },
    ],
    ['picture', { content: '{"pictureDownloadCode":"c"}' }, { kind: 'picture', downloadCode: 'c' }],
    ['markdown', { content: { text: ' ' }, text: { content: 'words' } }, { kind: 'text', text: 'words' }],
    ['reply', { content: { text: 'words', isReplyMsg: true, repliedMsg: {} } }, { kind: 'text', text: 'words' }],
    ['interactiveCard', { text: { content: '' }, content: {} }, { kind: 'unknown' }],
    ['interactiveCard', { content: '{"biz_custom_action_url":"https://alidocs.dingtalk.com/"}' }, { kind: 'document' }],
  ])('of the kind %s: %j', (kind, body, content) => {
    expect(readMessage(kind, body).content).toMatchObject(content);
  });

  test.each([
    [
      'interactiveCard',
      { senderStaffId: 'staff-1', content: { cardContent: [{ value: '@bot ' }, { value: 'hi' }] } },
      true,
    ],
    ['markdown', { content: { text: 'hi' } }, true],
    ['markdown', { content: { text: 'hi' }, senderStaffId: 'staff-1' }, undefined],
    ['link', { content: { title: 'hi' } }, undefined],
  ])('of the kind %s come from a robot, or not: %j', (kind, body, fromRobot) => {
    expect(readMessage(kind, body)).toMatchObject({ content: { kind: 'text', text: 'hi' } });
    expect(readMessage(kind, body).fromRobot).toBe(fromRobot);
  });
});

test('however deep a body is, it is read', () => {
  const nest = (wrap: (inner: unknown) => unknown) => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 20_000; depth += 1) deep = wrap(deep);
    return deep;
  };
  const contents = [
    { richText: nest((inner) => [inner]) },
    { chatRecord: nest((inner) => [inner]) },
    { cardContent: nest((children) => ({ children: [children] })) },
    { text: nest((content) => ({ content })) },
    nest((content) => ({ content })),
  ];
  for (const content of contents) {
    expect(quotedText({ content })).toBeTypeOf('string');
    expect(quotedText({ msgType: 'chatRecord', content })).toBeTypeOf('string');
  }
});
