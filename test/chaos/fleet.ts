// Instances of the function behind one address, as the platform has them: they die and come back.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LeaseTiming } from '../../lib/turn/lease.ts';

export interface HostSettings {
  env: Record<string, string>;
  clock: { startMs: number; speed: number };
  leaseTiming: LeaseTiming;
  /** How long the store may take, in the time of the clock. */
  storeTimeoutMs?: number;
}

export interface Fleet {
  /** The address of this instance, or of the next one that is up. */
  url(instance: number): string;
  /** SIGKILL: it has no chance to tidy up. */
  kill(instance: number): Promise<void>;
  restart(instance: number): Promise<void>;
  /** What all instances logged, killed ones included, by the instance's number. */
  logs: { instance: number; line: Record<string, unknown> }[];
  /** Ends that nobody asked for, with what was written to standard error. */
  crashes: string[];
  close(): Promise<void>;
}

interface Member {
  child: ChildProcess;
  url: string;
}

export async function startFleet(size: number, settings: HostSettings): Promise<Fleet> {
  const members: (Member | null)[] = Array.from({ length: size }, () => null);
  const logs: Fleet['logs'] = [];
  const crashes: string[] = [];
  const starting = new Set<number>();
  let isClosed = false;

  async function start(instance: number): Promise<void> {
    const child = fork(fileURLToPath(new URL('host.ts', import.meta.url)), [JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let errors = '';
    let rest = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      logs.push(...lines.map((line) => ({ instance, line: JSON.parse(line) as Record<string, unknown> })));
    });
    child.once('exit', (code, signal) => {
      if (members[instance]?.child === child) members[instance] = null;
      if (signal !== 'SIGKILL') crashes.push(`instance ${instance} ended by itself (${signal ?? code}): ${errors}`);
    });
    const exited = once(child, 'exit').then(() => null);
    const started = (await Promise.race([once(child, 'message'), exited])) as [{ url: string }] | null;
    if (!started) throw new Error(`the instance did not start: ${errors}`);
    if (isClosed) child.kill('SIGKILL');
    else members[instance] = { child, url: `${started[0].url}/api/dingtalk` };
  }

  async function kill(instance: number): Promise<void> {
    const member = members[instance];
    if (!member) return;
    members[instance] = null;
    const exited = once(member.child, 'exit');
    member.child.kill('SIGKILL');
    await exited;
  }

  await Promise.all(members.map((_, instance) => start(instance)));
  return {
    logs,
    crashes,
    url(instance) {
      const up = members.map((_, offset) => members[(instance + offset) % size]).find(Boolean);
      if (!up) throw new Error('no instance is up');
      return up.url;
    },
    kill,
    async restart(instance) {
      if (members[instance] || starting.has(instance)) return;
      starting.add(instance);
      await start(instance).finally(() => starting.delete(instance));
    },
    async close() {
      isClosed = true;
      await Promise.all(members.map((_, instance) => kill(instance)));
    },
  };
}
