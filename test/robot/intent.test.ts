import { describe, expect, test } from 'vitest';
import type { Content, Quoted, SentFile } from '../../lib/dingtalk/message-kinds.ts';
import { readFormAnswer, readIntent, type Intent } from '../../lib/robot/intent.ts';
import { texts } from '../support/turn.ts';

const picture: SentFile = { kind: 'picture', downloadCode: 'code-1', name: null };
const summary = (intent: Intent) =>
  intent.kind === 'command' ? `command ${intent.command.words[0]}` : `${intent.kind}: ${intent.text}`;

describe('a message', () => {
  test.each<[string, Content, string]>([
    ['of words is a question', { kind: 'text', text: 'why?' }, 'question: why?'],
    ['of no words has none', { kind: 'text', text: '' }, `sentence: ${texts.emptyQuestion}`],
    ['of a command is one', { kind: 'text', text: '/new' }, 'command /new'],
    ['of words in several styles is a question', { kind: 'rich-text', text: 'why?', pictures: [] }, 'question: why?'],
    ['of a command in a style is one', { kind: 'rich-text', text: '/stop', pictures: [] }, 'command /stop'],
    ['of words and a picture is a question', { kind: 'rich-text', text: '/new', pictures: ['p'] }, 'question: /new'],
    [
      'of pictures alone asks about them',
      { kind: 'rich-text', text: '', pictures: ['p'] },
      `question: ${texts.askAbout.picture}`,
    ],
    ['of a picture asks about it', { kind: 'picture', downloadCode: 'p' }, `question: ${texts.askAbout.picture}`],
    ['of a video asks about it', { kind: 'video', downloadCode: 'v' }, `question: ${texts.askAbout.video}`],
    [
      'of a file asks about it',
      { kind: 'file', downloadCode: 'f', fileName: 'a.pdf' },
      `question: ${texts.askAbout.file}`,
    ],
    [
      'of speech that DingTalk understood is its words',
      { kind: 'audio', downloadCode: 'a', recognition: 'why?' },
      'question: why?',
    ],
    [
      'of speech that DingTalk did not understand may be understood by the app',
      { kind: 'audio', downloadCode: 'a', recognition: '' },
      `question: ${texts.askAbout.audio}`,
    ],
    [
      'of speech that cannot be fetched either is not understood',
      { kind: 'audio', downloadCode: null, recognition: '' },
      `sentence: ${texts.failures.speech_unclear}`,
    ],
    ['of a shared document is told what to do', { kind: 'document' }, `sentence: ${texts.sharedDocument}`],
    [
      'of words and a file is a question',
      {
        kind: 'rich-text',
        text: '',
        pictures: [],
        files: [{ kind: 'file', downloadCode: 'f', name: 'a.pdf' }],
      },
      `question: ${texts.askAbout.file}`,
    ],
    [
      'of an unknown kind is not understood',
      { kind: 'unknown', messageType: 'poll' },
      `sentence: ${texts.unsupported}`,
    ],
  ])('%s', (_, content, expected) => {
    expect(summary(readIntent({ content, quoted: null }, texts))).toBe(expected);
  });

  test('that quotes a file without a word asks about the file', () => {
    const read = (text: string, file: SentFile | null) =>
      summary(readIntent({ content: { kind: 'text', text }, quoted: { text: '', file } }, texts));
    expect(read('', picture)).toBe(`question: ${texts.askAbout.picture}`);
    expect(read('why?', picture)).toBe('question: why?');
    expect(read('', null)).toBe(`sentence: ${texts.emptyQuestion}`);
  });
});

describe('a message without words', () => {
  const read = (quoted: Quoted, fromRobot?: true) =>
    summary(readIntent({ content: { kind: 'text', text: '' }, quoted, ...(fromRobot ? { fromRobot } : {}) }, texts));

  test.each<[string, Quoted, string]>([
    ['a record asks about it', { text: 'A: x', file: null, isRecord: true }, `question: ${texts.askAbout.record}`],
    [
      'a record of pictures asks about it',
      { text: '[图片]', file: picture, isRecord: true },
      `question: ${texts.askAbout.record}`,
    ],
    [
      'a record that cannot be read says so',
      { text: 'title', file: null, isRecord: true, problem: 'record' },
      `sentence: ${texts.quoteProblems.record}`,
    ],
    [
      'a file without a code says so',
      { text: 'a.pdf', file: null, problem: 'file' },
      `sentence: ${texts.quoteProblems.file}`,
    ],
    [
      'a card of the robot asks for words',
      { text: '', file: null, problem: 'unread', cardKey: 'k' },
      `sentence: ${texts.emptyQuestion}`,
    ],
    ['words asks for more', { text: 'words', file: null }, `sentence: ${texts.emptyQuestion}`],
  ])('about %s', (_, quoted, expected) => {
    expect(read(quoted)).toBe(expected);
  });
});

test('a robot gives no commands', () => {
  const content: Content = { kind: 'text', text: '/new' };
  expect(summary(readIntent({ content, quoted: null, fromRobot: true }, texts))).toBe('question: /new');
});

describe('an answer to a form', () => {
  const form = {
    token: 't',
    runId: 'r',
    inputs: {},
    shownChars: 0,
    appType: 'chatflow',
    user: 'u',
    action: 'halt',
  } as const;

  test('is no command, whatever its action is called', () => {
    expect(readFormAnswer({ content: { kind: 'text', text: '/stop' } }, form)).toEqual({
      kind: 'question',
      text: '/stop',
    });
  });

  test('goes by the id of its action where the message has no words', () => {
    expect(readFormAnswer({ content: { kind: 'unknown', messageType: 'x' } }, form)).toMatchObject({ text: 'halt' });
  });
});
