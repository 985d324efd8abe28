// Any order of questions, taps, presses, words and kills: a form is answered at most once, and only by an answer that was
// accepted after it was shown and that names it, or where it was the only one open.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { idOf } from '../../lib/robot/buttons.ts';
import { sleep } from '../../lib/runtime/clock.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { turnIdOf } from '../../lib/turn/record.ts';
import type { Callback } from '../../playground/dingtalk/types.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { asking, formApp } from '../support/forms.ts';
import { createFastClock } from '../support/virtual-clock.ts';

const TITLES = ['甲', '乙', '丙'] as const;
const PEOPLE = ['staff-1', 'staff-2'] as const;
const WORDS = ['同意', '驳回', '1', '2', '同意 #1', '驳回 #2', '同意 #3', '好的', '年假几天？'] as const;

type Step =
  | { kind: 'ask'; title: number }
  /** `times` at once. */
  | { kind: 'say'; person: number; words: number; times: number }
  | { kind: 'tap'; card: number; link: number }
  | { kind: 'press'; card: number; person: number; action: 'approve' | 'reject' }
  | { kind: 'settle' }
  | { kind: 'kill' };

const index = fc.nat({ max: 8 });
const person = fc.nat({ max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), title: fc.nat({ max: 2 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      person,
      words: fc.nat({ max: WORDS.length - 1 }),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('tap' as const), card: index, link: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('press' as const),
      card: index,
      person,
      action: fc.constantFrom('approve' as const, 'reject' as const),
    }),
  },
  { weight: 5, arbitrary: fc.constant({ kind: 'settle' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
);

/** What a person has sent, by the turn that it became. */
interface Sent {
  person: string;
  /** Null for a press. */
  words: string | null;
  cardId: string | null;
  /** When its answer came: it was accepted before. */
  acceptedBeforeMs: number;
}

/** What is searched for after a kill waits for seconds between its looks. */
const SPEED = 8;
const LEASE_MS = 400 * SPEED;

/** 甲 leads to a second form, as a request that two people approve one after the other. 丙 is the other person's. */
const pauseOf = (title: string) =>
  title === '甲'
    ? asking('甲', { onSubmit: ({ action }) => ({ chunks: [{ text: `甲 ${action} {}` }], ending: asking('甲二') }) })
    : asking(title);

async function play(steps: readonly Step[]) {
  const clock = createFastClock(SPEED);
  const state = { ...createMemoryState(clock), isDurable: true };
  const bridge = await startBridge({
    clock,
    app: formApp(pauseOf),
    state,
    env: { CRON_SECRET: 'cron-secret' },
    leaseTiming: { leaseMs: LEASE_MS, renewMs: LEASE_MS / 4 },
  });
  const sent = new Map<string, Sent>();
  const asked = new Set<number>();
  const cards = () => bridge.cards();

  async function say(from: string, text: string): Promise<void> {
    const callback = bridge.dingtalk.callback({ from, text });
    await deliver(callback, from, text);
  }
  async function deliver(callback: Callback, from: string, text: string): Promise<void> {
    await bridge.dingtalk.deliver(bridge.url, callback);
    const turnId = turnIdOf(String(callback.body['msgId']));
    sent.set(turnId, { person: from, words: text, cardId: null, acceptedBeforeMs: clock.now() });
  }

  const doStep: { [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => Promise<void> } = {
    async ask({ title }) {
      if (asked.has(title)) return;
      asked.add(title);
      await say(
        title === 2 ? PEOPLE[1] : PEOPLE[0],
        `提问：申请${TITLES[title]}`.slice(asked.size === 1 || title === 2 ? 3 : 0),
      );
    },
    async say({ person: who, words, times }) {
      const from = PEOPLE[who] ?? PEOPLE[0];
      await Promise.all(Array.from({ length: times }, () => say(from, WORDS[words] ?? '')));
    },
    async tap({ card, link }) {
      const tapped = cards()[card];
      const links = [...(tapped?.content ?? '').matchAll(/dtmd:\S+?(?=\))/gu)].map(([found]) => found);
      const chosen = links[link];
      if (!tapped || chosen === undefined) return;
      const from = PEOPLE.find((id) => tapped.space.id === id) ?? PEOPLE[0];
      const text = decodeURIComponent(/content=(.*)$/u.exec(chosen)?.[1] ?? '');
      await say(from, text);
    },
    async press({ card, person: who, action }) {
      const { outTrackId } = cards()[card] ?? {};
      const userId = PEOPLE[who] ?? PEOPLE[0];
      if (outTrackId === undefined) return;
      const params = { action: 'form', action_id: action };
      const messageId = idOf(outTrackId, `${userId}\nform\n${action}\n{}`);
      await bridge.dingtalk.tap({ outTrackId, userId, actionId: 'form', params }, { url: bridge.url });
      const press = { person: userId, words: null, cardId: outTrackId, acceptedBeforeMs: clock.now() };
      if (!sent.has(turnIdOf(messageId))) sent.set(turnIdOf(messageId), press);
    },
    settle: () => bridge.idle(),
    kill: () => bridge.kill(),
  };
  try {
    for (const one of steps) await doStep[one.kind](one as never);
    await bridge.idle();
    // What the killed instances left is taken over, and what waited behind it.
    const kills = steps.filter(({ kind }) => kind === 'kill').length;
    for (let sweeps = 0; sweeps < Math.min(kills, 3); sweeps += 1) {
      await sleep(clock, LEASE_MS + 50 * SPEED);
      await fetch(`${bridge.url}?sweep`, { headers: { authorization: 'Bearer cron-secret' } });
      await bridge.idle();
    }
    check(bridge, sent);
  } finally {
    await bridge.close();
  }
}

/** A form, and when it was open to whom. */
interface Shown {
  title: string;
  person: string;
  /** When its card was first ended with it. */
  shownMs: number;
  cardId: string;
  number: number;
  answeredMs: number;
}

function check(bridge: Bridge, sent: ReadonlyMap<string, Sent>): void {
  const shown: Shown[] = [];
  const answers = bridge.dify.requests.filter(({ api, status }) => api === 'submitForm' && status === 200);
  for (const run of bridge.dify.runs) {
    for (const form of run.forms) {
      const taken = answers.filter(({ path }) => path.endsWith(`/${form.token}`));
      expect(taken.length).toBeLessThanOrEqual(1);
      const title = titleOf(run.query, run.forms.indexOf(form));
      const card = bridge.cards().find(({ frames }) => frames.some(({ content }) => content.includes(`：${title}`)));
      const frame = card?.frames.find(({ content }) => content.includes(`：${title}`));
      // It was never shown: then nobody can have answered it.
      if (!card || !frame) expect(taken).toEqual([]);
      else {
        const number = Number(new RegExp(`：${title} #(\\d+)`, 'u').exec(frame.content)?.[1] ?? 1);
        const answeredMs = taken[0]?.at ?? Infinity;
        shown.push({ title, person: run.user, shownMs: frame.at, cardId: card.outTrackId, number, answeredMs });
      }
    }
  }
  for (const form of shown.filter(({ answeredMs }) => answeredMs < Infinity)) {
    // The turn that answered it has a card of its own, which says so.
    const answering = bridge
      .cards()
      .filter(({ content }) => new RegExp(`(^|\\n)${form.title} (approve|reject) `, 'u').test(content));
    expect(answering).toHaveLength(1);
    const message = sent.get(answering[0]?.outTrackId ?? '');
    expect(message).toBeDefined();
    if (!message) continue;
    expect(message.person).toBe(form.person);
    expect(message.acceptedBeforeMs).toBeGreaterThanOrEqual(form.shownMs);
    if (message.words === null) expect(message.cardId).toBe(form.cardId);
    else {
      const mark = /#(\d+)/u.exec(message.words)?.[1];
      const others = shown.filter(
        (other) =>
          other !== form &&
          other.person === form.person &&
          other.shownMs < form.answeredMs &&
          other.answeredMs > form.answeredMs,
      );
      if (mark === undefined) expect(others).toEqual([]);
      else expect(Number(mark)).toBe(form.number);
    }
  }
}

const titleOf = (query: string, place: number) => `${query.slice(2)}${place === 1 ? '二' : ''}`;

/** Orders that were wrong once. */
const known: [Step[]][] = [
  [[{ kind: 'ask', title: 0 }, { kind: 'settle' }, { kind: 'say', person: 0, words: 0, times: 2 }]],
  [
    [
      { kind: 'ask', title: 0 },
      { kind: 'settle' },
      { kind: 'ask', title: 1 },
      { kind: 'settle' },
      { kind: 'tap', card: 0, link: 0 },
      { kind: 'settle' },
      { kind: 'tap', card: 2, link: 1 },
      { kind: 'kill' },
      { kind: 'say', person: 0, words: 0, times: 2 },
    ],
  ],
  [
    [
      { kind: 'ask', title: 0 },
      { kind: 'ask', title: 2 },
      { kind: 'settle' },
      { kind: 'say', person: 1, words: 0, times: 2 },
      { kind: 'press', card: 0, person: 0, action: 'approve' },
      { kind: 'kill' },
      { kind: 'press', card: 0, person: 0, action: 'reject' },
      { kind: 'press', card: 1, person: 0, action: 'reject' },
    ],
  ],
];

const RUNS_OF_A_LANE = Number(process.env['FORM_RUNS'] ?? 3);

/** What runs at once: an order waits for the pace of its cards most of the time. */
const LANES = [
  ...known.map((order, place) => ({ name: `known order ${place + 1}`, numRuns: 1, examples: [order] })),
  ...[1, 2, 3].map((lane) => ({ name: `any order, lane ${lane}`, numRuns: RUNS_OF_A_LANE, examples: [] })),
];

test.concurrent.for(LANES)(
  'a form is answered once, by an answer that was meant for it: $name',
  { timeout: 300_000 },
  async ({ numRuns, examples }, { expect: ownExpect }) => {
    const orders = fc.array(step, { minLength: 3, maxLength: 14 });
    const run = fc.assert(fc.asyncProperty(orders, play), { numRuns, examples });
    await ownExpect(run).resolves.toBeUndefined();
  },
);
