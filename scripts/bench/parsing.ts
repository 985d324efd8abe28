// What the least bridge would do with an answer: read Dify's stream from the wire and parse its events, nothing else.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DifySimulator } from '../../playground/dify/types.ts';
import { API_KEY } from '../../test/support/bridge.ts';

const run = promisify(execFile);

/** `rounds` of so many answers at once, in a process of its own that is warm. Milliseconds of processor time. */
export async function parsingMs({ url }: Pick<DifySimulator, 'url'>, atOnce: number, rounds: number): Promise<number> {
  const { stdout } = await run(process.execPath, [import.meta.filename, url, String(atOnce), String(rounds)]);
  return Number(stdout);
}

async function parse(url: string): Promise<void> {
  const { createParser } = await import('eventsource-parser');
  const response = await fetch(`${url}/chat-messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'question', inputs: {}, user: 'u', response_mode: 'streaming' }),
  });
  const parser = createParser({ onEvent: ({ data }) => void JSON.parse(data) });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }));
}

if (import.meta.main) {
  const [url = '', atOnce, rounds] = process.argv.slice(2);
  const parseAll = () => Promise.all(Array.from({ length: Number(atOnce) }, () => parse(url)));
  await parseAll();
  const before = process.cpuUsage();
  for (let round = 0; round < Number(rounds); round += 1) await parseAll();
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(String((user + system) / 1_000));
}
