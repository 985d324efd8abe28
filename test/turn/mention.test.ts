// The message that mentions an asker in a group when a long answer has ended on its card.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import { BridgeError } from '../../lib/errors.ts';
import { mentionAsker, type TurnEnd } from '../../lib/turn/mention.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { createWorld, GROUP, messageOf, senderOf, texts, turnOf } from '../support/turn.ts';

const ending = (kind: 'complete' | 'stopped' | 'paused' | 'cut'): Answer => ({ ...emptyAnswer, ending: { kind } });

const whole: TurnEnd = {
  answer: ending('complete'),
  failure: null,
  shown: 'card',
  ended: { isOnRecord: true, isStopped: false, next: null },
};

const inGroup = (text = 'How many days?', changes = {}) => messageOf(text, { chat: GROUP, ...changes });

interface Case {
  end?: Partial<TurnEnd>;
  changes?: Partial<Turn>;
  env?: Record<string, string>;
  tookMs?: number;
}

async function mentioned({ end = {}, changes = {}, env = {}, tookMs = 60_001 }: Case) {
  const world = createWorld({ env });
  const { options, clock, chat } = world;
  const message = changes.message ?? inGroup();
  const turn = turnOf(clock, { question: 'How many days?', ...changes, message });
  await clock.advance(tookMs);
  const channels = { sessionReply: chat.sessionReplyTo(message) };
  await world.done(mentionAsker(turn, { ...whole, ...end }, { ...options, robot: options.config, channels }));
  return { said: chat.beside, sent: chat.sent, events: world.events() };
}

describe('a long answer that has ended on its card in a group', () => {
  test('mentions its asker once, with the question', async () => {
    const { said, sent } = await mentioned({});
    expect(said).toEqual([{ text: texts.answered('How many days?'), mentionAsker: true }]);
    expect(sent).toEqual([]);
  });

  test('is quoted without markup, in one short line', async () => {
    const question = `**[a](http://x.example)**\n${'very '.repeat(40)}long`;
    const [{ text } = { text: '' }] = (await mentioned({ changes: { question } })).said;
    expect(text).not.toMatch(/\*|\]\(|\n/);
    expect(text.length).toBeLessThan(110);
  });

  test.each<[string, Partial<TurnEnd>]>([
    ['failed', { failure: new BridgeError('dify_stalled', 'on purpose') }],
    ['broke off', { answer: ending('cut') }],
  ])('says so where it %s', async (_how, end) => {
    expect((await mentioned({ end })).said).toEqual([
      { text: texts.notAnswered('How many days?'), mentionAsker: true },
    ]);
  });

  test('leaves only a line in the log where DingTalk does not take the message', async () => {
    const world = createWorld();
    world.chat.failures['beside'] = [new BridgeError('dingtalk_session_expired', 'on purpose')];
    const message = inGroup();
    const turn = turnOf(world.clock, { message, acceptedAtMs: world.clock.now() - 61_000 });
    const channels = { sessionReply: world.chat.sessionReplyTo(message) };
    await mentionAsker(turn, whole, { ...world.options, robot: world.options.config, channels });
    expect(world.events()).toEqual(['extras_failed']);
  });

  test.each([
    ['20', 20_001, 1],
    ['20', 20_000, 0],
    ['0', 3_600_000, 0],
  ])('with NOTIFY_AFTER_S=%s and after %i ms: %i', async (seconds, tookMs, count) => {
    expect((await mentioned({ env: { NOTIFY_AFTER_S: seconds }, tookMs })).said).toHaveLength(count);
  });
});

describe('nobody is mentioned', () => {
  test.each<[string, Case]>([
    ['after a quick answer', { tookMs: 60_000 }],
    ['in a single chat', { changes: { message: messageOf('How many days?') } }],
    ['by an answer that came as messages, which mention the asker', { end: { shown: 'message' } }],
    ['by an answer that was not shown', { end: { shown: 'nothing' } }],
    ['after a stop', { end: { answer: ending('stopped') } }],
    ['after a stop in another instance', { end: { ended: { isOnRecord: true, isStopped: true, next: null } } }],
    ['by a form', { end: { answer: ending('paused') } }],
    ['where another instance ends the turn', { end: { ended: { isOnRecord: false, isStopped: false, next: null } } }],
    ['without a staff id', { changes: { message: inGroup('q', { sender: { ...senderOf('x'), staffId: null } }) } }],
  ])('%s', async (_case, given) => {
    expect((await mentioned(given)).said).toEqual([]);
  });
});
