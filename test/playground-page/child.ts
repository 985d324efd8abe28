// `npm start` as a process of its own, the way a newcomer runs it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../support/artifact.ts';
import { playgroundAt, type Playground } from './playground.ts';

export interface Started {
  /** What it printed, once it ended or is up. */
  output: () => string;
  exit: Promise<number | null>;
  kill: (signal: NodeJS.Signals) => void;
}

/** Empty values keep a developer's own `.env` out of the tests. */
const NO_DOTENV = {
  DIFY_API_KEY: '',
  DIFY_API_URL: '',
  DIFY_APP_TYPE: '',
  DIFY_INPUTS: '',
  STREAMING: '',
  SHOW_THINKING: '',
  DINGTALK_CARD_BUTTONS: '',
  REPLY_LANGUAGE: '',
  CONVERSATION_SCOPE: '',
  DINGTALK_CARD_MAX_CHARS: '',
  DINGTALK_CARD_SETTLE_MS: '',
  HOST: '',
  PORT: '0',
};

export function spawnPlayground(env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [join(repositoryRoot, 'playground/main.ts')], {
    env: { PATH: process.env['PATH'], ...NO_DOTENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return {
    output: () => output,
    exit: new Promise((resolve) => child.once('close', (code) => resolve(code))),
    kill: (signal) => child.kill(signal),
  };
}

export async function startPlayground(env: Record<string, string> = {}): Promise<Started & Playground> {
  const started = spawnPlayground(env);
  const deadline = Date.now() + 45_000;
  let url: string | undefined;
  while (!url) {
    url = /http:\/\/localhost:\d+/.exec(started.output())?.[0];
    if (!url && Date.now() > deadline) {
      started.kill('SIGKILL');
      throw new Error(`it did not start: ${started.output()}`);
    }
    if (!url) await sleep(50);
  }
  return {
    ...started,
    ...playgroundAt(url, async () => {
      started.kill('SIGKILL');
      await started.exit;
    }),
  };
}
