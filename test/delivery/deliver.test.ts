import { describe, expect, test } from 'vitest';
import { reopenCard } from '../../lib/delivery/card.ts';
import { deliver, sendAll, type DeliveryOptions, type Shown } from '../../lib/delivery/deliver.ts';
import { createLimiter } from '../../lib/delivery/limiter.ts';
import type { FinalView } from '../../lib/answer/view.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createLogLines, createScriptedCard, createScriptedReply, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const texts = textsFor('en');

const view = (hasCard: boolean): FinalView =>
  hasCard ? { card: 'on the card', messages: ['below it'] } : { card: null, messages: ['as a message', 'and another'] };

interface SceneOptions {
  /** How calls to show a frame end; null without a card. */
  writes?: Outcome[] | null;
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
async function delivered({ writes = [], hasShown = false, replies = [], isHeld, state, ...rest }: SceneOptions) {
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
  await clock.advance(60_000);
  await Promise.all(later);
  return {
    shown: await delivering,
    /** The states and texts of the card's frames, without repeats of the same. */
    card: [...new Set(sink.frames.map((frame) => `${frame.state}: ${frame.text}`))],
    messages: reply.messages,
    said: reply.messages.map(({ text }) => text),
    left: later.length,
    lines,
    events,
  };
}

/** Six tries end a card that has shown a frame, five any other. */
const sixTimes = (code: Outcome): Outcome[] => Array.from({ length: 6 }, () => code);

interface Exit extends SceneOptions {
  name: string;
  shown: Shown;
  card?: string[];
  said?: string[];
  /** Whether the card is ended later. */
  left?: number;
}

const exits: Exit[] = [
  { name: 'on the card, the rest below it', shown: 'card', card: ['finished: on the card'], said: ['below it'] },
  { name: 'a failure on the card', state: 'failed', shown: 'card', card: ['failed: on the card'], said: ['below it'] },
  {
    name: 'an empty card gets a sentence',
    view: () => ({ card: null, messages: [] }),
    shown: 'card',
    card: [`finished: ${texts.emptyAnswer}`],
  },
  {
    name: 'a card that another instance has ended',
    writes: ['dingtalk_refused'],
    mayHaveEnded: true,
    shown: 'card',
    card: ['finished: on the card'],
    said: ['below it'],
  },
  { name: 'without a card, as messages', writes: null, shown: 'message', said: ['as a message', 'and another'] },
  {
    name: 'a card that stays refused, as messages',
    writes: ['dingtalk_permission_missing'],
    hasShown: true,
    shown: 'message',
    card: ['finished: on the card'],
    said: ['as a message', 'and another'],
  },
  {
    name: 'a card that shows nothing for now, as messages',
    writes: sixTimes('dingtalk_server_error'),
    shown: 'message',
    card: ['finished: on the card'],
    said: ['as a message', 'and another'],
  },
  {
    name: 'a card that has shown frames and shows nothing for now, as messages; the card is ended later',
    writes: sixTimes('dingtalk_server_error'),
    hasShown: true,
    shown: 'message',
    card: ['finished: on the card', `finished: ${texts.answeredBelow}`],
    said: ['as a message', 'and another'],
    left: 1,
  },
  {
    name: 'a card that is refused because the turn has another holder',
    writes: ['dingtalk_permission_missing'],
    isHeld: false,
    shown: 'nothing',
    card: ['finished: on the card'],
  },
  {
    name: 'a card that is refused while the turn is still held',
    writes: ['dingtalk_permission_missing'],
    isHeld: true,
    shown: 'message',
    card: ['finished: on the card'],
    said: ['as a message', 'and another'],
  },
  {
    name: 'a text that the content check refuses, with a sentence on its card',
    writes: ['dingtalk_content_unsafe'],
    shown: 'card',
    card: ['finished: on the card', `failed: ${texts.unsafe}`],
  },
  {
    name: 'a text that the content check refuses, and so the sentence',
    writes: ['dingtalk_content_unsafe', 'dingtalk_content_unsafe'],
    shown: 'nothing',
    card: ['finished: on the card', `failed: ${texts.unsafe}`],
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
    name: 'in part: the second message is refused',
    writes: null,
    replies: [null, 'dingtalk_refused'],
    shown: 'message',
    said: ['as a message', 'and another'],
  },
];

describe('an answer is shown', () => {
  test.each(exits)('$name', async ({ shown, card = [], said = [], left = 0, ...given }) => {
    const outcome = await delivered(given);
    expect(outcome).toMatchObject({ shown, card, said, left });
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
    const { lines, events } = await delivered({ writes: sixTimes('dingtalk_qps'), hasShown: true });
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
    const sentence = /⚠️ Something unexpected.*Reference r$/su;
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
      false,
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
    expect(sent.lines).toMatchObject(isSent ? [] : [{ event: 'message_not_sent', turn: 'r', part: 1 }]);
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
