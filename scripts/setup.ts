// `npm run setup`: guides through a first configuration, checks it as it goes, and writes .env.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../lib/runtime/clock.ts';
import { environment } from '../lib/config/environment.ts';
import { createTcpRedis } from '../lib/state/redis/tcp.ts';
import { templateFile } from './card-template/template.ts';
import { languageOf } from './language.ts';
import { readAnswers } from './setup/answers.ts';
import { readArguments, usageOf } from './setup/arguments.ts';
import { createRunCommand } from './setup/command.ts';
import { readOtherBridge } from './setup/from.ts';
import { progressFileOf } from './setup/guided.ts';
import { runSetup } from './setup/run.ts';
import type { ActPorts } from './setup/setup.ts';
import { openTerminal, type Terminal } from './setup/terminal.ts';
import { roadWordsOf, wordsOf } from './setup/words/index.ts';

const env = environment();
const placeLanguage = languageOf(env);
/** Where nothing is asked. */
const speaker: Terminal = {
  say: (text) => console.log(text),
  ask: () => Promise.reject(new Error('--yes asks nothing')),
  wait: () => Promise.resolve(null),
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
  const language = command.options.language ?? placeLanguage;
  const answers = command.options.answers === null ? null : readAnswers(command.options.answers, language);
  if (answers?.ok === false) {
    console.error(answers.reason);
    return 1;
  }
  const options = { ...command.options, given: new Map([...(answers?.values ?? []), ...command.options.given]) };
  const imported = options.from === null ? null : readOtherBridge(options.from);
  if (imported?.ok === false) {
    console.error(imported.reason);
    return 1;
  }
  // A terminal echoes what is typed unless it is told not to, and that takes both sides of it.
  const isPlain = options.isPlain && !process.stdin.isTTY;
  if (!options.isUnattended && !isPlain && !(process.stdin.isTTY && process.stdout.isTTY)) {
    console.error(wordsOf[language].needsTerminal);
    return 2;
  }
  const isGuided = !options.isUnattended && !isPlain;
  let hasWritten = false;
  const onInterrupt = () => {
    const text =
      isGuided && !options.isDryRun
        ? roadWordsOf[language].interrupted(progressFileOf(options.envFile))
        : wordsOf[language].interrupted(hasWritten);
    process.stdout.write(`\n${text}\n`);
    process.exit(hasWritten ? 0 : 1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onInterrupt);
  const terminal = options.isUnattended
    ? speaker
    : openTerminal({ input: process.stdin, output: process.stdout, isPlain, onInterrupt });
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
    acts: isGuided ? acts() : null,
    example: readFileSync(new URL('../.env.example', import.meta.url), 'utf8'),
    onWritten: () => {
      hasWritten = true;
    },
  });
  terminal.close();
  return code;
}

function acts(): ActPorts {
  return {
    run: createRunCommand(env),
    openPage,
    writeTemplate() {
      const file = 'card-template.json';
      writeFileSync(file, `${JSON.stringify(templateFile(false), null, 2)}\n`);
      return file;
    },
  };
}

/** In the browser of this machine, where it has a screen. The address is printed in any case. */
function openPage(url: string): void {
  const hasScreen = process.platform === 'darwin' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
  if (!hasScreen) return;
  const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
