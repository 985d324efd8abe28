import { describe, expect, test } from 'vitest';
import { sentFilesOf, type Content, type SentFile } from '../../lib/dingtalk/message-kinds.ts';
import { readMessage } from '../../lib/dingtalk/read-message.ts';

const readContent = (type: string, body: Record<string, unknown>) => readMessage(type, body).content;
const readQuoted = (body: Record<string, unknown>) =>
  readMessage('text', { text: { content: 'why?' }, ...body }).quoted;

describe('a message', () => {
  test.each<[string, Record<string, unknown>, Content]>([
    ['text', { text: { content: ' hello ' } }, { kind: 'text', text: 'hello' }],
    ['text', { content: ' hello ' }, { kind: 'text', text: 'hello' }],
    [
      'richText',
      { content: { richText: [{ text: 'look ' }, { downloadCode: 'code-1' }, { text: 'here', downloadCode: null }] } },
      { kind: 'rich-text', text: 'look\nhere', pictures: ['code-1'] },
    ],
    ['picture', { content: { downloadCode: 'code-1' } }, { kind: 'picture', downloadCode: 'code-1' }],
    ['video', { content: { downloadCode: 'code-1' } }, { kind: 'video', downloadCode: 'code-1' }],
    [
      'audio',
      { content: { downloadCode: 'code-1', recognition: ' hello ' } },
      { kind: 'audio', downloadCode: 'code-1', recognition: 'hello' },
    ],
    ['audio', { content: {} }, { kind: 'audio', downloadCode: null, recognition: '' }],
    [
      'file',
      { content: { downloadCode: 'code-1', fileName: 'a.pdf' } },
      { kind: 'file', downloadCode: 'code-1', fileName: 'a.pdf' },
    ],
    ['file', { content: { downloadCode: 'code-1' } }, { kind: 'file', downloadCode: 'code-1', fileName: '' }],
  ])('of the type %s is read: %j', (type, body, content) => {
    expect(readContent(type, body)).toEqual(content);
  });

  test.each([
    ['text', { text: {} }],
    ['richText', { content: {} }],
    ['picture', { content: { downloadCode: '' } }],
    ['video', {}],
    ['audio', {}],
    ['file', { content: { fileName: 'a.pdf' } }],
    ['card', { content: {} }],
    ['toString', {}],
  ])('of the type %s without its shape is of an unknown kind: %j', (type, body) => {
    expect(readContent(type, body)).toEqual({ kind: 'unknown', messageType: type });
  });
});

describe('the files of a message', () => {
  test.each<[Content, SentFile[]]>([
    [{ kind: 'text', text: 'hello' }, []],
    [{ kind: 'unknown', messageType: 'card' }, []],
    [{ kind: 'picture', downloadCode: 'c' }, [{ kind: 'picture', downloadCode: 'c', name: null }]],
    [{ kind: 'video', downloadCode: 'c' }, [{ kind: 'video', downloadCode: 'c', name: null }]],
    [{ kind: 'file', downloadCode: 'c', fileName: 'a.pdf' }, [{ kind: 'file', downloadCode: 'c', name: 'a.pdf' }]],
    [{ kind: 'file', downloadCode: 'c', fileName: '' }, [{ kind: 'file', downloadCode: 'c', name: null }]],
    [{ kind: 'audio', downloadCode: 'c', recognition: '' }, [{ kind: 'audio', downloadCode: 'c', name: null }]],
    [{ kind: 'audio', downloadCode: null, recognition: 'hello' }, []],
    [
      { kind: 'rich-text', text: '', pictures: ['c', 'd'] },
      [
        { kind: 'picture', downloadCode: 'c', name: null },
        { kind: 'picture', downloadCode: 'd', name: null },
      ],
    ],
  ])('%j', (content, files) => {
    expect(sentFilesOf(content)).toEqual(files);
  });
});

describe('a quotation', () => {
  const replied = (msgType: string | null, content: object | null) => ({ text: { repliedMsg: { msgType, content } } });

  test.each<[string, Record<string, unknown>, string]>([
    ['its text', replied('text', { text: ' words ' }), 'words'],
    ['the parts of its text', replied('richText', { richText: [{ text: 'wo' }, {}, { text: 'rds' }] }), 'words'],
    ['its summary', replied('card', { summary: 'words', title: 'title' }), 'words'],
    ['its title', replied('card', { title: 'words' }), 'words'],
    ['an older shape', { quoteMessage: { text: { content: ' words ' } } }, 'words'],
    ['an older shape with a plain text', { quoteMessage: { text: 'words' } }, 'words'],
    ['the oldest shape', { content: { quoteContent: 'words' } }, 'words'],
    [
      'the oldest shape, beside one that cannot be read',
      { quoteMessage: 7, content: { quoteContent: 'words' } },
      'words',
    ],
  ])('is read by %s', (_what, body, text) => {
    expect(readQuoted(body)).toEqual({ text, file: null });
  });

  test.each<[string | null, object, SentFile]>([
    ['picture', { downloadCode: 'c' }, { kind: 'picture', downloadCode: 'c', name: null }],
    ['audio', { downloadCode: 'c' }, { kind: 'audio', downloadCode: 'c', name: null }],
    ['video', { downloadCode: 'c', fileName: 'a.mp4' }, { kind: 'video', downloadCode: 'c', name: 'a.mp4' }],
    ['file', { downloadCode: 'c', fileName: 'a.pdf' }, { kind: 'file', downloadCode: 'c', name: 'a.pdf' }],
    [null, { downloadCode: 'c', fileName: 'a.pdf' }, { kind: 'file', downloadCode: 'c', name: 'a.pdf' }],
    [null, { downloadCode: 'c' }, { kind: 'picture', downloadCode: 'c', name: null }],
    ['richText', { richText: [{}, { downloadCode: 'c' }] }, { kind: 'picture', downloadCode: 'c', name: null }],
  ])('of the type %s has its file: %j', (type, content, file) => {
    expect(readQuoted(replied(type, content))).toEqual({ text: '', file });
  });

  test.each([
    {},
    { quoteMessage: null, content: null },
    { originalMsgId: 'msg-1', msgId: 'msg-1' },
    { text: { content: 'why?', isReplyMsg: false }, originalMsgId: 'msg-1' },
  ])('is nothing: %j', (body) => {
    expect(readQuoted(body)).toBeNull();
  });

  test.each<[Record<string, unknown>, string | undefined]>([
    [replied('text', null), undefined],
    [replied('text', { text: ' ' }), undefined],
    [replied(null, {}), undefined],
    [{ quoteMessage: { text: ' ' } }, undefined],
    [{ text: { content: 'why?', isReplyMsg: true } }, undefined],
    [{ text: { content: 'why?', isReplyMsg: 'true' }, originalProcessQueryKey: 'key-1' }, 'key-1'],
    [{ originalMsgId: 'msg-1', originalProcessQueryKey: 'key-1' }, 'key-1'],
    [{ text: { repliedMsg: { msgType: 'interactiveCard', carrierId: 'key-2' } } }, 'key-2'],
    [{ text: { repliedMsg: {} }, originalProcessQueryKey: 'k'.repeat(513) }, undefined],
  ])('that cannot be read is told of: %j', (body, cardKey) => {
    expect(readQuoted(body)).toEqual({ text: '', file: null, problem: 'unread', ...(cardKey ? { cardKey } : {}) });
  });
});
