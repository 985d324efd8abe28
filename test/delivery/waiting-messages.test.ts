// What is said without a card while an answer takes long.
import { describe, expect, test } from 'vitest';
import { emptyAnswer } from '../../lib/answer/answer.ts';
import { createWaitingMessages, type WaitingMessagesOptions } from '../../lib/delivery/waiting-messages.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createLogLines, createScriptedReply, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const texts = textsFor('en');
const QUESTION = 'Ann: How many days?';
const STOP = 'Mention me and type /stop to stop.';
const said = (message: string) => ({ ...emptyAnswer, texts: { ...emptyAnswer.texts, message } });

function open(changes: Partial<WaitingMessagesOptions> = {}, outcomes: Outcome[] = []) {
  const clock = createVirtualClock();
  const { log, events } = createLogLines(clock);
  const reply = createScriptedReply(clock, outcomes);
  const told: number[] = [];
  const messages = createWaitingMessages({
    reply,
    clock,
    log,
    texts,
    reference: 'r',
    question: QUESTION,
    stopHint: STOP,
    hasCard: Promise.resolve(false),
    told: 0,
    onTold: (count) => void told.push(count),
    isOff: () => false,
    ...changes,
  });
  return { messages, clock, told, events, sent: () => reply.messages.map(({ text, atMs }) => [atMs, text]), reply };
}

const first = `${texts.working(QUESTION)}\n\n${STOP}`;
const later = (doing: string) => [texts.stillWorking(QUESTION), doing, STOP].filter((line) => line).join('\n\n');

describe('an answer without a card that shows nothing', () => {
  test('is announced after 8 s, and then twice, a minute apart, with what the app does', async () => {
    const { messages, clock, sent, told, reply } = open();
    messages.wait({ kind: 'queued', name: '' });
    await clock.advance(7_999);
    expect(sent()).toEqual([]);
    await clock.advance(1);
    messages.see({ ...emptyAnswer, activity: { kind: 'node', name: 'Search' } });
    await clock.advance(60_000);
    messages.see({ ...emptyAnswer, activity: { kind: 'tool', name: 'calc' } });
    await clock.advance(600_000);
    expect(sent()).toEqual([
      [8_000, first],
      [68_000, later(texts.progress.node('Search'))],
      [128_000, later(texts.progress.tool('calc', undefined))],
    ]);
    expect(told).toEqual([1, 2, 3]);
    expect(reply.messages.some(({ mentionAsker }) => mentionAsker)).toBe(false);
  });

  test('is not announced once its words come; a minute later the reader hears that it is being written', async () => {
    const { messages, clock, sent } = open();
    await clock.advance(2_000);
    messages.see(said('The'));
    await clock.advance(65_000);
    expect(sent()).toEqual([]);
    await clock.advance(1_000);
    expect(sent()).toEqual([[68_000, later(texts.progress.writing)]]);
  });

  test('counts as not begun while the model reasons', async () => {
    const { messages, clock, sent } = open({ stopHint: '' });
    messages.see(said('<think>Hm'));
    await clock.advance(68_000);
    expect(sent()).toEqual([
      [8_000, texts.working(QUESTION)],
      [68_000, `${texts.stillWorking(QUESTION)}\n\n${texts.progress.thinking}`],
    ]);
  });

  test('goes on in another instance where the one before it left off', async () => {
    const { clock, sent, told } = open({ told: 2 });
    await clock.advance(600_000);
    expect(sent()).toEqual([[60_000, later('')]]);
    expect(told).toEqual([3]);
  });
});

describe('nothing is said', () => {
  test.each<[string, Partial<WaitingMessagesOptions>]>([
    ['where there is a card', { hasCard: Promise.resolve(true) }],
    ['by an instance that lost the turn, and after a stop', { isOff: () => true }],
    ['where an earlier instance has said it all', { told: 3 }],
  ])('%s', async (_case, changes) => {
    const { clock, sent } = open(changes);
    await clock.advance(600_000);
    expect(sent()).toEqual([]);
  });

  test('once the answer is there', async () => {
    const { messages, clock, sent } = open();
    await messages.end();
    await clock.advance(600_000);
    expect(sent()).toEqual([]);
  });

  test('any more after a message that DingTalk does not take', async () => {
    const { clock, sent, events } = open({}, ['dingtalk_session_expired']);
    await clock.advance(600_000);
    expect(sent()).toEqual([[8_000, first]]);
    expect(events()).toEqual(['extras_failed']);
  });
});

test('the answer waits for a message under way, but not for long', async () => {
  const hanging = { send: () => new Promise<void>(() => undefined) };
  const { messages, clock } = open({ reply: hanging });
  await clock.advance(8_000);
  let isOver = false;
  void messages.end().then(() => (isOver = true));
  await clock.advance(2_999);
  expect(isOver).toBe(false);
  await clock.advance(1);
  expect(isOver).toBe(true);
});
