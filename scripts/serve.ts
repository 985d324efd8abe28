// `npm run serve`: only the function, on a plain Node server, configured from the environment and .env.
import { createApp } from '../lib/app.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { environment } from '../lib/config/environment.ts';
import { describeProblems } from '../lib/config/config.ts';
import { createMemoryState } from '../lib/state/memory/memory.ts';
import { loadDotenv } from './dotenv.ts';
import { startHost, whyNotListen } from './host.ts';

/** How long answers that are being written may take after SIGTERM (the contract's figure). */
const GRACE_MS = 20_000;
/** Within it, what is left for putting unfinished answers on record. */
const RECORD_MS = 3_000;
/** With the lease of 30 s: an answer whose function died goes on within 45 s. */
const SWEEP_EVERY_MS = 12_000;
/** Who tells all processes of a group to end tells the launcher too, which passes it on: that is one order. */
const SAME_ORDER_MS = 1_000;

loadDotenv();
// The TCP client is loaded only where it is needed.
const tcp = environment()['REDIS_URL'] ? await import('../lib/state/redis/tcp.ts') : null;
const app = createApp({
  env: environment(),
  writeLog: (line) => console.log(line),
  createMemoryState,
  ...(tcp ? { connectRedis: (url) => tcp.createTcpRedis({ url, clock: systemClock }) } : {}),
});
if (!app.ok) {
  console.error(`The configuration is not complete:\n${describeProblems(app.problems)}`);
  process.exit(1);
}
const { port } = app.config;
const hostname = app.config.host ?? '0.0.0.0';
const reason = await whyNotListen(port, hostname, 'npm run serve');
if (reason !== null) {
  console.error(reason);
  process.exit(1);
}
const server = await startHost({ port, hostname, handle: app.handle });
console.log(`Listening on ${server.url}, callback address: ${server.url}/api/dingtalk`);

/** Ends what a process that was killed has left, at once and then as often as a card may wait. */
const sweep = () => app.sweep(server.platform);
void sweep();
const sweeping = setInterval(() => void sweep(), SWEEP_EVERY_MS);

let askedToEndAtMs: number | null = null;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (askedToEndAtMs !== null) {
      if (Date.now() - askedToEndAtMs > SAME_ORDER_MS) process.exit(1);
      return;
    }
    askedToEndAtMs = Date.now();
    clearInterval(sweeping);
    setTimeout(() => app.shutDown(), GRACE_MS - RECORD_MS).unref();
    void server.close(GRACE_MS).then(() => process.exit(0));
  });
}
