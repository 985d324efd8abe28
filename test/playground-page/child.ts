// `npm start` as a process of its own, the way a newcomer runs it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../../playground/server/protocol.ts';
import { repositoryRoot } from '../support/artifact.ts';

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

export interface Playground extends Started {
  url: string;
  post(action: string, body: object, headers?: Record<string, string>): Promise<Response>;
  snapshot(): Promise<Snapshot>;
  /** Asks as somebody, and waits until the function has nothing more to do for it. */
  ask(question: { chat: string; from: string; text: string }): Promise<string>;
  until(condition: (snapshot: Snapshot) => boolean): Promise<Snapshot>;
  close(): Promise<void>;
}

export async function startPlayground(env: Record<string, string> = {}): Promise<Playground> {
  const started = spawnPlayground(env);
  const deadline = Date.now() + 15_000;
  let url: string | undefined;
  while (!url) {
    url = /http:\/\/localhost:\d+/.exec(started.output())?.[0];
    if (!url && Date.now() > deadline) throw new Error(`it did not start: ${started.output()}`);
    if (!url) await sleep(50);
  }
  const base = url;
  const post: Playground['post'] = (action, body, headers = {}) =>
    fetch(`${base}/playground/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const snapshot = async () => (await (await fetch(`${base}/playground/snapshot`)).json()) as Snapshot;
  const until: Playground['until'] = async (condition) => {
    const end = Date.now() + 15_000;
    for (;;) {
      const now = await snapshot();
      if (condition(now)) return now;
      if (Date.now() > end) throw new Error('it did not come to that');
      await sleep(60);
    }
  };
  return {
    ...started,
    url: base,
    post,
    snapshot,
    until,
    async ask(question) {
      const { id } = (await (await post('send', question)).json()) as { id: string };
      await until(({ logs }) => logs.some((line) => line.question === id && line.fields['event'] === 'turn_finished'));
      // What follows an answer: suggested questions.
      await until(({ calls }) => calls.every(({ question: whose, ms }) => whose !== id || ms !== null));
      return id;
    },
    async close() {
      started.kill('SIGKILL');
      await started.exit;
    },
  };
}
