// A real redis-server of one's own: on a free loopback port, in a temporary directory, without persistence.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './loopback.ts';
import { programPath } from './programs.ts';

export interface RedisServer {
  port: number;
  /** For clients over TCP. */
  url: string;
  close(): Promise<void>;
}

async function startOn(path: string, port: number): Promise<RedisServer | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const child = spawn(
    path,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const exited = once(child, 'exit');
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const close = async () => {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', killWithUs);
    await rm(directory, { recursive: true, force: true });
  };
  const ready = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve(true);
    });
    child.on('exit', () => resolve(false));
  });
  if (await ready) return { port, url: `redis://127.0.0.1:${port}`, close };
  await close();
  return undefined;
}

/** Starts a server; rejects if there is no `redis-server` on this machine. */
export async function startRedisServer(): Promise<RedisServer> {
  const path = programPath('redis-server');
  if (path === undefined) throw new Error('redis-server is not installed');
  // A port that was free may be taken before the server has it: then another one.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const server = await startOn(path, await freePort());
    if (server) return server;
  }
  throw new Error('redis-server does not start');
}
