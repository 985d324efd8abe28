// A playground to talk to, as its page does.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../lib/config/config.ts';
import { readOwnConfig } from '../../playground/server/configuration.ts';
import { startPlayground } from '../../playground/server/playground.ts';
import type { Snapshot } from '../../playground/server/protocol.ts';
import { createSteppingClock, type FastClock } from '../support/virtual-clock.ts';

/**
 * How much faster than in reality the function, DingTalk and Dify are; the page takes its own time. Their clock waits for
 * a busy machine, so that no call of theirs is too late.
 */
export const SPEED = 20;

/** A picture of one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

/** The machine that runs this may be slow and busy. */
const PATIENCE_MS = 50_000;

export interface Playground {
  url: string;
  post(action: string, body: object, headers?: Record<string, string>): Promise<Response>;
  snapshot(): Promise<Snapshot>;
  /** Asks as somebody, and waits until the function has nothing more to do for it. */
  ask(question: { chat: string; from: string; text: string }): Promise<string>;
  until(condition: (snapshot: Snapshot) => boolean): Promise<Snapshot>;
  close(): Promise<void>;
}

/** Label and text of each chip. The page's own files are JavaScript without declarations. */
export type ChipWords = Record<string, [label: string, text: string]>;

async function wordsOf(language: 'zh' | 'en'): Promise<ChipWords> {
  const file = new URL(`../../playground/page/words/${language}.js`, import.meta.url).href;
  const words = (await import(file)) as Record<string, { chips: ChipWords }>;
  return words[language]?.chips ?? {};
}

export const chipWords = { zh: await wordsOf('zh'), en: await wordsOf('en') };

/** A playground in this process, on a clock of its own. */
export async function openPlayground(
  env: Environment = {},
  clock: FastClock = createSteppingClock(SPEED),
): Promise<Playground & { clock: FastClock }> {
  const own = { PORT: '0', ...env };
  const read = readOwnConfig(own);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const host = await startPlayground(own, read.config, clock);
  // As `npm start` prints it.
  const address = new URL(host.url);
  address.hostname = 'localhost';
  return { ...playgroundAt(address.origin, () => host.close(0)), clock };
}

/** One that runs already. */
export function playgroundAt(url: string, close: () => Promise<void>): Playground {
  const post: Playground['post'] = (action, body, headers = {}) =>
    fetch(`${url}/playground/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const snapshot = async () => (await (await fetch(`${url}/playground/snapshot`)).json()) as Snapshot;
  const until: Playground['until'] = async (condition) => {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const now = await snapshot();
      if (condition(now)) return now;
      if (Date.now() > end) throw new Error('it did not come to that');
      await sleep(60);
    }
  };
  return {
    url,
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
    close,
  };
}
