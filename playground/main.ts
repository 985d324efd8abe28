// `npm start`: the playground. The real function, between a simulated DingTalk and a sample Dify, with a chat page.
import { environment } from '../lib/config/environment.ts';
import { loadDotenv } from '../scripts/dotenv.ts';
import { whyNotListen } from '../scripts/host.ts';
import { languageOf } from '../scripts/language.ts';
import { describeForTerminal } from '../scripts/problems.ts';
import { commandWords } from '../scripts/words/index.ts';
import { inLanguage } from './server/cast.ts';
import { hasRealApp, readOwnConfig } from './server/configuration.ts';
import { startPlayground } from './server/playground.ts';

function leave(message: string): never {
  console.error(message);
  process.exit(1);
}

loadDotenv();
const env = environment();
const read = readOwnConfig(env);
const language = languageOf(env);
const words = commandWords[language];
if (!read.ok) leave(describeForTerminal(read.problems, words, null));
const { port, host } = read.config;
const reason = await whyNotListen(port, host ?? '127.0.0.1', 'npm start');
if (reason !== null) leave(words.cannotListen(reason));

// A playground has nothing to finish: Ctrl-C ends it at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

const playground = await startPlayground(env, read.config);
const address = new URL(playground.url);
if (host === null) address.hostname = 'localhost';
console.log(words.playground(address.origin));
console.log(hasRealApp(env) ? words.openOwn : words.openSample);
const own = await playground.ownApp;
if (own)
  console.log(own.problem ? inLanguage(own.problem, language) : words.ownApp(inLanguage(own.name, language), own.type));
