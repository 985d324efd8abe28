import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** Says nothing of how long it keeps a connection, and keeps it. */
async function countConnections(use: (url: string) => Promise<unknown>): Promise<number> {
  let connections = 0;
  const server = createServer((_, response) => response.end('ok'));
  server.keepAliveTimeout = 0;
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.close();
  return connections;
}

describe('the connections of fetch', () => {
  it.concurrent.each([
    ['is made anew after five seconds', '', 2],
    ['is kept over five seconds', 'keepConnections(); keepConnections();', 1],
  ])('%s: one that was idle', async (_, begin, count) => {
    const connections = await countConnections(async (url) => {
      const program = `
        import { keepConnections } from './lib/net/connections.ts';
        ${begin}
        const ask = async () => (await fetch(${JSON.stringify(url)})).text();
        await ask();
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        await ask();
        process.exit();`;
      await run(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: new URL('../../', import.meta.url),
      });
    });
    expect(connections).toBe(count);
  });
});
