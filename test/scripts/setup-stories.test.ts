// What can go wrong on the way from a scan to a card: what is said, and what the next run does. The programs are played
// within this process; a person answers each question by its words.
import { mkdirSync, readdirSync, readFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Language } from '../../scripts/language.ts';
import { runSetup } from '../../scripts/setup/run.ts';
import type { Terminal } from '../../scripts/setup/terminal.ts';
import type { Variable } from '../../scripts/setup/variables.ts';
import { playDws, type DwsWorld } from '../support/setup/dws.ts';
import { playVercel, type VercelWorld } from '../support/setup/vercel.ts';
import { shortPauses } from '../support/virtual-clock.ts';
import {
  API_KEY,
  CLIENT_ID,
  CLIENT_SECRET,
  MARK,
  QSTASH_TOKEN,
  startSetupWorld,
  TEMPLATE,
  type SetupWorld,
  type WorldOptions,
} from '../support/setup/world.ts';

const OTHER_KEY = `app-${MARK}-other-key`;
/** Thrown where the person presses Ctrl+C: the process would end there. */
class Interrupted extends Error {}

type Answers = readonly (readonly [prompt: string, line: string | (() => string)])[];

const open: SetupWorld[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
});

async function startWorld(options: WorldOptions = {}): Promise<SetupWorld> {
  const world = await startSetupWorld(options);
  open.push(world);
  return world;
}

interface RunOptions {
  language?: Language;
  /** Ctrl+C at the question of this number, from 1. */
  interruptAt?: number;
  isOffline?: boolean;
  isDryRun?: boolean;
  given?: Record<string, string>;
}

async function run(
  world: SetupWorld,
  answers: Answers,
  { language = 'en', interruptAt, isOffline, isDryRun = false, given = {} }: RunOptions = {},
) {
  const said: string[] = [];
  const waiting = [...answers];
  let asked = 0;
  const answer = (prompt: string): string => {
    asked += 1;
    if (asked === interruptAt) throw new Interrupted(prompt);
    const at = waiting.findIndex(([wanted]) => prompt.includes(wanted));
    const found = waiting.splice(at, at === -1 ? 0 : 1)[0];
    if (!found) throw new Error(`nobody answers: ${prompt}\n${said.join('\n')}`);
    const line = typeof found[1] === 'string' ? found[1] : found[1]();
    said.push(`${prompt}${line.includes(MARK) ? '' : line}`);
    return line;
  };
  const terminal: Terminal = {
    say: (text) => void said.push(text),
    ask: async (prompt) => answer(prompt),
    async wait(prompt, signal) {
      const isTyped = waiting.some(([wanted]) => prompt().includes(wanted));
      if (isTyped) return answer(prompt());
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return null;
    },
    close: () => undefined,
  };
  const file = join(world.cwd, '.env');
  const setup = runSetup({
    ports: {
      env: world.env,
      fetch: (url, init) =>
        isOffline
          ? Promise.reject(Object.assign(new Error('offline'), { code: 'ENOTFOUND' }))
          : fetch(url.replace('https://qstash.upstash.io', world.qstash.origin), init),
      clock: shortPauses,
      newId: () => crypto.randomUUID(),
      connectRedis: () => () => Promise.reject(new Error('none')),
      nodeVersion: 'v24.0.0',
    },
    options: {
      language,
      isUnattended: false,
      isPlain: false,
      isChecked: true,
      isDryRun,
      envFile: file,
      given: new Map(Object.entries(given)) as Map<Variable, string>,
      from: null,
      answers: null,
    },
    imported: new Map(),
    language,
    terminal,
    example: '',
    acts: {
      run: async (program, args, input = '') => {
        const { code, stdout, stderr } = played(world, program, args, input);
        return { code, stdout, stderr };
      },
      openPage: () => undefined,
      writeTemplate: () => 'card-template.json',
    },
    onWritten: () => undefined,
  });
  const outcome = await setup.then(
    (code) => ({ code }),
    (error: unknown) => {
      if (error instanceof Interrupted) return { code: null };
      throw error;
    },
  );
  const output = said.join('\n');
  expect(output).not.toContain(MARK);
  for (const path of [file, `${file}.setup`]) if (existsSync(path)) expect(statSync(path).mode & 0o777).toBe(0o600);
  return { ...outcome, output, asked, left: waiting.map(([prompt]) => prompt) };
}

function played(
  world: SetupWorld,
  program: string,
  args: readonly string[],
  input: string,
): { code: number | null; stdout: string; stderr: string } {
  const isThere = existsSync(join(world.env['HOME'] ?? '', `${program}.json`));
  if (!isThere) return { code: null, stdout: '', stderr: '' };
  const state = program === 'dws' ? world.dws() : world.vercel();
  const result =
    program === 'dws' ? playDws(state as DwsWorld, args) : playVercel(state as VercelWorld, args, input, world.cwd);
  world.change(program === 'dws' ? 'dws' : 'vercel', state);
  expect(args.join(' ')).not.toContain(MARK);
  return result;
}

const kept = (world: SetupWorld) => {
  const file = join(world.cwd, '.env.setup');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

const STREAM: Answers = [['1, 2 or 3', '2']];
const difyOf = (world: SetupWorld): Answers => [
  ['Address of the Dify API', world.dify.url],
  ['Key of the app', API_KEY],
];
const YES: Answers = [
  ['Run exactly', 'y'],
  ['Run exactly', 'y'],
];
const whole = (world: SetupWorld): Answers => [...STREAM, ['Template id', TEMPLATE], ...difyOf(world), ...YES];
const RESTART: WorldOptions = { vercel: null };

describe('the scan', () => {
  test('that expired is begun anew on request', async () => {
    const world = await startWorld({
      ...RESTART,
      registration: {
        scans: [{ kind: 'nothing' }, { kind: 'app', clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }],
        expiresIn: 1,
      },
    });
    // The first code's second is over before the person has scanned it; the second one is scanned at once.
    const { code, output } = await run(world, [['Enter: a new code', ''], ...whole(world)]);
    expect(output).toContain('The code has expired.');
    expect([code, world.registration.codes]).toEqual([0, 2]);
  });

  test('that DingTalk refuses says why; the app is entered by hand', async () => {
    const world = await startWorld({
      ...RESTART,
      registration: { scans: [{ kind: 'refuse', reason: '无开发者权限\u001B[2J' }] },
    });
    const { code, output } = await run(world, [
      ['Enter: a new code', 'h'],
      ['Client ID', CLIENT_ID],
      ['Client Secret', CLIENT_SECRET],
      ...whole(world),
    ]);
    expect(output).toContain('DingTalk did not create the app: 无开发者权限');
    expect(output).not.toContain('\u001B[2J');
    expect(code).toBe(0);
  });

  test('can be left for an app by hand from the start; a mistyped secret is asked again and not kept', async () => {
    const world = await startWorld({ ...RESTART, registration: { scans: [{ kind: 'nothing' }] } });
    const first = await run(
      world,
      [
        ['h: by hand', 'h'],
        ['Client ID', CLIENT_ID],
        ['Client Secret', `${MARK}-mistyped`],
      ],
      { interruptAt: 4 },
    );
    expect(first.output).toContain('invalidClientIdOrSecret');
    expect(kept(world)).not.toContain('mistyped');
    const second = await run(world, [['Client Secret', CLIENT_SECRET], ...whole(world)]);
    expect([second.code, second.left]).toEqual([0, []]);
  });

  test('without a network is told, and nothing is lost', async () => {
    const world = await startWorld(RESTART);
    const first = await run(world, [['Enter: a new code', '']], { isOffline: true, interruptAt: 2 });
    expect(first.output).toContain('DingTalk cannot be reached (ENOTFOUND)');
    expect((await run(world, whole(world))).code).toBe(0);
  });
});

test('--dry-run creates no app and writes no file', async () => {
  const world = await startWorld(RESTART);
  const byHand = ['ID', 'Secret'].map((what) => [`Client ${what}`, what === 'ID' ? CLIENT_ID : CLIENT_SECRET] as const);
  const { code, output } = await run(world, [...byHand, ...whole(world)], { isDryRun: true });
  expect(output).not.toContain('card-template.json');
  expect([code, world.registration.codes, readdirSync(world.cwd)]).toEqual([0, 0, []]);
});

test('kept answers that cannot be read are named, and nothing is asked', async () => {
  const world = await startWorld();
  mkdirSync(join(world.cwd, '.env.setup'), { mode: 0o600 });
  expect((await run(world, [])).output).toContain('.env.setup cannot be read or written (EISDIR)');
});

describe('the console by dws', () => {
  test('in a wrong organisation: the person logs in to the right one, and it goes on', async () => {
    const world = await startWorld(RESTART);
    const { app } = world.dws();
    world.change('dws', { app: null, organisation: 'Another Ltd' });
    const look = () => {
      world.change('dws', { app, organisation: 'Example Ltd' });
      return '';
    };
    const { code, output } = await run(world, [...whole(world), ['Enter: look again', look]]);
    expect(output).toContain('dws is logged in to Another Ltd. The app is not there');
    expect(output).toContain('The app is called “小助手”, in Example Ltd.');
    expect(code).toBe(0);
  });

  test.each([
    ['missing', null, 'dws was not found'],
    ['old', { version: 'v1.0.57' }, 'dws v1.0.57 is too old'],
    ['logged out', { loggedIn: false }, 'dws auth login --device --no-browser'],
  ])('%s: by pages, which the next run does not ask for again', async (_, dws, sentence) => {
    const world = await startWorld({
      ...RESTART,
      dws,
      dingtalk: { permissions: ['qyapi_robot_sendmsg', 'qyapi_base', 'Card.Instance.Write', 'Card.Streaming.Write'] },
    });
    const pages: Answers = [
      ['Enter: look again', 's'],
      ['Enter: done', ''],
      ['Enter: done', ''],
      ['Enter: done', 's'],
    ];
    const first = await run(world, [...STREAM, ['Template id', TEMPLATE], ...difyOf(world), ...pages]);
    expect(first.output).toContain(sentence);
    expect(first.output).toContain("What is left:\n  – DingTalk's console, 版本管理与发布");
    const second = await run(world, [
      ['Enter: look again', 's'],
      ['Enter: done', ''],
      ['Write anything', 's'],
    ]);
    expect(second.output).toContain('No card was sent yet');
    expect(second.output).not.toContain('立即开通');
  });

  test('a version that waits: its id is kept, and the next run goes on', async () => {
    const world = await startWorld({
      ...RESTART,
      dws: { approver: { label: '王主管', userId: 'boss-1' }, withoutIds: true },
    });
    const first = await run(world, [...whole(world), ['Number of the approver', '1']]);
    expect(first.output).toContain('The version needs an approver: 1 王主管');
    expect(first.output).toContain('--approver-user-id boss-1');
    expect(first.output).toContain('Version ver-1 waits for approval');
    expect(kept(world)).toContain('SETUP_VERSION_ID=ver-1');
    expect(kept(world)).not.toContain(MARK);
    // It still waits: nothing is asked, nothing is published twice.
    const second = await run(world, []);
    expect(second.output).toContain('Version ver-1 waits for approval');
    world.change('dws', { versions: [{ id: 'ver-1', status: 'RELEASE', process: 'PASS' }] });
    const third = await run(world, []);
    expect(third.output).toContain('Nothing is left to do');
    expect(world.dws().versions).toHaveLength(1);
    expect([...world.dingtalk.cards.values()].map(({ phase }) => phase)).toEqual(['finished', 'failed']);
    expect(kept(world)).toBe('');
  });

  test('a version that was withdrawn is made anew', async () => {
    const world = await startWorld({ ...RESTART, dws: { approver: { label: '王主管', userId: 'boss-1' } } });
    await run(world, [...whole(world), ['Number of the approver', '1']]);
    world.change('dws', { versions: [{ id: 'ver-1', status: 'INIT', process: 'WITHDRAW' }], approver: null });
    expect((await run(world, [])).output).toContain('refused or withdrawn');
    expect((await run(world, YES)).output).toContain('Nothing is left to do');
  });

  test('consent is wanted first: the link is shown, and the same command is run again', async () => {
    const world = await startWorld({ ...RESTART, dws: { consents: 1 } });
    const { code, output } = await run(world, [...whole(world), ['I have consented', '']]);
    expect(output).toContain('https://login.dingtalk.com/consent?id=1');
    expect([code, world.dws().versions[0]?.status]).toEqual([0, 'RELEASE']);
  });

  test('what the person does not agree to is not run', async () => {
    const world = await startWorld(RESTART);
    const before = world.dws();
    const no: Answers = [
      ['Run exactly', 'n'],
      ['Enter: done', 's'],
      ['Enter: done', 's'],
      ['Enter: done', 's'],
    ];
    const { output } = await run(world, [...STREAM, ['Template id', TEMPLATE], ...difyOf(world), ...no]);
    expect(output).toContain('None of these commands was run.');
    expect(world.dws()).toEqual(before);
  });
});

describe('values of another app', () => {
  test('a template of another app is refused with a real card, and asked again', async () => {
    const world = await startWorld(RESTART);
    const wrong: Answers = [...STREAM, ['Template id', 'template-of-another.schema'], ...difyOf(world), ...YES];
    const { code, output } = await run(world, [
      ...wrong,
      ['Another template id', 'no-template'],
      ['Another template id', TEMPLATE],
    ]);
    expect(output).toContain('A template id ends in .schema.');
    expect([code, world.written()]).toMatchObject([0, { DINGTALK_CARD_TEMPLATE_ID: TEMPLATE }]);
  });

  test('the key of another Dify app shows by its name, and b goes back to it', async () => {
    const world = await startWorld({
      ...RESTART,
      apps: {
        [OTHER_KEY]: {
          mode: 'workflow',
          name: 'Payroll',
          parameters: {
            user_input_form: [
              { paragraph: { variable: 'topic', label: 'Topic', required: true } },
              { number: { variable: 'level', label: 'Level', required: true } },
            ],
          },
        },
      },
    });
    const { code, output } = await run(world, [
      ...STREAM,
      ['Template id', TEMPLATE],
      ['Address of the Dify API', world.dify.url],
      ['Key of the app', OTHER_KEY],
      ['Value for level', 'b'],
      ['Key of the app', API_KEY],
      ...YES,
    ]);
    expect(output).toContain('The app is called “Payroll” and is of the type workflow.');
    expect(output).toContain('The app is called “Helpful” and is of the type chat.');
    expect([code, world.written()]).toMatchObject([0, { DIFY_API_KEY: API_KEY }]);
  });
});

describe('Vercel', () => {
  test('without a store does not deploy; the next run sets the same variables and goes on', async () => {
    const world = await startWorld({ vercel: { variables: {} } });
    const answers: Answers = [
      ['1, 2 or 3', '1'],
      ['Template id', TEMPLATE],
      ...difyOf(world),
      ['Run exactly', 'y'],
      ['Enter: look again, s: later', 's'],
    ];
    const first = await run(world, answers);
    expect(first.output).toContain('Give the project a store');
    expect(first.output).toContain('no public address yet');
    expect(world.vercel().deployments).toEqual([]);
    expect(world.vercel().variables).toMatchObject({ DIFY_API_KEY: API_KEY, DINGTALK_CLIENT_SECRET: CLIENT_SECRET });
    world.change('vercel', {
      variables: { KV_REST_API_URL: 'https://store.example.com', KV_REST_API_TOKEN: 'token' },
      domains: ['bridge.vercel.app'],
    });
    const second = await run(world, [['Run exactly', 'y'], ['Your domain', ''], ['QSTASH_TOKEN', ''], ...YES]);
    expect(second.output).toContain('No schedule calls the sweep');
    expect(second.output).toContain('widely unreachable from mainland China');
    expect(world.written()).toMatchObject({ PUBLIC_URL: 'https://bridge.vercel.app' });
    expect(world.dws().robot.url).toBe('https://bridge.vercel.app/api/dingtalk');
  });
});

test('a token that QStash does not know is asked for again by the next run, which creates the schedule', async () => {
  const world = await startWorld();
  const mistyped: Answers = [['QSTASH_TOKEN', `${MARK}-mistyped`]];
  const first = await run(world, [...mistyped, ...ON_VERCEL(world).filter(([prompt]) => prompt !== 'QSTASH_TOKEN')]);
  expect(first.output).toContain('No schedule calls the sweep');
  const second = await run(world, [['QSTASH_TOKEN', QSTASH_TOKEN]]);
  expect(second.output).toContain('Nothing is left to do');
  expect([...world.qstash.schedules.values()].map(({ method }) => method)).toEqual(['GET']);
  expect(world.written()).toMatchObject({ QSTASH_TOKEN });
});

describe("a machine of one's own with a public address", () => {
  const HTTP: Answers = [
    ['1, 2 or 3', '3'],
    ['Template id', TEMPLATE],
  ];
  const address: Answers = [['Address such as', 'bot.example.com']];

  test('with dws: the robot gets the address, the person of dws the card', async () => {
    const world = await startWorld({ ...RESTART, dws: { tellsAddress: true } });
    const { code, output } = await run(world, [...HTTP, ...difyOf(world), ...address, ...YES]);
    expect(code).toBe(0);
    expect(output).toContain('Read back: HTTPS https://bot.example.com/api/dingtalk');
    expect(output).toContain('docker compose up');
    expect(world.dws().robot).toMatchObject({ mode: 'HTTPS', url: 'https://bot.example.com/api/dingtalk' });
    expect(world.written()).toMatchObject({ PUBLIC_URL: 'https://bot.example.com' });
    expect(world.written()).not.toHaveProperty('DINGTALK_CONNECTION');
  });

  test('by pages: a permission that is missing is found, and the staff id is asked for', async () => {
    const world = await startWorld({
      ...RESTART,
      dws: null,
      dingtalk: { permissions: ['Card.Instance.Write', 'Card.Streaming.Write'] },
    });
    const granted = () => {
      world.dingtalk.settings.permissions.push('qyapi_robot_sendmsg');
      return '';
    };
    const { code, output } = await run(world, [
      ...HTTP,
      ...difyOf(world),
      ...address,
      ['Enter: done', ''],
      ['Enter: check again', granted],
      ['Enter: done', ''],
      ['Enter: done', ''],
      ['your staff id', 'staff-2'],
    ]);
    expect(output).toContain('消息接收地址: https://bot.example.com/api/dingtalk');
    expect([code, [...world.dingtalk.cards.values()].map(({ space }) => space.id)]).toEqual([
      0,
      ['staff-2', 'staff-2'],
    ]);
    expect(output).toContain('Nothing is left to do');
  });
});

const ON_VERCEL = (world: SetupWorld): Answers => [
  ['1, 2 or 3', '1'],
  ['Template id', TEMPLATE],
  ...difyOf(world),
  ['Run exactly', 'y'],
  ['QSTASH_TOKEN', QSTASH_TOKEN],
  ...YES,
];

test.each([
  ['in Stream mode', RESTART, whole, 6],
  ['on Vercel', {}, ON_VERCEL, 8],
])(
  'Ctrl+C at every question loses nothing: the next run asks only what was not answered, %s',
  async (_, options, answersOf, questions) => {
    for (let at = 1; at <= questions; at += 1) {
      const world = await startWorld(options);
      const answers = answersOf(world);
      const first = await run(world, answers, { interruptAt: at });
      expect(first.code).toBeNull();
      const second = await run(world, answers.slice(at - 1));
      expect([at, second.code, second.left]).toEqual([at, 0, []]);
      expect(second.output).toContain('Nothing is left to do');
      expect(second.output).toContain(`Questions answered: ${questions}.`);
      expect(world.registration.codes).toBe(1);
      expect(world.exposed()).toEqual([]);
    }
  },
);
