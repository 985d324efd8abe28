// `npm run serve`: only the function, on a plain Node server, configured from the environment and .env.
import { environment } from '../lib/config/environment.ts';
import { pathOf } from '../lib/routes.ts';
import { loadDotenv } from './dotenv.ts';
import { whyNotListen } from './host.ts';
import { languageOf } from './language.ts';
import { createServedApp, endOnSignal, leave, startServing } from './serving.ts';
import { commandWords } from './words/index.ts';

/** How long answers that are being written may take after SIGTERM (the contract's figure). */
const GRACE_MS = 20_000;

loadDotenv();
const env = environment();
const words = commandWords[languageOf(env)];
const app = await createServedApp(env, (line) => console.log(line));
const { port, robots } = app.config;
const hostname = app.config.host ?? '0.0.0.0';
const reason = await whyNotListen(port, hostname, 'npm run serve');
if (reason !== null) leave(words.cannotListen(reason));
const serving = await startServing(app, { port, hostname });
const isByHttp = robots.some(({ dingtalk }) => dingtalk.connection === 'http');
const { url } = serving.host;
console.log(words.listening(url, isByHttp ? `${url}${pathOf(null)}` : null));
for (const { name, dingtalk } of robots) {
  if (dingtalk.connection === 'stream') console.log(words.byStream(name));
}
endOnSignal(() => serving.stop(GRACE_MS));
