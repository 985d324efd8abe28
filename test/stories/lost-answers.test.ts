// What becomes of an answer whose connection is lost, whose run waits, or that is stopped, in each kind of app: what the
// card shows at the end, how long that took, and how often Dify was asked. The table is printed at the end.
import { afterAll, describe, expect, test } from 'vitest';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { Chunk, ChunkScript } from '../../playground/dify/types.ts';
import type { DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { createSteppingClock } from '../support/virtual-clock.ts';

const MODES = ['chat', 'agent-chat', 'completion', 'advanced-chat', 'workflow'] as const;
type Mode = (typeof MODES)[number];
const isRun = (mode: Mode) => mode === 'advanced-chat' || mode === 'workflow';

interface Row {
  mode: Mode;
  what: string;
  shown: string;
  phase: string;
  /** Until the card ended, in seconds: since the kill, the cut or the stop; of a run that waits, since it was asked. */
  tookS: number;
  /** How often Dify was asked. */
  posts: number;
}

/** What is done, and when: once these words are shown, or, without any, two seconds after Dify has the question. */
interface Act {
  mode: Mode;
  what: string;
  at?: string;
}

/** What Dify says to the question, by how often it was asked, from 1. */
type Answers = (nth: number) => ChunkScript;

type Vendors = Pick<Bridge, 'dify' | 'dingtalk'>;

/** Where nothing happens meanwhile, time may pass faster. */
const SPEED = { killed: 25, cut: 25, stopped: 25, waits: 60 };
const version = '1.14' as const;
const WORDS = Array.from({ length: 20 }, (_, index) => `w${index + 1}`);
const WHOLE = WORDS.join(' ');

/** Dify says a word a second; the first one after so long. */
const talk = (firstMs = 1_000): Chunk[] =>
  WORDS.map((word, index) => ({ afterMs: index === 0 ? firstMs : 1_000, text: index === 0 ? word : ` ${word}` }));
const cutOnce: Answers = (nth) => ({ chunks: nth > 1 ? talk() : talk().toSpliced(5, 0, { cut: true }) });

const cardOf = (dingtalk: DingTalkSimulator) =>
  [...dingtalk.cards.values()].find(({ space }) => space.id === 'staff-1');
const asked = ({ dify }: Vendors) => dify.runs.filter(({ user }) => user === 'staff-1');

/** An answer in a line: `whole`, or its text and what stands below it. */
const shownOf = (content: string) =>
  content === WHOLE ? 'whole' : content.replaceAll(/\s*\n+\s*/g, ' / ').slice(0, 80);

function appOf(mode: Mode, answers: Answers) {
  let nth = 0;
  const script = ({ text }: { text: string }): ChunkScript => {
    if (text === 'busy') return { chunks: Array.from({ length: 90 }, () => ({ afterMs: 1_000, text: 'b ' })) };
    nth += 1;
    return answers(nth);
  };
  return { app: { mode, script }, dify: { version } };
}

async function reached({ at }: Act, vendors: Vendors, clock: Clock): Promise<void> {
  const isThere = () => asked(vendors).length > 0 && (cardOf(vendors.dingtalk)?.content ?? '').includes(at ?? '');
  await expect.poll(isThere, { timeout: 20_000 }).toBe(true);
  if (at === undefined) await sleep(clock, 2_000);
}

function rowOf({ mode, what }: Act, vendors: Vendors, fromMs: number): Row {
  const { content = '', phase = '', endedAt = 0 } = cardOf(vendors.dingtalk) ?? {};
  const tookS = ((endedAt ?? 0) - fromMs) / 1_000;
  return { mode, what, shown: shownOf(content), phase, tookS, posts: asked(vendors).length };
}

/** Kills the instance. Another one begins to write somebody else's answer then. */
async function killed(act: Act, answers: Answers): Promise<Row> {
  const clock = createSteppingClock(SPEED.killed);
  const state = createMemoryState(clock);
  const bridge = await startBridge({ ...appOf(act.mode, answers), clock, state });
  try {
    await bridge.send('question');
    await reached(act, bridge, clock);
    const killedAtMs = clock.now();
    await bridge.kill();
    await bridge.send({ from: 'staff-2', text: 'busy' });
    await bridge.idle();
    const takenOver = bridge.logs.find(({ event }) => event === 'turn_taken_over');
    expect(Date.parse(String(takenOver?.['time'])) - killedAtMs).toBeLessThanOrEqual(45_000);
    const texts = (cardOf(bridge.dingtalk)?.frames ?? [])
      .map(({ content }) => content)
      .filter((text) => text.startsWith('w1'));
    const lengths = texts.map(({ length }) => length);
    expect(lengths, 'the card never shows less').toEqual(lengths.toSorted((x, y) => x - y));
    return rowOf(act, bridge, killedAtMs);
  } finally {
    await bridge.close();
  }
}

/** One instance that lives: the answer is cut, waits for a worker, or is stopped. */
async function alone(act: Act, answers: Answers, how: 'cut' | 'waits' | 'stopped'): Promise<Row> {
  const clock = createSteppingClock(SPEED[how]);
  const bridge = await startBridge({ ...appOf(act.mode, answers), clock, env: { FUNCTION_MAX_DURATION_S: '300' } });
  try {
    let fromMs = clock.now();
    await bridge.send('question');
    if (how === 'stopped') {
      await reached(act, bridge, clock);
      fromMs = clock.now();
      await bridge.send('/stop');
    }
    await bridge.idle();
    return rowOf(act, bridge, how === 'cut' ? (asked(bridge)[0]?.disconnectedAt ?? fromMs) : fromMs);
  } finally {
    await bridge.close();
  }
}

describe('an answer that is lost, waits or is stopped', () => {
  const rows: Row[] = [];

  test.each(MODES)(
    '%s',
    async (mode) => {
      // Easy apps have no workers: their model is as slow.
      const waiting = (ms: number) => (isRun(mode) ? { chunks: talk(), queuedMs: ms } : { chunks: talk(ms) });
      const [inMidAnswer, atFirst, cut, atOnce, inTheMiddle, busy, never] = await Promise.all([
        killed({ mode, what: 'killed in mid-answer', at: 'w5' }, () => ({ chunks: talk() })),
        killed({ mode, what: 'killed before the first word' }, () => ({ chunks: talk(15_000) })),
        alone({ mode, what: 'cut in mid-answer' }, cutOnce, 'cut'),
        alone({ mode, what: 'stopped at once' }, () => ({ chunks: talk(15_000) }), 'stopped'),
        alone({ mode, what: 'stopped in the middle', at: 'w5' }, () => ({ chunks: talk() }), 'stopped'),
        alone({ mode, what: 'worker busy for 60 s' }, () => waiting(60_000), 'waits'),
        alone({ mode, what: 'worker busy for ever' }, () => waiting(3_600_000), 'waits'),
      ]);
      rows.push(inMidAnswer, atFirst, cut, atOnce, inTheMiddle, busy, never);
      const posts = mode === 'chat' || mode === 'completion' ? 2 : 1;
      for (const row of [inMidAnswer, atFirst, cut])
        expect(row).toMatchObject({ shown: 'whole', phase: 'finished', posts });
      expect(atOnce).toMatchObject({
        shown: expect.stringMatching(/^（已停止）/u) as string,
        phase: 'finished',
        posts: 1,
      });
      expect(inTheMiddle).toMatchObject({ phase: 'finished', posts: 1 });
      expect(inTheMiddle.shown).toMatch(/^w1 .*（已停止）[^\n]*$/);
      // Dify notices within a second or two; after 3 s the text so far is the answer.
      for (const { tookS } of [atOnce, inTheMiddle]) expect(tookS).toBeLessThan(15);
      expect(busy).toMatchObject({ shown: 'whole', phase: 'finished', posts: 1 });
      expect(never).toMatchObject({ phase: 'failed', posts: 1 });
      // An agent tells of its first step before its model has said anything.
      expect(never.shown).toContain(mode === 'agent-chat' ? '超出了限制' : '一直没有开始处理');
    },
    90_000,
  );

  afterAll(() => {
    const lines = rows.map(({ mode, what, shown, phase, tookS, posts }) =>
      ['', what, mode, shown, phase, `${tookS.toFixed(0)} s`, posts, ''].join(' | ').trim(),
    );
    const head = ['| What | App | The card at the end | State | After | Asked |', '| - | - | - | - | - | - |'];
    process.stdout.write(`${[...head, ...lines.toSorted()].join('\n')}\n`);
  });
});
