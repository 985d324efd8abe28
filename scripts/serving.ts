// What `npm run serve` and `npm run dev:stream` share: the function on a plain Node server, from its start to its end.
import { createApp, type RunningApp } from '../lib/app.ts';
import type { Environment } from '../lib/config/config.ts';
import type { ConfigProblem } from '../lib/config/settings.ts';
import { openStream } from '../lib/dingtalk/stream/open-stream.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { createMemoryState } from '../lib/state/memory/memory.ts';
import { startHost, type Host } from './host.ts';
import { languageOf } from './language.ts';
import { describeForTerminal } from './problems.ts';
import { commandWords } from './words/index.ts';

/** Within the time for the end, what is left for putting unfinished answers on record. */
const RECORD_MS = 3_000;
/** With the lease of 30 s: an answer whose function died goes on within 45 s. */
const SWEEP_EVERY_MS = 12_000;
/** A signal to all processes of a group reaches the launcher too, which passes it on: that is one order. */
const SAME_ORDER_MS = 1_000;

/** The app as a server of one's own has it: with the in-process store, the TCP client and Stream connections. */
export async function createServedApp(env: Environment, writeLog: (line: string) => void): Promise<RunningApp> {
  // The TCP client is loaded only where it is needed.
  const tcp = env['REDIS_URL'] ? await import('../lib/state/redis/tcp.ts') : null;
  const app = createApp({
    env,
    writeLog,
    createMemoryState,
    openStream,
    ...(tcp ? { connectRedis: (url) => tcp.createTcpRedis({ url, clock: systemClock }) } : {}),
  });
  return app.ok ? app : leaveIncomplete(app.problems, env);
}

export function leaveIncomplete(problems: readonly ConfigProblem[], env: Environment): never {
  return leave(describeForTerminal(problems, commandWords[languageOf(env)], env));
}

export function leave(text: string): never {
  console.error(text);
  process.exit(1);
}

export interface Serving {
  /** Takes nothing new, lets what runs finish, and leaves the rest on record. */
  stop(graceMs: number): Promise<void>;
}

/** Serves, opens the Stream connections, and sweeps at once and again and again. */
export async function startServing(
  app: RunningApp,
  { port, hostname }: { port: number; hostname: string },
): Promise<Serving & { host: Host }> {
  const host = await startHost({ port, hostname, handle: app.handle });
  app.connect(host.platform);
  /** Ends what a process that was killed has left. */
  const sweep = () => void app.sweep(host.platform);
  sweep();
  const sweeping = setInterval(sweep, SWEEP_EVERY_MS);
  return {
    host,
    async stop(graceMs) {
      clearInterval(sweeping);
      setTimeout(() => app.shutDown(), graceMs - RECORD_MS).unref();
      const beganAtMs = Date.now();
      // What comes over a connection must be on record before the process counts what still runs.
      await app.disconnect();
      await host.close(graceMs - (Date.now() - beganAtMs));
    },
  };
}

/** Ends the process in order at the first signal, and at once at a second one. */
export function endOnSignal(stop: () => Promise<void>): void {
  let askedAtMs: number | null = null;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (askedAtMs !== null) {
        if (Date.now() - askedAtMs > SAME_ORDER_MS) process.exit(1);
        return;
      }
      askedAtMs = Date.now();
      void stop().then(() => process.exit(0));
    });
  }
}
