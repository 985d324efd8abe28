import { describe, expect, test } from 'vitest';
import type { Message } from '../../lib/dingtalk/callback.ts';
import type { Quoted } from '../../lib/dingtalk/message-kinds.ts';
import type { MessageRecord, RunRecord } from '../../lib/dify/records.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { AnsweredTurn } from '../../lib/turn/answered.ts';
import { createQuotedAnswers, missedNotes } from '../../lib/turn/quoted-answers.ts';
import { createLogLines } from '../support/delivery.ts';
import { GROUP, messageOf, senderOf, texts } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const answered: AnsweredTurn = {
  ids: { conversationId: 'c', messageId: 'm', runId: 'r' },
  appType: 'chat',
  user: 'user-1',
  chat: { id: 'chat-1', isGroup: false },
  sender: { staffId: 'staff-1', unionId: null, id: 'sender-1', nick: '' },
  session: null,
  corpId: null,
  form: null,
};

interface Scene {
  receipt?: Partial<AnsweredTurn> | null;
  message?: Partial<Message>;
  answer?: string | null;
  outputs?: Record<string, unknown> | 'unknown' | 'not-shown';
  fails?: boolean;
}

async function find({ receipt = {}, message = {}, answer = null, outputs = 'unknown', fails = false }: Scene) {
  const { log, lines } = createLogLines(createVirtualClock());
  const looked: unknown[] = [];
  const answers = createQuotedAnswers({
    state: { receiptOf: async () => (receipt === null ? null : JSON.stringify({ ...answered, ...receipt })) },
    dify: {
      records: {
        async message(named) {
          looked.push(named);
          if (fails) throw new BridgeError('dify_timeout', 'no answer');
          return answer === null ? null : ({ id: 'm', answer } as MessageRecord);
        },
        async run(runId) {
          looked.push(runId);
          return typeof outputs === 'string' ? outputs : ({ status: 'succeeded', outputs } as RunRecord);
        },
      },
    },
    log,
  });
  const asking = { message: messageOf('why?', message), reference: 'turn-1' };
  const text = await answers.find('card-1', asking, new AbortController().signal);
  return { text, looked, lines };
}

describe('the answer on a quoted card', () => {
  test('is that of its message, without reasoning', async () => {
    const { text, looked } = await find({ answer: '<think>hm</think>\n\nThe answer. ' });
    expect(text).toBe('The answer.');
    expect(looked).toEqual([{ conversationId: 'c', messageId: 'm', user: 'user-1' }]);
  });

  test.each<[string, Scene, string | null]>([
    [
      'a chatflow, whose message has none',
      { receipt: { appType: 'chatflow' }, outputs: { answer: 'whole', n: 1 } },
      'whole',
    ],
    [
      'a workflow',
      { receipt: { appType: 'workflow', ids: { runId: 'r' } }, outputs: { text: 'done', file: null } },
      'done',
    ],
    ['a run that is gone', { receipt: { appType: 'workflow', ids: { runId: 'r' } } }, null],
    ['a run that put out nothing', { receipt: { appType: 'workflow', ids: { runId: 'r' } }, outputs: {} }, null],
    [
      'text generation',
      { receipt: { appType: 'completion', ids: { conversationId: 'c', messageId: 'm' } }, answer: 'x' },
      null,
    ],
    ['nothing on record', { receipt: null, answer: 'x' }, null],
  ])('of %s', async (_what, scene, expected) => {
    expect((await find(scene)).text).toBe(expected);
  });

  test.each<[string, Scene, boolean]>([
    ['another chat', { message: { chat: { id: 'chat-2', isGroup: false, title: null } } }, false],
    ['a group of the same id', { message: { chat: { id: 'chat-1', isGroup: true, title: null } } }, false],
    ['another person', { message: { sender: senderOf('staff-2') } }, false],
    [
      'another member of its group',
      { receipt: { chat: { id: GROUP.id, isGroup: true } }, message: { chat: GROUP, sender: senderOf('staff-2') } },
      true,
    ],
    [
      'the same person without a staff id',
      {
        receipt: { sender: { staffId: null, unionId: null, id: 's', nick: '' } },
        message: { sender: { staffId: null, unionId: null, id: 's', nick: '', isAdmin: false } },
      },
      true,
    ],
  ])('for %s', async (_who, scene, isTold) => {
    const { text, looked } = await find({ ...scene, answer: 'secret' });
    expect(text).toBe(isTold ? 'secret' : null);
    expect(looked).toHaveLength(isTold ? 1 : 0);
  });

  test('that Dify does not tell is in the log', async () => {
    const { text, lines } = await find({ fails: true });
    expect(text).toBeNull();
    expect(lines).toMatchObject([{ event: 'quote_not_found', turn: 'turn-1', code: 'dify_timeout' }]);
  });
});

describe('what the asker is told', () => {
  const quoted = (more: Partial<Quoted>): Quoted => ({ text: '', file: null, ...more });

  test.each<[string, Quoted | null, Parameters<typeof missedNotes>[1], string[]]>([
    ['nothing is missing', null, undefined, []],
    ['the quote is not read', quoted({ problem: 'unread' }), undefined, [texts.quoteProblems.unread]],
    ['the card is found', quoted({ problem: 'unread', cardKey: 'k' }), undefined, []],
    [
      'the card is not found',
      quoted({ problem: 'unread', cardKey: 'k' }),
      { answer: true },
      [texts.quoteProblems.unread],
    ],
    ['a file is missing', quoted({}), { leftOut: { file: 1 } }, [texts.leftOutOfMessage({ file: 1 })]],
  ])('where %s', (_what, quote, missed, notes) => {
    expect(missedNotes({ quoted: quote }, missed, texts)).toEqual(notes);
  });

  test('counts what the message lacks and what could not be fetched together', () => {
    const notes = missedNotes({ quoted: null, leftOut: { file: 1, picture: 1 } }, { leftOut: { file: 1 } }, texts);
    expect(notes).toEqual(['(Not fetched: 2 files, 1 picture. Please send them by themselves if they matter.)']);
  });
});
