import { createApp, type Handle } from '../../lib/app.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { describeProblems, type Environment } from '../../lib/config/config.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { createLog } from '../../lib/runtime/log.ts';
import { withFallback } from '../../lib/state/fallback.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import type { Journal } from './journal.ts';
import type { Setup } from './protocol.ts';
import { TAP_HEADER, watchedQuestion, watching } from './watch.ts';
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
  handle: Handle;
  /** How many answers are being written. */
  running(): number;
  /** Empties the store. Answers that are being written keep the old one. */
  forget(): void;
}

/**
 * The real function, watched. A change of its environment makes a new one, as a deployment would; what the old one
 * is still answering goes on. The store outlives both.
 */
export function createBridge({ clock, journal, fetch, setup, environment }: BridgeOptions): Bridge {
  /** One for each app: a Dify conversation belongs to the app that has it. */
  const states = new Map<string, State>();
  let current: { key: string; handle: Handle } | null = null;
  let running = 0;

  const writeLog = (line: string) => {
    const fields = JSON.parse(line) as Record<string, unknown>;
    // True of the playground and always so: not worth a line for each change of a switch.
    if (fields['event'] === 'store_in_process') return;
    journal.addLog({ at: clock.now(), question: watchedQuestion(), fields });
  };
  const log = createLog(clock, 'info', writeLog);

  const currentHandle = (): Handle => {
    const env = environment();
    const key = JSON.stringify(env);
    if (current?.key === key) return current.handle;
    // A sample app has a key, and so its own conversations, for each language.
    const { app: appName, replyLanguage } = setup();
    const stateName = `${appName} ${replyLanguage}`;
    const state = states.get(stateName) ?? createMemoryState(clock);
    states.set(stateName, state);
    const app = createApp({
      env,
      clock,
      fetch,
      writeLog,
      // The playground's store never fails by itself; the fallback is what a deployed function has around its own.
      createMemoryState: () => withFallback(watchState(state, journal, clock), clock, log),
    });
    if (!app.ok) throw new Error(`the playground's own configuration is wrong: ${describeProblems(app.problems)}`);
    current = { key, handle: app.handle };
    return app.handle;
  };

  return {
    handle(request, platform) {
      const waitUntil = (work: Promise<void>) => {
        running += 1;
        platform.waitUntil(work.finally(() => (running -= 1)));
      };
      const question = request.headers.get(TAP_HEADER);
      return watching.run({ question, trouble: { ...setup().trouble } }, () =>
        currentHandle()(request, { ...platform, waitUntil }),
      );
    },
    running: () => running,
    forget() {
      states.clear();
      current = null;
    },
  };
}
