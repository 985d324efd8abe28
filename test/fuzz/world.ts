// The whole function between two vendors without sockets, on a clock that the fuzzer moves. Hours pass in milliseconds.
import { createApp } from '../../lib/app.ts';
import { cardCallbackSecret, cardSignature, robotSignature } from '../../lib/dingtalk/signature.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { Platform } from '../../lib/runtime/platform.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';
import { bufferOf } from './mutate.ts';
import { createWire, DIFY, DINGTALK, type Wire } from './wire.ts';

const CLIENT_ID = 'dingclientid0001';
const SECRET = 'this is a secret';

/** No turn takes longer: Dify may be silent for minutes, and a lost answer is looked for. */
const LONGEST_MS = 6 * 3_600_000;
const STEP_MS = 5_000;

export interface FuzzWorld extends Wire {
  clock: VirtualClock;
  state: State;
  lines: Record<string, unknown>[];
  /** Sends a robot callback, signed; resolves with the status and the body of the answer. */
  message(bytes: string): Promise<{ status: number; body: string }>;
  /** Sends a press on a card, signed. */
  press(bytes: string): Promise<{ status: number; body: string }>;
  /** Completes interrupted answers, as the schedule does. */
  sweep(): Promise<void>;
  /** Ends the function as a platform does, in the middle of whatever it does, and starts it afresh on the same store. */
  kill(): void;
  /** Moves the clock until nothing is being answered. @throws Error when that does not come. */
  settle(): Promise<void>;
  /** What was refused or thrown where nothing may be. */
  faults: string[];
}

export interface WorldOptions {
  mode?: string;
  env?: Record<string, string>;
  /** What the store gives back, changed. */
  wrapState?: (state: State) => State;
}

export function createFuzzWorld({
  mode = 'chat',
  env = {},
  wrapState = (state) => state,
}: WorldOptions = {}): FuzzWorld {
  const clock = createVirtualClock();
  const wire = createWire(clock, mode);
  const lines: Record<string, unknown>[] = [];
  const faults: string[] = [];
  const memory = createMemoryState(clock);
  const state = wrapState({ ...memory, isDurable: true });
  let running = 0;
  let ids = 0;
  /** The life of the function that runs now: a number that grows with each. */
  let life = 0;

  const never = () => new Promise<never>(() => {});

  /** Of a life that is over nothing happens any more. */
  const living =
    <Given extends unknown[], T>(own: number, work: (...given: Given) => Promise<T>) =>
    async (...given: Given): Promise<T> => {
      if (own !== life) return never();
      const result = await work(...given);
      return own === life ? result : never();
    };

  const stateOf = (own: number): State => {
    const entries = Object.entries(state).map(([name, operation]: [string, unknown]) => [
      name,
      typeof operation === 'function'
        ? living(own, async (...given) => Reflect.apply(operation, state, given))
        : operation,
    ]);
    return Object.fromEntries(entries) as State;
  };

  const startApp = () => {
    const own = life;
    const app = createApp({
      env: {
        DINGTALK_CLIENT_ID: CLIENT_ID,
        DINGTALK_CLIENT_SECRET: SECRET,
        DINGTALK_CARD_TEMPLATE_ID: 'answer.schema',
        DINGTALK_CARD_BUTTONS: 'true',
        DINGTALK_QPS: '1000',
        DINGTALK_API_URL: DINGTALK,
        DINGTALK_OAPI_URL: DINGTALK,
        DIFY_API_URL: DIFY,
        DIFY_API_KEY: 'key',
        PUBLIC_URL: 'http://bridge.test',
        CRON_SECRET: 'cron',
        ...env,
      },
      clock: { now: () => clock.now(), schedule: (ms, run) => clock.schedule(ms, () => own === life && run()) },
      fetch: living(own, wire.fetch),
      newId: () => `id-${(ids += 1)}`,
      download: () => Promise.reject(new BridgeError('file_unavailable', 'nothing is fetched here')),
      createMemoryState: () => stateOf(own),
      writeLog: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
    });
    if (!app.ok) throw new Error(JSON.stringify(app.problems));
    const platform: Platform = {
      deadlineMs: null,
      waitUntil(work) {
        running += 1;
        const end = () => {
          if (own === life) running -= 1;
        };
        work.then(end, () => faults.push('background work rejected'));
      },
    };
    return { app, platform };
  };
  let current = startApp();

  /** Moves the clock until `work` is done. */
  async function whileMoving<T>(work: Promise<T>, isDone: () => boolean): Promise<T> {
    const untilMs = clock.now() + LONGEST_MS;
    await clock.advance(0);
    while (!isDone()) {
      if (clock.now() > untilMs) throw new Error('it did not end within six hours');
      await clock.advance(STEP_MS);
    }
    return work;
  }

  async function post(bytes: string, headers: Record<string, string>) {
    let isOver = false;
    const request = new Request('http://bridge.test/api/dingtalk', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: bufferOf(bytes),
    });
    const work = current.app.handle(request, current.platform).finally(() => (isOver = true));
    const response = await whileMoving(work, () => isOver);
    return { status: response.status, body: await response.text() };
  }

  return {
    ...wire,
    clock,
    state,
    lines,
    faults,
    message(bytes) {
      const timestamp = String(clock.now());
      return post(bytes, { timestamp, sign: robotSignature(timestamp, SECRET) });
    },
    press(bytes) {
      const timestamp = String(clock.now());
      const signature = cardSignature(timestamp, cardCallbackSecret(SECRET));
      return post(bytes, { 'x-ddpaas-signature-timestamp': timestamp, 'x-ddpaas-signature': signature });
    },
    async sweep() {
      let isOver = false;
      await whileMoving(
        current.app.sweep(current.platform).finally(() => (isOver = true)),
        () => isOver,
      );
    },
    kill() {
      life += 1;
      running = 0;
      current = startApp();
    },
    settle: () => whileMoving(Promise.resolve(), () => running === 0),
  };
}
