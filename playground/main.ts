// `npm start`: the playground. The real function, between a simulated DingTalk and a sample Dify, with a chat page.
import { createServer } from 'node:net';
import { describeProblems } from '../lib/runtime/config.ts';
import { environment } from '../lib/runtime/environment.ts';
import { loadDotenv } from '../scripts/dotenv.ts';
import { hasRealApp, readOwnConfig } from './server/configuration.ts';
import { startPlayground } from './server/playground.ts';

/** Why nobody can listen there, or null. */
function whyTaken(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
}

function leave(message: string): never {
  console.error(message);
  process.exit(1);
}

loadDotenv();
const env = environment();
const read = readOwnConfig(env);
if (!read.ok) leave(`The configuration is not right:\n${describeProblems(read.problems)}`);
const { port, host } = read.config;
const reason = await whyTaken(port, host ?? '127.0.0.1');
if (reason === 'EADDRINUSE') {
  leave(`Port ${port} is in use. Stop what runs there, or choose another: PORT=${port + 1} npm start`);
}
if (reason !== null) leave(`Cannot listen on ${host ?? '127.0.0.1'}:${port} (${reason}). Set PORT and HOST.`);

// A playground has nothing to finish: Ctrl-C ends it at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

const playground = await startPlayground(env, read.config);
const address = new URL(playground.url);
if (host === null) address.hostname = 'localhost';
console.log(`Playground: ${address.origin}`);
console.log(
  hasRealApp(env)
    ? 'Open it, choose a chat and ask: your own Dify app answers. Ctrl-C ends it.'
    : 'Open it, choose a chat and ask: a sample Dify app answers. Your own: DIFY_API_KEY in .env. Ctrl-C ends it.',
);
