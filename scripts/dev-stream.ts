// `npm run dev:stream`: `npm run serve` for development. All robots have Stream connections, only this machine reaches
// the server, and the terminal says in words what goes on. With `-- --to URL` what comes is signed as DingTalk signs its
// callbacks, and goes to a function that runs elsewhere.
import { parseArgs } from 'node:util';
import { readConfig } from '../lib/config/config.ts';
import type { RobotConfig } from '../lib/config/robot.ts';
import { environment } from '../lib/config/environment.ts';
import { openStream } from '../lib/dingtalk/stream/open-stream.ts';
import type { Fetch } from '../lib/net/http.ts';
import { pathOf } from '../lib/routes.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { createLog, withFields } from '../lib/runtime/log.ts';
import { createForward } from './dev-stream/forward.ts';
import { createNarrator } from './dev-stream/narrator.ts';
import { loadDotenv } from './dotenv.ts';
import { languageOf } from './language.ts';
import { placesOf } from './problems.ts';
import { createServedApp, endOnSignal, leave, leaveIncomplete, startServing } from './serving.ts';
import { commandWords } from './words/index.ts';

/** How long answers that are being written may take after Ctrl+C. */
const GRACE_MS = 5_000;

const fetch: Fetch = (url, init) => globalThis.fetch(url, init);
const say = (sentence: string) => console.log(sentence);
/** All but those whose entry in BOTS says otherwise. */
const isByStream = ({ dingtalk }: RobotConfig) => dingtalk.connection === 'stream';

function readTo(): string | undefined {
  try {
    return parseArgs({ options: { to: { type: 'string' } } }).values.to;
  } catch {
    return leave(words.usage);
  }
}

/** To a function that runs already. */
function feed(to: string): { stop: () => Promise<void> } {
  const url = URL.parse(to);
  if (!url || !/^https?:$/.test(url.protocol)) leave(words.usage);
  const result = readConfig(env);
  if (!result.ok) return leaveIncomplete(result.problems, env);
  const robots = result.config.robots.filter(isByStream);
  if (robots.length === 0) leave(words.allHttp);
  say(words.goTo(url.origin));
  const narrate = createNarrator({ robots: () => robots.length, say, words, clock: systemClock, onAllRefused });
  const log = createLog(systemClock, 'info', narrate);
  const streams = robots.map(({ name, dingtalk }) => {
    const callbacks = createForward({
      url: `${url.origin}${pathOf(name)}`,
      clientSecret: dingtalk.clientSecrets[0],
      fetch,
      clock: systemClock,
      words,
      say: (sentence) => say(`[${name ?? words.robot}] ${sentence}`),
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
  const narrate = createNarrator({ robots: () => robots, say, words, clock: systemClock, onAllRefused });
  const app = await createServedApp({ ...env, PUBLIC_URL: undefined }, (line) => {
    console.log(line);
    narrate(line);
  });
  robots = app.config.robots.filter(isByStream).length;
  if (robots === 0) leave(words.allHttp);
  const serving = await startServing(app, { port: 0, hostname: '127.0.0.1' });
  say(words.inThisProcess(serving.host.url));
  return { stop: () => serving.stop(GRACE_MS) };
}

loadDotenv();
const env = { ...environment(), DINGTALK_CONNECTION: 'stream' };
const words = commandWords[languageOf(env)];
const to = readTo();
const onAllRefused = () => leave(words.noneLeft);
say(words.oneStream);
const target = to === undefined ? await serve() : feed(to);

// The function shares this process. What it throws where no handler is must not end the connection.
process.on('uncaughtException', (error: unknown) => {
  const name = error instanceof Error ? error.name : 'Error';
  console.error([words.crashed(name), ...placesOf(error)].join('\n'));
});

endOnSignal(() => {
  say(words.ending);
  return target.stop();
});
