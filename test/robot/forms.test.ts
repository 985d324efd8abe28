// A robot whose app asks a person: forms that wait, and those whose time is over.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { AnswerEvent, PendingForm } from '../../lib/answer/event.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createRobot } from '../../lib/robot/robot.ts';
import { RUN_IDS, words } from '../support/fake-dify.ts';
import { ARRIVAL, createWorld, messageOf, texts } from '../support/turn.ts';

const LIFE_MS = 60_000;

/** A robot that shows a form, and what comes of its run afterwards. */
async function waiting(after: Partial<Answer> = { ending: { kind: 'complete' } }) {
  const world = createWorld();
  const { clock, dify, chat } = world;
  dify.appFacts = { ...dify.appFacts, type: 'chatflow' };
  const form: PendingForm = {
    token: 'token-1',
    runId: 'run-1',
    nodeTitle: 'Approval',
    content: 'May I?',
    fields: [],
    actions: [{ id: 'yes', title: 'Yes' }],
    expiresAtMs: clock.now() + LIFE_MS,
  };
  const asks: AnswerEvent[] = [
    words('Wait.', RUN_IDS),
    { kind: 'form', form, ids: RUN_IDS },
    { kind: 'run-paused', form: null, ids: RUN_IDS },
  ];
  dify.answers.push(asks);
  const robot = createRobot(world.options);
  const say = async (text: string) => {
    const work = await world.done(robot.accept({ ...messageOf(text), robotCode: null }, world.platform, ARRIVAL));
    await world.done(work ? work(world.platform) : Promise.resolve());
  };
  const sweep = async () => {
    const counts = await world.done(robot.sweep(world.platform));
    await world.done(Promise.all(world.platform.background.splice(0)));
    return counts;
  };
  const expire = async () => {
    await clock.advance(LIFE_MS);
    dify.getForm = async () => {
      throw new BridgeError('form_expired', 'over', { status: 412 });
    };
    const answer = {
      ...emptyAnswer,
      ids: RUN_IDS,
      texts: { ...emptyAnswer.texts, message: 'Wait.Rejected.' },
      ...after,
    };
    world.found.push({ kind: 'answer', answer });
  };
  const shown = () => chat.cards.map(({ frames }) => frames.at(-1)?.text);
  await say('apply');
  return { ...world, say, sweep, expire, shown };
}

describe('a form whose time is over', () => {
  test('is told by a sweep on its card and on one of its own, with what its run did then', async () => {
    const { sweep, expire, shown, chat } = await waiting();
    expect(shown()).toEqual([expect.stringContaining('May I?')]);
    await sweep();
    expect(shown()).toHaveLength(1);
    await expire();
    expect(await sweep()).toEqual({ overdue: 0, takenOver: 0 });
    expect(shown()[1]).toBe(`${texts.form.expired('Approval')}\n\nRejected.`);
    expect(chat.amended).toMatchObject([
      { cardId: chat.cards[0]?.id, variables: { content: `Wait.\n\n${texts.form.expired('Approval')}` } },
    ]);
    await sweep();
    expect(shown()).toHaveLength(2);
  });

  test('is told beside the next question', async () => {
    const { say, expire, shown } = await waiting();
    await expire();
    await say('Ask: something else');
    expect(shown()).toHaveLength(3);
    expect(shown()).toContainEqual(expect.stringContaining(texts.form.expired('Approval')));
  });

  test('says nothing of a line that is full', async () => {
    const { expire, sweep, shown, options, chat, lines } = await waiting();
    const accept = options.state.accept.bind(options.state);
    await expire();
    options.state.accept = async (request) => {
      const accepted = await accept(request);
      return accepted.kind === 'started' ? { kind: 'full', load: accepted.load } : accepted;
    };
    await sweep();
    expect([shown().length, chat.sent]).toEqual([1, []]);
    expect(lines).not.toContainEqual(expect.objectContaining({ event: 'form_not_expired' }));
  });
});
