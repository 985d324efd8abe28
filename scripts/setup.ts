// `npm run setup`: guides through a first configuration, checks it as it goes, and writes .env.
import { readFileSync } from 'node:fs';
import { systemClock } from '../lib/runtime/clock.ts';
import { environment } from '../lib/config/environment.ts';
import { createTcpRedis } from '../lib/state/redis/tcp.ts';
import { languageOf, type Language } from './language.ts';
import { readArguments, usageOf, type Options } from './setup/arguments.ts';
import { readOtherBridge } from './setup/from.ts';
import { runSetup } from './setup/run.ts';
import { openTerminal, type Terminal } from './setup/terminal.ts';
import { wordsOf } from './setup/words/index.ts';

const env = environment();
const placeLanguage = languageOf(env);
/** Where nothing is asked. */
const speaker: Terminal = {
  say: (text) => console.log(text),
  ask: () => Promise.reject(new Error('--yes asks nothing')),
  close: () => {},
};
process.exit(await setup());

async function setup(): Promise<0 | 1 | 2> {
  const command = readArguments(process.argv.slice(2), env);
  if (command.kind === 'help') {
    console.log(usageOf[placeLanguage]);
    return 0;
  }
  if (command.kind === 'wrong') {
    console.error(`${command.reason}\n\n${usageOf[placeLanguage]}`);
    return 2;
  }
  const { options } = command;
  const imported = options.from === null ? null : readOtherBridge(options.from);
  if (imported?.ok === false) {
    console.error(imported.reason);
    return 1;
  }
  // A terminal echoes what is typed unless it is told not to, and that takes both sides of it.
  const isPlain = options.isPlain && !process.stdin.isTTY;
  if (!options.isUnattended && !isPlain && !(process.stdin.isTTY && process.stdout.isTTY)) {
    console.error(wordsOf[options.language ?? placeLanguage].needsTerminal);
    return 2;
  }
  let language = options.language ?? placeLanguage;
  let hasWritten = false;
  const onInterrupt = () => {
    process.stdout.write(`\n${wordsOf[language].interrupted(hasWritten)}\n`);
    process.exit(hasWritten ? 0 : 1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onInterrupt);
  const terminal = options.isUnattended
    ? speaker
    : openTerminal({ input: process.stdin, output: process.stdout, isPlain, onInterrupt });
  language = await languageFor(options, terminal);
  if (imported) terminal.say(`\n${wordsOf[language].imported(imported.robots)}`);
  const code = await runSetup({
    ports: {
      env,
      fetch: (url, init) => globalThis.fetch(url, init),
      clock: systemClock,
      newId: () => crypto.randomUUID(),
      connectRedis: (url) => createTcpRedis({ url, clock: systemClock }),
      nodeVersion: process.version,
    },
    options,
    imported: imported?.values ?? new Map(),
    language,
    terminal,
    example: readFileSync(new URL('../.env.example', import.meta.url), 'utf8'),
    onWritten: () => {
      hasWritten = true;
    },
  });
  terminal.close();
  return code;
}

async function languageFor({ language, isUnattended }: Options, terminal: Terminal): Promise<Language> {
  if (language !== null || isUnattended) return language ?? placeLanguage;
  for (;;) {
    const answer = await terminal.ask(`语言 / Language: 1 简体中文, 2 English [${placeLanguage}]: `, false);
    if (answer === '') return placeLanguage;
    if (/^(?:1|zh.*|中文|简体中文)$/i.test(answer)) return 'zh-CN';
    if (/^(?:2|en.*)$/i.test(answer)) return 'en';
  }
}
