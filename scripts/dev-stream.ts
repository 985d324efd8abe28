// `npm run dev:stream`: development against a real DingTalk without a public address. Each robot's messages come
// through a connection in Stream mode and go, signed as DingTalk signs them, to the function in this process, or
// with `-- --to URL` to one that runs elsewhere.
import { parseArgs } from 'node:util';
import { createApp, type App } from '../lib/app.ts';
import { pathOf } from '../lib/routes.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { describeProblems, readConfig, type ConfigResult } from '../lib/config/config.ts';
import type { RobotConfig } from '../lib/config/robot.ts';
import { environment } from '../lib/config/environment.ts';
import { createMemoryState } from '../lib/state/memory/memory.ts';
import { openStream, type Stream } from './dev-stream/connection.ts';
import { createForward } from './dev-stream/forward.ts';
import { loadDotenv } from './dotenv.ts';
import { startHost, type Host } from './host.ts';

/** How long answers that are being written may take after Ctrl+C. */
const GRACE_MS = 5_000;
/** Within it, what is left for putting unfinished answers on record. */
const RECORD_MS = 3_000;
/** With the lease of 30 s: an answer whose function died goes on within 45 s. */
const SWEEP_EVERY_MS = 12_000;

interface Target {
  robots: readonly RobotConfig[];
  /** Origin of the function. */
  origin: string;
  description: string;
  stop(): Promise<void>;
}

const USAGE = 'usage: npm run dev:stream -- [--to http://host:port]';

const say = (sentence: string) => console.log(sentence);

function leave(text: string): never {
  console.error(text);
  process.exit(1);
}

const ofConfig = <Result extends ConfigResult | App>(result: Result): Extract<Result, { ok: true }> =>
  result.ok
    ? (result as Extract<Result, { ok: true }>)
    : leave(`The configuration is not complete:\n${describeProblems(result.problems)}`);

function readTo(): string | undefined {
  try {
    return parseArgs({ options: { to: { type: 'string' } } }).values.to;
  } catch {
    return leave(USAGE);
  }
}

/** A function that runs already. */
function elsewhere(given: string): Target {
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol)) leave(USAGE);
  const { config } = ofConfig(readConfig(environment()));
  return {
    robots: config.robots,
    origin: url.origin,
    description:
      `Messages go to the function at ${url.origin}. Its cards name its own registered address, so buttons reach it ` +
      'there and not through this stream; without --to they come through the stream, too.',
    stop: async () => {},
  };
}

/** The function in this process, on a free port that only this machine reaches. */
async function inProcess(): Promise<Target> {
  const tcp = environment()['REDIS_URL'] ? await import('../lib/state/redis/tcp.ts') : null;
  let app: App | null = null;
  const host: Host = await startHost({
    port: 0,
    hostname: '127.0.0.1',
    handle: async (request, platform) => app?.handle(request, platform) ?? new Response(null, { status: 503 }),
  });
  const running = ofConfig(
    (app = createApp({
      // The address that .env may name is another deployment's: it would be handed what runs here.
      env: { ...environment(), PUBLIC_URL: host.url },
      cardCallback: 'stream',
      writeLog: (line) => console.log(line),
      createMemoryState,
      ...(tcp ? { connectRedis: (url) => tcp.createTcpRedis({ url, clock: systemClock }) } : {}),
    })),
  );
  const sweep = () => void running.sweep(host.platform);
  sweep();
  const sweeping = setInterval(sweep, SWEEP_EVERY_MS);
  return {
    robots: running.config.robots,
    origin: host.url,
    description: `The function runs in this process, at ${host.url} for this machine only.`,
    async stop() {
      clearInterval(sweeping);
      setTimeout(() => running.shutDown(), GRACE_MS - RECORD_MS).unref();
      await host.close(GRACE_MS);
    },
  };
}

loadDotenv();
const to = readTo();
const target = to === undefined ? await inProcess() : elsewhere(to);

say(target.description);
say(
  'One client id should serve one stream service: with several, each message goes to one picked at random. Use an app ' +
    'of its own for development, with its robot in Stream mode; a robot in HTTP mode gets no messages here.',
);

const streams = new Map<RobotConfig, Stream>();
for (const robot of target.robots) {
  const { clientId, clientSecrets, apiUrl } = robot.dingtalk;
  const sayOfRobot = (sentence: string) => say(`[${robot.name ?? 'robot'}] ${sentence}`);
  if ([...streams.keys()].some((other) => other.dingtalk.clientId === clientId)) {
    sayOfRobot('has the client id of another robot here: each message goes to one of the two, picked at random');
  }
  const forward = createForward({
    url: `${target.origin}${pathOf(robot.name)}`,
    clientSecret: clientSecrets[0],
    fetch: (url, init) => globalThis.fetch(url, init),
    clock: systemClock,
    say: sayOfRobot,
  });
  const stream = openStream({
    clientId,
    clientSecret: clientSecrets[0],
    apiUrl,
    onMessage: (body) => forward.message(body),
    onTap: (body) => forward.tap(body),
    say: sayOfRobot,
    onRefused() {
      streams.delete(robot);
      if (streams.size === 0) leave('No robot is left to connect.');
    },
    clock: systemClock,
  });
  streams.set(robot, stream);
}

// The function shares this process. What it throws where nobody catches it must not end the stream; its message may
// hold what somebody wrote, so only the places are shown.
process.on('uncaughtException', (error: unknown) => {
  const { name, stack } = error instanceof Error ? error : new Error('not an error');
  const places = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  console.error([`The function crashed (${name}). The stream goes on.`, ...places].join('\n'));
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    say('Ending: the streams are closed, answers that are being written may finish.');
    for (const stream of streams.values()) stream.close();
    void target.stop().then(() => process.exit(0));
  });
}
