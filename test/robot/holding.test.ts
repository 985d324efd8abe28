import { describe, expect, test } from 'vitest';
import type { FormField } from '../../lib/answer/event.ts';
import type { KeptForm } from '../../lib/ask/form.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import type { Content } from '../../lib/dingtalk/message-kinds.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createHolding, filesAlone, isTap } from '../../lib/robot/holding.ts';
import type { AskedQuestion } from '../../lib/robot/questions.ts';
import type { Held } from '../../lib/state/told.ts';
import { conversationOf } from '../../lib/turn/conversation.ts';
import { createWorld, GROUP, messageOf, texts } from '../support/turn.ts';

const picture: Content = { kind: 'picture', downloadCode: 'p' };
const sent = (content: Content, changes: Partial<Message> = {}) => ({ ...messageOf(''), content, ...changes });
const rules = { classes: ['image' as const], extensions: [], takesUploads: true, most: 3 };

const waitingForm = { token: 't', runId: 'r', appType: 'chatflow', user: 'u', asker: 'staff-1', number: 1 };
const receipt: FormField = {
  name: 'receipt',
  label: 'receipt',
  type: 'file',
  required: true,
  options: [],
  default: '',
  files: rules,
};

/** Holds a picture in a store that replies so, and does what it asks for. */
async function hold(
  reply?: Held,
  {
    isAssumed = false,
    opening = '',
    fields = [],
    formFailure,
  }: { isAssumed?: boolean; opening?: string; fields?: FormField[]; formFailure?: Error } = {},
) {
  const world = createWorld(reply ? { state: { hold: async () => reply } } : {});
  world.dify.pendingForm = { ...world.dify.pendingForm, fields };
  if (formFailure) world.dify.failures['getForm'] = [formFailure];
  world.dify.appFacts = {
    ...world.dify.appFacts,
    files: isAssumed ? null : rules,
    opening,
    ...(isAssumed ? { isAssumed } : {}),
  };
  const asked: AskedQuestion[] = [];
  const said: string[] = [];
  const others: unknown[] = [];
  const holding = createHolding(world.options, {
    questions: {
      async accept(question) {
        asked.push(question);
        return async () => void said.push('asked');
      },
    },
    replies: {
      greet: async () => void said.push('greeted'),
      respond: async (intent) => void said.push(intent.kind === 'sentence' ? intent.text : 'a command'),
    },
    async lookAfterOthers(work, facts) {
      others.push(facts);
      await work;
    },
  });
  const message = sent(picture);
  const conversation = conversationOf(message, 'user-in-chat');
  const question: AskedQuestion = {
    message,
    question: 'q',
    form: null,
    held: undefined,
    heldFiles: 'take',
    conversation,
  };
  const files = filesAlone(message);
  const work = await world.done(holding.hold(question, files, null));
  if (work) await world.done(work(world.platform));
  const again = () => world.done(holding.hold(question, files, null));
  return { ...world, work, asked, said, others, again };
}

describe('a message of files alone', () => {
  test.each<[string, Content, number]>([
    ['a picture', picture, 1],
    ['a video', { kind: 'video', downloadCode: 'v' }, 1],
    ['a file', { kind: 'file', downloadCode: 'f', fileName: 'a.pdf' }, 1],
    ['pictures in one message', { kind: 'rich-text', text: '', pictures: ['p', 'q'] }, 2],
    ['pictures with words', { kind: 'rich-text', text: 'what?', pictures: ['p'] }, 0],
    ['a recording', { kind: 'audio', downloadCode: 'a', recognition: '' }, 0],
    ['words', { kind: 'text', text: 'what?' }, 0],
    ['something unknown', { kind: 'unknown', messageType: 'x' }, 0],
  ])('is %s: files to hold', (_, content, count) => {
    expect(filesAlone(sent(content))).toHaveLength(count);
    expect(filesAlone(sent(content, { chat: GROUP }))).toEqual([]);
    expect(filesAlone(sent(content, { quoted: { text: 'that', file: null } }))).toEqual([]);
  });
});

test('a tap is the very sentence of its link', () => {
  const text = (words: string, changes: Partial<Message> = {}) =>
    isTap(sent({ kind: 'text', text: words }, changes), texts);
  expect([text(texts.askAbout.picture), text(texts.askAboutAll)]).toEqual([true, true]);
  expect(text(`${texts.askAbout.picture} Thanks.`)).toBe(false);
  expect(text(texts.askAbout.file, { quoted: { text: 'that', file: null } })).toBe(false);
});

describe('a held file', () => {
  const held: Held = {
    kind: 'held',
    files: ['{"kind":"picture","downloadCode":"p","name":null}'],
    added: 1,
    isFirst: false,
    overdue: ['overdue-1'],
  };

  test('is told, and no question; the message looks after others as each does', async () => {
    const { said, asked, others, lines } = await hold(held);
    expect(said).toEqual([expect.stringMatching(/^Received 1 picture\..*\[Have a look\]\(dtmd:/u)]);
    expect([asked, others]).toEqual([[], [{ load: held }]]);
    expect(lines).toMatchObject([{ event: 'message_accepted', kind: 'files-held' }]);
  });

  test.each<[string, Partial<KeptForm>, FormField[], boolean]>([
    ['wants it', {}, [receipt], true],
    ['wants none', {}, [], false],
    ['has been answered', { isOver: true }, [receipt], false],
  ])('while a form waits that %s', async (_, changes, fields, isForForm) => {
    const forms = JSON.stringify({ last: 1, forms: [{ ...waitingForm, ...changes }] });
    const context = { generation: '', difyConversationId: null, form: null, forms };
    const { said } = await hold({ ...held, context }, { fields });
    expect(said).toEqual(isForForm ? ['asked'] : [expect.stringContaining('Received 1 picture')]);
  });

  test('waits for words as ever where Dify does not tell of the form', async () => {
    const forms = JSON.stringify({ last: 1, forms: [waitingForm] });
    const context = { generation: '', difyConversationId: null, form: null, forms };
    const { said } = await hold({ ...held, context }, { formFailure: new BridgeError('dify_unreachable', 'no') });
    expect(said).toEqual([expect.stringContaining('Received 1 picture')]);
  });

  test('is held once', async () => {
    const { again } = await hold();
    expect(await again()).toBeNull();
  });

  test('comes after the greeting of a conversation that begins', async () => {
    const { said } = await hold({ ...held, isFirst: true });
    expect(said).toEqual(['greeted', expect.stringContaining('Received')]);
  });

  test('that the app does not take is asked about at once, by the same owner, and leaves the others', async () => {
    const video = { ...held, files: ['{"kind":"video","downloadCode":"v","name":null}'] };
    const { said, asked, others } = await hold(video);
    expect(said).toEqual(['asked']);
    expect(asked).toMatchObject([{ question: 'q', heldFiles: 'leave', owner: 'id-1' }]);
    expect(others).toEqual([]);
  });

  const waiting = (count: number, kind = 'picture') =>
    Array.from({ length: count }, (_, index) => JSON.stringify({ kind, downloadCode: `p${index}`, name: null }));

  test('is told with all that wait, and with those for which the app has no room', async () => {
    const two = await hold({ ...held, files: waiting(2) });
    expect(two.said).toEqual([expect.stringMatching(/^Received 2 pictures\..*content=Please%20look%20at%20these/u)]);
    const four = await hold({ ...held, files: waiting(4) });
    expect(four.said).toEqual([`${texts.mostFiles(3)}\n\nReceived 3 pictures.${two.said[0]?.slice(20) ?? ''}`]);
  });

  test('beyond the most that can wait is not kept, and told so', async () => {
    const { said, asked } = await hold({ ...held, files: waiting(10), added: 0 });
    expect([said, asked]).toEqual([[expect.stringContaining('At most 10 files')], []]);
  });

  test('stays held while Dify does not tell what the app takes', async () => {
    const { said, asked } = await hold(held, { isAssumed: true });
    expect([said, asked]).toEqual([[expect.stringContaining('Received 1 picture')], []]);
  });

  test('is asked about at once while the store is down', async () => {
    const { said, asked } = await hold({ kind: 'unrecorded' });
    expect(said).toEqual(['asked']);
    expect(asked).toMatchObject([{ heldFiles: 'leave', owner: 'id-1' }]);
  });

  test('that a question has taken before the reply was heard is not told', async () => {
    const { said, asked, others } = await hold({ ...held, files: [], added: 0 });
    expect([said, asked, others.length]).toEqual([[], [], 1]);
  });
});
