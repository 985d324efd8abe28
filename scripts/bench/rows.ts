// The figures of one instance, each measured in the same way for every version's code.
import { sleep, systemClock } from '../../lib/runtime/clock.ts';
import type { Chunk, Question } from '../../playground/dify/types.ts';
import type { Code } from '../../test/chaos/code.ts';
import { parsingMs } from './parsing.ts';
import { inWorld, personOf, type World, type WorldOptions } from './world.ts';

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** At most this; at least this where more is better. */
  aim: number;
  isMoreBetter?: boolean;
  /**
   * What b114c53 took on the machine for which the aim was set. Machines differ, so beside that commit the aim is the same
   * part of what it takes in the same run.
   */
  was?: number;
}

export interface Row {
  name: string;
  measure: (code: Code) => Promise<Figure[]>;
}

const STORE_MS = 5;
const LONG = 'a long one';
/** 300 events of two characters, as fast as they go. */
const ANSWER: Chunk[] = Array.from({ length: 300 }, () => ({ text: '答案' }));

const chunks = (list: Chunk[]) => ({ script: { chunks: list } });
const at = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Infinity;

/** Sends `count` messages, each of another person, evenly over the time; the times to their acknowledgements. */
async function deliver(
  { send }: World,
  { count, overMs, text, from = 0 }: { count: number; overMs: number; text: string; from?: number },
): Promise<number[]> {
  const began = performance.now();
  const sent: Promise<number>[] = [];
  while (sent.length < count) {
    const due = Math.min(count, 1 + Math.floor(((performance.now() - began) * count) / overMs));
    while (sent.length < due) sent.push(send(personOf(from + sent.length), text).then(({ ms }) => ms));
    await sleep(systemClock, 1);
  }
  return Promise.all(sent);
}

/** 60 s of an answer, then five that each begin 6 s after the one before; twenty in a row. */
async function connections(code: Code): Promise<Figure[]> {
  const slowly = (seconds: number): Chunk[] => Array.from({ length: seconds }, () => ({ afterMs: 1_000, text: '字' }));
  const script = ({ text }: Question) => ({
    chunks: text === LONG ? slowly(60) : text === 'five' ? slowly(1) : ANSWER,
  });
  return inWorld(code, { app: { script } }, async (world) => {
    const { send, ended, connections: made } = world;
    let asked = 1;
    const ask = async (text: string) => {
      await send(personOf(0), text);
      await ended((asked += 1));
    };
    const beforeLong = made().dingtalk;
    await ask(LONG);
    const afterLong = made().dingtalk;
    for (let each = 0; each < 5; each += 1) {
      await sleep(systemClock, 5_000);
      await ask('five');
    }
    const afterFive = made();
    for (let each = 0; each < 20; each += 1) await ask('row');
    return [
      { what: 'new connections to DingTalk, an answer of 60 s', value: afterLong - beforeLong, unit: '', aim: 1 },
      { what: 'the same, five answers 6 s apart', value: afterFive.dingtalk - afterLong, unit: '', aim: 0 },
      { what: 'new connections to Dify, 20 answers in a row', value: made().dify - afterFive.dify, unit: '', aim: 1 },
    ];
  });
}

async function acknowledgement(code: Code): Promise<Figure[]> {
  const options: WorldOptions = { people: 400, storeMs: STORE_MS, app: chunks(ANSWER) };
  return inWorld(code, options, async (world) => {
    await deliver(world, { count: 50, overMs: 1_000, text: 'first' });
    const times = await deliver(world, { count: 300, overMs: 6_000, text: 'question', from: 50 });
    return [
      { what: '50 callbacks a second: acknowledged, half', value: at(times, 0.5), unit: 'ms', aim: 12 },
      { what: 'the same, 99 %', value: at(times, 0.99), unit: 'ms', aim: 12, was: 29.5 },
    ];
  });
}

const RUNNING = 500;

async function busy(code: Code): Promise<Figure[]> {
  const running: Chunk[] = Array.from({ length: 120 }, () => ({ afterMs: 250, text: '答案' }));
  const script = ({ text }: Question) => ({ chunks: text === LONG ? running : [{ text: 'yes' }] });
  return inWorld(code, { people: RUNNING + 300, storeMs: STORE_MS, app: { script } }, async (world) => {
    await deliver(world, { count: RUNNING, overMs: 5_000, text: LONG });
    await sleep(systemClock, 2_000);
    await world.used();
    const times = await deliver(world, { count: 300, overMs: 6_000, text: 'question', from: RUNNING });
    const { delayP99Ms } = await world.used();
    await world.ended(1 + RUNNING + 300);
    const exact = [...world.dingtalk.cards.values()].filter(({ content }) => content === '答案'.repeat(120)).length;
    return [
      {
        what: `beside ${RUNNING} running answers: acknowledged, 99 %`,
        value: at(times, 0.99),
        unit: 'ms',
        aim: 60,
        was: 128,
      },
      { what: 'the same, delay of the loop, 99 %', value: delayP99Ms, unit: 'ms', aim: 20, was: 24 },
      { what: 'of those answers exact', value: exact, unit: '', aim: RUNNING, isMoreBetter: true },
    ];
  });
}

async function burst(code: Code): Promise<Figure[]> {
  return inWorld(code, { people: 500, storeMs: STORE_MS, app: chunks([{ text: 'yes' }]) }, async (world) => {
    const times = await deliver(world, { count: 500, overMs: 1_000, text: 'question' });
    return [
      {
        what: '500 callbacks within a second: acknowledged, 99 %',
        value: at(times, 0.99),
        unit: 'ms',
        aim: 600,
        was: 850,
      },
    ];
  });
}

/** Events of a real pace arrive one by one: most of what they cost is their arrival. */
async function processor(code: Code): Promise<Figure[]> {
  const atOnce = 40;
  const rounds = 3;
  const paced: Chunk[] = Array.from({ length: 300 }, () => ({ afterMs: 15, text: '答案' }));
  return inWorld(code, { people: atOnce, app: chunks(paced) }, async (world) => {
    const ask = async (before: number) => {
      await deliver(world, { count: atOnce, overMs: 1_000, text: 'question' });
      await world.ended(before + atOnce);
    };
    await ask(1);
    await world.used();
    for (let round = 1; round <= rounds; round += 1) await ask(1 + round * atOnce);
    const { cpuMs } = await world.used();
    const alone = await parsingMs(world.dify, atOnce, rounds);
    return [
      {
        what: 'processor time of an answer: parsing its bytes alone',
        value: cpuMs / alone,
        unit: '×',
        aim: 1.3,
        was: 1.72,
      },
    ];
  });
}

async function short(code: Code): Promise<Figure[]> {
  const people = 50;
  const answers = 1_500;
  return inWorld(code, { people, app: chunks([{ text: 'yes' }]) }, async (world) => {
    let asked = 1;
    const askAll = async (count: number) => {
      const until = asked + count;
      while (asked < until) {
        await deliver(world, { count: people, overMs: 1, text: 'question' });
        await world.ended((asked += people));
      }
    };
    await askAll(300);
    await world.used();
    await askAll(answers);
    const { cpuMs } = await world.used();
    return [
      {
        what: 'short answers a second and core',
        value: (1_000 * answers) / cpuMs,
        unit: '',
        aim: 500,
        isMoreBetter: true,
        was: 325,
      },
    ];
  });
}

async function archive(code: Code): Promise<Figure[]> {
  const bytes = new Uint8Array(20_000_000);
  for (let place = 0; place < bytes.length; place += 1) bytes[place] = 97 + ((place * 7_919) % 26);
  const file = (content: Uint8Array): Chunk[] => [
    { text: 'here' },
    { file: { name: 'report.csv', bytes: content, as: 'message_file' } },
  ];
  return inWorld(
    code,
    { app: { script: ({ text }) => ({ chunks: file(text === LONG ? bytes : bytes.subarray(0, 1_000)) }) } },
    async (world) => {
      // The first answer of the instance has a small file, which loads the code for files.
      while (world.dingtalk.messages.length < 1) await sleep(systemClock, 50);
      const before = await world.used();
      let mostMb = 0;
      let standstillMs = 0;
      await world.send(personOf(0), LONG);
      while (world.dingtalk.messages.length < 2) {
        await sleep(systemClock, 50);
        // The longest standstill is kept from one look to the next.
        const { rssMb, delayMaxMs } = await world.look();
        mostMb = Math.max(mostMb, rssMb - before.rssMb);
        standstillMs = Math.max(standstillMs, delayMaxMs);
      }
      return [
        { what: 'a 20 MB file as an archive: longest standstill', value: standstillMs, unit: 'ms', aim: 20 },
        { what: 'the same, more memory', value: mostMb, unit: 'MB', aim: 40 },
      ];
    },
  );
}

async function markdown(code: Code): Promise<Figure[]> {
  const paragraph =
    '## 标题\n\n- 第一项 **重要** `code`\n- 第二项 [链接](https://example.com/a)\n\n一段普通的文字，有点长。\n\n';
  const text = paragraph.repeat(Math.ceil(1_000_000 / Buffer.byteLength(paragraph)));
  const list: Chunk[] = Array.from({ length: 20 }, (_, part) => ({
    text: text.slice((part * text.length) / 20, ((part + 1) * text.length) / 20),
  }));
  return inWorld(
    code,
    { app: { script: ({ text: asked }) => ({ chunks: asked === LONG ? list : ANSWER }) } },
    async (world) => {
      await world.used();
      await world.send(personOf(0), LONG);
      await world.ended(2);
      const { cpuMs } = await world.used();
      return [{ what: '1 MB of markdown: processor time', value: cpuMs / 1_000, unit: 's', aim: 0.3 }];
    },
  );
}

export const rows: readonly Row[] = [
  { name: 'connections', measure: connections },
  { name: 'acknowledgement', measure: acknowledgement },
  { name: 'busy', measure: busy },
  { name: 'burst', measure: burst },
  { name: 'processor', measure: processor },
  { name: 'short', measure: short },
  { name: 'archive', measure: archive },
  { name: 'markdown', measure: markdown },
];
