// The ways out of a card's last frame, each with the ending of its card. A card that stays open looks as if the answer
// still came.
import { expect, test } from 'vitest';
import { closeCard } from '../../lib/delivery/card-end.ts';
import { paceOf } from '../../lib/delivery/pace.ts';
import { createWriter, type LastFrame } from '../../lib/delivery/writer.ts';
import { BridgeError } from '../../lib/errors.ts';
import { codeOf, createLogLines, createScriptedCard, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

interface Exit {
  name: string;
  answers: Outcome[];
  last?: Partial<LastFrame>;
  /** The card has shown a frame before. */
  hasShown?: boolean;
  /** How the calls to close the card end, where it is not ended by its last frame. */
  closes?: Outcome[];
  outcome: string;
  /** The states of the tries. */
  tries: string[];
  /** What the card shows in the end: `below` where its answer stands in messages. */
  ending: string | null;
}

const times = (count: number, outcome: Outcome): Outcome[] => Array.from({ length: count }, () => outcome);
const finished = (count: number): string[] => Array.from({ length: count }, () => 'finished');
const refused = (upstreamCode: string) =>
  new BridgeError('dingtalk_refused', 'on purpose', { status: 400, upstreamCode });

/** Ways out without the last frame: what they have in common. */
const below = { ending: 'finished: below' };

const exits: Exit[] = [
  { name: 'is shown', answers: [null], outcome: 'fine', tries: ['finished'], ending: 'finished: the end' },
  {
    name: 'is shown as a failure',
    answers: [null],
    last: { state: 'failed' },
    outcome: 'fine',
    tries: ['failed'],
    ending: 'failed: the end',
  },
  {
    name: 'of a card without a failed state is shown as finished',
    answers: ['dingtalk_card_variable'],
    last: { state: 'failed' },
    outcome: 'fine',
    tries: ['failed', 'finished'],
    ending: 'finished: the end',
  },
  {
    name: 'of a card without a failed state is shown as finished, also where its refusal is final',
    answers: ['dingtalk_refused'],
    last: { state: 'failed' },
    outcome: 'fine',
    tries: ['failed', 'finished'],
    ending: 'finished: the end',
  },
  {
    name: 'of a card without a failed state is shown as finished, also after a try without an answer',
    answers: ['dingtalk_unreachable', 'dingtalk_refused'],
    last: { state: 'failed' },
    outcome: 'fine',
    tries: ['failed', 'failed', 'finished'],
    ending: 'finished: the end',
  },
  {
    name: 'as a failure stays one after a refusal for speed',
    answers: ['dingtalk_qps'],
    last: { state: 'failed' },
    outcome: 'fine',
    tries: ['failed', 'failed'],
    ending: 'failed: the end',
  },
  {
    name: 'as a failure that was carried out without an answer is the end',
    answers: [{ done: 'dingtalk_server_error' }],
    last: { state: 'failed' },
    outcome: 'fine',
    tries: ['failed', 'failed', 'finished'],
    ending: 'failed: the end',
  },
  {
    name: 'is given up at once where a repeat cannot help',
    answers: ['dingtalk_permission_missing'],
    outcome: 'dingtalk_permission_missing',
    tries: ['finished'],
    ...below,
  },
  {
    name: 'is given up at once where the card cannot hold it',
    answers: ['dingtalk_card_too_long'],
    outcome: 'dingtalk_card_too_long',
    tries: ['finished'],
    ...below,
  },
  {
    name: 'that the card cannot hold has not ended it, also after a try without an answer',
    answers: ['dingtalk_timeout', 'dingtalk_card_too_long'],
    outcome: 'dingtalk_card_too_long',
    tries: finished(2),
    ...below,
  },
  {
    name: 'that is wrong in itself has not ended its card, also after a try without an answer',
    answers: ['dingtalk_timeout', refused('param.stream.isFull')],
    outcome: 'dingtalk_refused',
    tries: finished(2),
    ...below,
  },
  {
    name: 'is given up at once where the content check refuses it',
    answers: ['dingtalk_content_unsafe'],
    outcome: 'dingtalk_content_unsafe',
    tries: ['finished'],
    ...below,
  },
  {
    name: 'is given up after five tries',
    answers: times(5, 'dingtalk_server_error'),
    outcome: 'dingtalk_server_error',
    tries: finished(5),
    ...below,
  },
  {
    name: 'is given up after six tries on a card that has shown a frame',
    answers: times(6, 'dingtalk_server_error'),
    hasShown: true,
    outcome: 'dingtalk_server_error',
    tries: finished(6),
    ...below,
  },
  {
    name: 'is given up after five tries without an answer',
    answers: times(5, 'dingtalk_timeout'),
    outcome: 'dingtalk_timeout',
    tries: finished(5),
    ...below,
  },
  {
    name: 'that was shown, but got no answer to any try, is replaced',
    answers: times(5, { done: 'dingtalk_timeout' }),
    outcome: 'dingtalk_timeout',
    tries: finished(5),
    ...below,
  },
  {
    name: 'of a card that takes no frame any more is replaced by a change of the card',
    answers: times(2, 'dingtalk_permission_missing'),
    outcome: 'dingtalk_permission_missing',
    tries: finished(1),
    ...below,
  },
  {
    name: 'of a card that takes neither is the only one that leaves it open',
    answers: times(2, 'dingtalk_month_used_up'),
    closes: ['dingtalk_month_used_up'],
    hasShown: true,
    outcome: 'dingtalk_month_used_up',
    tries: finished(1),
    ending: 'typing: typing',
  },
  {
    name: 'that a try without an answer has shown is the end',
    answers: [{ done: 'dingtalk_unreachable' }, 'dingtalk_qps'],
    outcome: 'fine',
    tries: finished(3),
    ending: 'finished: the end',
  },
  {
    name: 'that a gateway did not wait for is the end',
    answers: [{ done: 'dingtalk_timeout' }, refused('param.any')],
    outcome: 'fine',
    tries: finished(2),
    ending: 'finished: the end',
  },
  {
    name: 'that was carried out before DingTalk failed is the end',
    answers: [{ done: 'dingtalk_server_error' }],
    outcome: 'fine',
    tries: finished(2),
    ending: 'finished: the end',
  },
  {
    name: 'that is refused without such a try is not the end',
    answers: ['dingtalk_qps', 'dingtalk_refused'],
    outcome: 'dingtalk_refused',
    tries: finished(2),
    ...below,
  },
  {
    name: 'that another instance may have shown is the end',
    answers: ['dingtalk_refused'],
    last: { mayHaveEnded: true },
    outcome: 'fine',
    tries: finished(1),
    ending: null,
  },
  {
    name: 'of a card that does not exist is no end, and there is nothing to end',
    answers: [refused('param.cardNotExist'), refused('param.cardNotExist')],
    last: { mayHaveEnded: true },
    outcome: 'dingtalk_refused',
    tries: finished(1),
    ending: null,
  },
];

/** A card that is open, and its writer; with `typed` it has been asked to show a typing frame. */
async function scene(typed: boolean, writes: Outcome[] = []) {
  const clock = createVirtualClock();
  const sink = createScriptedCard(clock, { writes });
  let ids = 0;
  const writer = createWriter({
    sink,
    opened: Promise.resolve(),
    pace: paceOf('balanced'),
    clock,
    newId: () => `frame-${(ids += 1)}`,
    settleMs: 0,
    onFrameFailed: () => undefined,
    onFrameShown: () => undefined,
    slot: async () => undefined,
  });
  if (typed) writer.show(() => 'typing');
  await clock.advance(100);
  sink.frames.length = 0;
  const end = async (last: Partial<LastFrame> = {}) => {
    const done = codeOf(writer.finish({ text: 'the end', state: 'finished', ...last }));
    await clock.advance(60_000);
    return done;
  };
  return { clock, sink, writer, end };
}

test.each(exits)('a last frame $name', async ({ answers, last, hasShown = false, closes = [], ...expected }) => {
  const { clock, sink, writer, end } = await scene(hasShown);
  sink.writes.push(...answers);
  sink.closes.push(...closes);
  const outcome = await end(last);
  const tries = sink.frames.map(({ state }) => state);
  if (outcome !== 'fine') {
    const { log } = createLogLines(clock);
    const closing = closeCard(writer, { text: 'below', state: 'finished' }, { log, reference: 'r' });
    await clock.advance(60_000);
    await closing;
  }
  expect({ outcome, tries, ending: sink.shows }).toMatchObject({
    outcome: expected.outcome,
    tries: expected.tries,
    ending: expected.ending,
  });
});

test('a text of which the content check has refused a typing frame is refused by it, whatever keeps it from the card', async () => {
  const { end } = await scene(true, ['dingtalk_content_unsafe', 'dingtalk_card_too_long']);
  expect(await end()).toBe('dingtalk_content_unsafe');
});
