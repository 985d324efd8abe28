import { createApp, type RunningApp } from '../../lib/app.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { describeProblems, type Environment } from '../../lib/config/config.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { createLog } from '../../lib/runtime/log.ts';
import type { Platform } from '../../lib/runtime/platform.ts';
import { withFallback } from '../../lib/state/fallback.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import type { Journal } from './journal.ts';
import { createLife } from './life.ts';
import type { Setup } from './protocol.ts';
import { TAP_HEADER, watchedLife, watchedQuestion, watching } from './watch.ts';
import { watchState } from './watched-state.ts';

export interface BridgeOptions {
  clock: Clock;
  journal: Journal;
  fetch: Fetch;
  setup: () => Setup;
  /** The environment for the setup that holds now. */
  environment: () => Environment;
}

export interface Bridge {
  handle: RunningApp['handle'];
  /** How many answers are being written. */
  running(): number;
  /** Empties the store. Answers that are being written keep the old one. */
  forget(): void;
}

/** From a function's death to the sweep that goes on with its answer: its lease has lapsed by then. */
const SWEEP_AFTER_MS = 36_000;

/**
 * The real function, watched. A change of its environment makes a new one, as a deployment would; what the old one
 * is still answering goes on. The store outlives both.
 */
export function createBridge({ clock, journal, fetch, setup, environment }: BridgeOptions): Bridge {
  /** One for each app: a Dify conversation belongs to the app that has it. */
  const states = new Map<string, State>();
  let current: { key: string; app: RunningApp; again: () => RunningApp } | null = null;
  let running = 0;

  const writeLog = (line: string) => {
    const fields = JSON.parse(line) as Record<string, unknown>;
    // True of the playground and always so: not worth a line for each change of a switch.
    if (fields['event'] === 'store_in_process' || watchedLife()?.isOver()) return;
    journal.addLog({ at: clock.now(), question: watchedQuestion(), fields });
  };
  const log = createLog(clock, 'info', writeLog);

  /** What a question of a function that is killed reaches the world through, in all the work that follows from it. */
  const mortal = {
    clock: {
      now: () => clock.now(),
      schedule: (ms, run) => (watchedLife()?.clock(clock) ?? clock).schedule(ms, run),
    } satisfies Clock,
    fetch: ((url, init) => (watchedLife()?.fetch ?? fetch)(url, init)) satisfies Fetch,
    state: (state: State): State =>
      new Proxy(state, { get: (target, name): unknown => Reflect.get(watchedLife()?.state(target) ?? target, name) }),
  };

  /** The function for the setup that holds now, and how another one like it is made. */
  const currentFunction = () => {
    const env = environment();
    const key = JSON.stringify(env);
    if (current?.key === key) return current;
    // A sample app has a key, and so its own conversations, for each language.
    const { app: appName, replyLanguage } = setup();
    const stateName = `${appName} ${replyLanguage}`;
    const state = states.get(stateName) ?? createMemoryState(clock);
    states.set(stateName, state);
    const again = () => createFunction(env, state);
    current = { key, app: again(), again };
    return current;
  };

  function createFunction(env: Environment, state: State): RunningApp {
    const app = createApp({
      env,
      clock: mortal.clock,
      fetch: mortal.fetch,
      writeLog,
      // The playground's store never fails by itself; the fallback is what a deployed function has around its own.
      createMemoryState: () => mortal.state(withFallback(watchState(state, journal, clock), clock, log)),
    });
    if (!app.ok) throw new Error(`the playground's own configuration is wrong: ${describeProblems(app.problems)}`);
    return app;
  }

  const counting = (platform: Platform, dead: Promise<void> = new Promise(() => undefined)): Platform => ({
    ...platform,
    waitUntil(work) {
      running += 1;
      platform.waitUntil(Promise.race([work, dead]).finally(() => (running -= 1)));
    },
  });

  /** A sweep, as a cron or `npm run serve` makes it. It is asked for by no question. */
  function sweep(app: RunningApp, platform: Platform): void {
    const trouble = { ...setup().trouble, functionKilled: false };
    void watching.run({ question: null, trouble, life: null }, () => app.sweep(platform));
  }

  return {
    handle(request, platform) {
      const trouble = { ...setup().trouble };
      const life = trouble.functionKilled ? createLife(fetch) : null;
      const dead = new Promise<void>((resolve) => life?.over.addEventListener('abort', () => resolve()));
      const own = counting(platform, dead);
      const { app, again } = currentFunction();
      // Another function goes on with what this one leaves.
      life?.over.addEventListener('abort', () => {
        const next = again();
        if (current?.app === app) current = { ...current, app: next };
        watching.exit(() => clock.schedule(SWEEP_AFTER_MS, () => sweep(next, counting(platform))));
      });
      return watching.run({ question: request.headers.get(TAP_HEADER), trouble, life }, () => app.handle(request, own));
    },
    running: () => running,
    forget() {
      states.clear();
      current = null;
    },
  };
}
