// `npm run dev:stream`: `npm run serve` for development. All robots have Stream connections, only this machine reaches
// the server, and the terminal says in words what goes on. With `-- --to URL` what comes is signed as DingTalk signs its
// callbacks, and goes to a function that runs elsewhere.
import { parseArgs } from 'node:util';
import { readConfig } from '../lib/config/config.ts';
import { environment } from '../lib/config/environment.ts';
import { openStream } from '../lib/dingtalk/stream/open-stream.ts';
import type { Fetch } from '../lib/net/http.ts';
import { pathOf } from '../lib/routes.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { createLog, withFields } from '../lib/runtime/log.ts';
import { createForward } from './dev-stream/forward.ts';
import { createNarrator } from './dev-stream/narrator.ts';
import { loadDotenv } from './dotenv.ts';
import { createServedApp, endOnSignal, leave, leaveIncomplete, startServing } from './serving.ts';

/** How long answers that are being written may take after Ctrl+C. */
const GRACE_MS = 5_000;

const USAGE = 'usage: npm run dev:stream -- [--to http://host:port]';

const fetch: Fetch = (url, init) => globalThis.fetch(url, init);
const say = (sentence: string) => console.log(sentence);

function readTo(): string | undefined {
  try {
    return parseArgs({ options: { to: { type: 'string' } } }).values.to;
  } catch {
    return leave(USAGE);
  }
}

/** To a function that runs already. */
function feed(to: string): { stop: () => Promise<void> } {
  const url = URL.parse(to);
  if (!url || !/^https?:$/.test(url.protocol)) leave(USAGE);
  const result = readConfig(env);
  if (!result.ok) return leaveIncomplete(result.problems);
  say(
    `Messages go to the function at ${url.origin}. Its cards name its own registered address, so buttons reach it ` +
      'there and not through this connection; without --to they come through the connection, too.',
  );
  const { robots } = result.config;
  const narrate = createNarrator({ robots: () => robots.length, say, clock: systemClock, onAllRefused });
  const log = createLog(systemClock, 'info', narrate);
  const streams = robots.map(({ name, dingtalk }) => {
    const callbacks = createForward({
      url: `${url.origin}${pathOf(name)}`,
      clientSecret: dingtalk.clientSecrets[0],
      fetch,
      clock: systemClock,
      say: (sentence) => say(`[${name ?? 'robot'}] ${sentence}`),
      onMessage: () => narrate('{"event":"message_accepted"}'),
    });
    const own = withFields(log, { robot: name });
    return openStream({ config: dingtalk, callbacks, fetch, clock: systemClock, log: own });
  });
  return { stop: async () => void (await Promise.all(streams.map((stream) => stream.close()))) };
}

/** To the function in this process. */
async function serve(): Promise<{ stop: () => Promise<void> }> {
  // PUBLIC_URL may name another deployment, which would be handed what runs here.
  let robots = 0;
  const narrate = createNarrator({ robots: () => robots, say, clock: systemClock, onAllRefused });
  const app = await createServedApp({ ...env, PUBLIC_URL: undefined }, (line) => {
    console.log(line);
    narrate(line);
  });
  robots = app.config.robots.filter(({ dingtalk }) => dingtalk.connection === 'stream').length;
  if (robots === 0) leave('Every robot of BOTS has dingtalkConnection http: none is to be connected.');
  const serving = await startServing(app, { port: 0, hostname: '127.0.0.1' });
  say(`The function runs in this process, at ${serving.host.url} for this machine only.`);
  return { stop: () => serving.stop(GRACE_MS) };
}

loadDotenv();
const env = { ...environment(), DINGTALK_CONNECTION: 'stream' };
const to = readTo();
const onAllRefused = () => leave('No robot is left to connect.');
say(
  'One client id should serve one stream service: with several, each message goes to one picked at random. Use an app ' +
    'of its own for development, with its robot in Stream mode; a robot in HTTP mode gets no messages here.',
);
const target = to === undefined ? await serve() : feed(to);

// The function shares this process. What it throws where no handler is must not end the connection; its message may hold
// what a user wrote, so only the places are shown.
process.on('uncaughtException', (error: unknown) => {
  const { name, stack } = error instanceof Error ? error : new Error('not an error');
  const places = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  console.error([`The function crashed (${name}). The stream goes on.`, ...places].join('\n'));
});

endOnSignal(() => {
  say('Ending: the connections are closed, answers that are being written may finish.');
  return target.stop();
});
