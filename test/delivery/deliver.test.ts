import { describe, expect, test } from 'vitest';
import { crashText } from '../../lib/answer/ending.ts';
import { reopenCard } from '../../lib/delivery/card.ts';
import { deliver, sendAll, type DeliveryOptions, type Shown } from '../../lib/delivery/deliver.ts';
import { createLimiter } from '../../lib/delivery/limiter.ts';
import type { FinalView } from '../../lib/answer/view.ts';
import { BridgeError } from '../../lib/errors.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createLogLines, createScriptedCard, createScriptedReply, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const texts = textsFor('en');

const view = (hasCard: boolean): FinalView =>
  hasCard ? { card: 'on the card', messages: ['below it'] } : { card: null, messages: ['as a message', 'and another'] };

interface SceneOptions {
  /** How calls to show a frame end; null without a card. */
  writes?: Outcome[] | null;
  /** How the calls to close the card end. */
  closes?: Outcome[];
  /** The card has shown a frame before. */
  hasShown?: boolean;
  replies?: Outcome[];
  state?: 'finished' | 'failed';
  mayHaveEnded?: boolean;
  cardWasUnsafe?: boolean;
  isHeld?: boolean;
  view?: typeof view;
}

/** Delivers an answer; what is left for later is done too. */
async function delivered({
  writes = [],
  closes = [],
  hasShown = false,
  replies = [],
  isHeld,
  state,
  ...rest
}: SceneOptions) {
  const clock = createVirtualClock();
  const sink = createScriptedCard(clock);
  const reply = createScriptedReply(clock, replies);
  const { log, lines, events } = createLogLines(clock);
  const limiter = createLimiter({ clock, callsPerSecond: 1_000 });
  let ids = 0;
  const ports = { settleMs: 0, limiter, clock, newId: () => `frame-${(ids += 1)}`, log };
  const writer = writes && reopenCard(sink, 'r', { ...ports });
  if (hasShown) {
    await clock.advance(0);
    await writer?.leave('typing');
    sink.frames.length = 0;
  }
  sink.writes = [...(writes ?? [])];
  sink.closes = [...closes];
  const later: Promise<void>[] = [];
  const { view: rendered = view, ...flags } = rest;
  const options: DeliveryOptions = {
    reply,
    clock,
    log,
    texts,
    reference: 'r',
    ...flags,
    ...(isHeld === undefined ? {} : { isHeld: async () => isHeld }),
    endLater: (work) => later.push(work),
  };
  const delivering = deliver(writer, state ?? 'finished', rendered, options);
  await clock.advance(120_000);
  await Promise.all(later);
  return {
    shown: await delivering,
    /** The states and texts of the card's frames, without repeats of the same. */
    card: [...new Set(sink.frames.map((frame) => `${frame.state}: ${frame.text}`))],
    shows: sink.shows,
    messages: reply.messages,
    said: reply.messages.map(({ text }) => text),
    left: later.length,
    lines,
    events,
  };
}

/** Five tries end a card, six one that has shown a frame. */
const times = (count: number, code: Outcome): Outcome[] => Array.from({ length: count }, () => code);

interface Exit extends SceneOptions {
  name: string;
  shown: Shown;
  /** What the card shows in the end. */
  shows?: string | null;
  said?: string[];
  /** Whether the card is ended later. */
  left?: number;
}

const ANSWER = 'finished: on the card';
const BELOW = `finished: ${texts.answeredBelow}`;
const below = {
  shown: 'message' as const,
  shows: BELOW,
  said: ['as a message', 'and another'],
} satisfies Partial<Exit>;

const exits: Exit[] = [
  { name: 'on the card, the rest below it', shown: 'card', shows: ANSWER, said: ['below it'] },
  { name: 'a failure on the card', state: 'failed', shown: 'card', shows: 'failed: on the card', said: ['below it'] },
  {
    name: 'an empty card gets a sentence',
    view: () => ({ card: null, messages: [] }),
    shown: 'card',
    shows: `finished: ${texts.emptyAnswer}`,
  },
  {
    name: 'a card that another instance has ended',
    writes: ['dingtalk_refused'],
    mayHaveEnded: true,
    shown: 'card',
    said: ['below it'],
  },
  { name: 'without a card, as messages', writes: null, shown: 'message', said: ['as a message', 'and another'] },
  { name: 'a card that cannot hold it, as messages', writes: ['dingtalk_card_too_long'], ...below },
  { name: 'a card that refuses it for good, as messages', writes: ['dingtalk_refused'], ...below },
  {
    name: 'a card that takes no frame for good, as messages',
    writes: times(2, 'dingtalk_permission_missing'),
    hasShown: true,
    ...below,
  },
  {
    name: 'a card that can be ended in no way, as messages',
    writes: times(2, 'dingtalk_month_used_up'),
    closes: ['dingtalk_month_used_up'],
    hasShown: true,
    ...below,
    shows: 'typing: typing',
  },
  {
    name: 'a card that cannot hold it and takes no sentence for now, as messages; the card is ended later',
    writes: ['dingtalk_card_too_long', ...times(5, 'dingtalk_server_error')],
    closes: ['dingtalk_server_error'],
    ...below,
    left: 1,
  },
  {
    name: 'a card that shows nothing for now, as messages; the card is ended later',
    writes: times(5, 'dingtalk_server_error'),
    ...below,
    left: 1,
  },
  {
    name: 'a card that has shown frames and shows nothing for now, as messages; the card is ended later',
    writes: times(6, 'dingtalk_server_error'),
    hasShown: true,
    ...below,
    left: 1,
  },
  {
    name: 'a card whose last frame stays without an answer, as messages; the card is ended later',
    writes: times(6, 'dingtalk_timeout'),
    hasShown: true,
    ...below,
    left: 1,
  },
  {
    name: 'a card that has ended, but never said so, as messages; the card is changed later',
    writes: times(6, { done: 'dingtalk_timeout' }),
    hasShown: true,
    ...below,
    left: 1,
  },
  {
    name: 'a card that takes no frame later either, as messages; the card is changed later',
    writes: times(12, 'dingtalk_server_error'),
    hasShown: true,
    ...below,
    left: 1,
  },
  {
    name: 'a card that is not there, as messages',
    writes: [new BridgeError('dingtalk_refused', 'on purpose', { upstreamCode: 'param.stream.outTrackId' })],
    ...below,
    shows: null,
  },
  {
    name: 'a card that was carried out, though no try says so at once',
    writes: [{ done: 'dingtalk_timeout' }, 'dingtalk_qps'],
    hasShown: true,
    shown: 'card',
    shows: ANSWER,
    said: ['below it'],
  },
  {
    name: 'a card that is refused because the turn has another holder',
    writes: ['dingtalk_permission_missing'],
    isHeld: false,
    shown: 'nothing',
  },
  {
    name: 'a text that the content check refuses while the turn has another holder',
    writes: ['dingtalk_content_unsafe'],
    isHeld: false,
    shown: 'nothing',
  },
  {
    name: 'a card that is refused while the turn is still held',
    writes: ['dingtalk_permission_missing'],
    isHeld: true,
    ...below,
  },
  {
    name: 'a text that the content check refuses, with a sentence on its card',
    writes: ['dingtalk_content_unsafe'],
    shown: 'card',
    shows: `failed: ${texts.unsafe}`,
  },
  {
    name: 'a text that the content check refuses, and so the frame with the sentence',
    writes: times(2, 'dingtalk_content_unsafe'),
    shown: 'card',
    shows: `finished: ${texts.unsafe}`,
  },
  {
    name: 'a text that the content check refuses, on a card that can be ended in no way',
    writes: times(2, 'dingtalk_content_unsafe'),
    closes: ['dingtalk_content_unsafe'],
    shown: 'message',
    said: [texts.unsafe],
  },
  {
    name: 'a text for which the content check refused to open a card',
    writes: null,
    cardWasUnsafe: true,
    shown: 'message',
    said: [texts.unsafe],
  },
  {
    name: 'nowhere',
    writes: null,
    replies: ['dingtalk_refused'],
    shown: 'nothing',
    said: ['as a message'],
  },
  {
    name: 'nowhere: the card says that something went wrong',
    writes: ['dingtalk_card_too_long'],
    replies: ['dingtalk_refused'],
    shown: 'nothing',
    shows: `failed: ${crashText(texts, 'r')}`,
    said: ['as a message'],
  },
  {
    name: 'in part: the second message is refused',
    writes: null,
    replies: [null, 'dingtalk_refused'],
    shown: 'message',
    said: ['as a message', 'and another'],
  },
];

describe('an answer is shown', () => {
  test.each(exits)('$name', async ({ name: _name, shown, shows = null, said = [], left = 0, ...given }) => {
    const outcome = await delivered(given);
    expect(outcome).toMatchObject({ shown, shows, said, left });
  });

  test('with the asker mentioned in the first message, and three seconds between two', async () => {
    const { messages } = await delivered({ writes: null });
    expect(messages).toMatchObject([
      { mentionAsker: true, atMs: 0 },
      { mentionAsker: false, atMs: 3_000 },
    ]);
  });

  test('below its card without mentioning the asker again', async () => {
    const { messages } = await delivered({});
    expect(messages).toMatchObject([{ text: 'below it', mentionAsker: false, atMs: 3_000 }]);
  });

  test('on a card that could not be ended, ten seconds after the answer went out as messages', async () => {
    const { lines, events } = await delivered({ writes: times(6, 'dingtalk_qps'), hasShown: true });
    expect(events().filter((event) => event !== 'frame_failed')).toEqual(['card_not_ended']);
    expect(lines.at(-1)).toMatchObject({ level: 'error', turn: 'r', code: 'dingtalk_qps' });
  });
});

describe('an answer that cannot be rendered', () => {
  test.each([
    ['card', [] as Outcome[]],
    ['message', null],
  ])('ends in a sentence all the same (%s)', async (place, writes) => {
    const { shown, card, said, lines } = await delivered({
      writes,
      view: () => {
        throw new RangeError('on purpose');
      },
    });
    expect(shown).toBe(place);
    const sentence = /⚠️ Something unexpected.*\(reference r\)$/su;
    expect([...card, ...said]).toEqual([expect.stringMatching(sentence)]);
    expect(lines).toMatchObject([{ event: 'turn_crashed', turn: 'r', error: 'RangeError' }]);
  });
});

describe('messages', () => {
  const send = async (messages: string[], outcomes: Outcome[]) => {
    const clock = createVirtualClock();
    const reply = createScriptedReply(clock, outcomes);
    const { log, lines } = createLogLines(clock);
    const sending = sendAll(messages, true, { reply, clock, log, texts, reference: 'r' });
    await clock.advance(60_000);
    return { isSent: await sending, messages: reply.messages, lines };
  };

  test.each([
    ['that is refused for now is repeated once', ['dingtalk_qps'], true, ['one@0', 'one@1500']],
    ['that stays refused for now is given up', ['dingtalk_qps', 'dingtalk_qps'], false, ['one@0', 'one@1500']],
    // It may have been sent.
    ['without an answer is not repeated', ['dingtalk_timeout'], false, ['one@0']],
    ['that is refused for good is not repeated', ['dingtalk_refused'], false, ['one@0']],
    [
      'that the content check refuses is replaced by a sentence',
      ['dingtalk_content_unsafe'],
      true,
      ['one@0', `${texts.unsafe}@0`],
    ],
    [
      'whose sentence is refused as well is not sent',
      ['dingtalk_content_unsafe', 'dingtalk_content_unsafe'],
      false,
      ['one@0', `${texts.unsafe}@0`],
    ],
  ] as const)('one %s', async (_what, outcomes, isSent, tries) => {
    const sent = await send(['one'], [...outcomes]);
    expect(sent.isSent).toBe(isSent);
    expect(sent.messages.map(({ text, atMs }) => `${text}@${atMs}`)).toEqual(tries);
    const isOne = tries.every((tried) => tried.startsWith('one'));
    expect(sent.lines).toMatchObject(isSent && isOne ? [] : [{ event: 'message_not_sent', turn: 'r', part: 1 }]);
  });

  test('the sentence for one that the content check refuses does not have its words as title', async () => {
    const { messages } = await send(['one'], ['dingtalk_content_unsafe']);
    expect(messages[1]?.title).toBe(texts.unsafe.slice(0, 30));
  });

  test('none is no failure', async () => {
    expect(await send([], [])).toMatchObject({ isSent: true, messages: [] });
  });

  test.each([
    ['## **Leave** for `all`\n\n| a |', 'Leave for all'],
    ['- [the form](https://example.com/form)', 'the form'],
    ['1234567890'.repeat(4), '123456789012345678901234567890'],
    // A sign of four bytes is one character of a title.
    ['😀'.repeat(40), '😀'.repeat(30)],
    ['<br>', texts.messageTitle],
    ['', texts.messageTitle],
  ])('have their beginning as title, without the markdown: %j', async (text, title) => {
    const { messages } = await send([text], []);
    expect(messages).toMatchObject([{ title }]);
  });
});
