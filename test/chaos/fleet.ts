// Instances of the function behind one address, as on the platform: they are killed and started again.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { LeaseTiming } from '../../lib/turn/lease-timing.ts';
import type { Code } from './code.ts';
import type { SharedClock } from './shared-clock.ts';

/**
 * What `host.ts` is started with. It answers with its address, `{ url }`, and writes its log to standard output. The
 * hosts of older commits are started in the same way (`npm run chaos -- --beside`), so nothing here is renamed.
 */
export interface HostSettings {
  env: Record<string, string>;
  clock: SharedClock;
  leaseTiming: LeaseTiming;
  /** How long the store may take, in the time of the clock. */
  storeTimeoutMs?: number;
}

export interface Fleet {
  /** The address of this instance, or of the next one that is up. */
  url(instance: number): string;
  /** By SIGKILL, so the instance cannot put anything on record. */
  kill(instance: number): Promise<void>;
  restart(instance: number): Promise<void>;
  /** The log lines of all instances, also of those that were killed since. */
  logs: { instance: number; line: Record<string, unknown> }[];
  /** Instances that ended without having been killed, with what they wrote to standard error. */
  crashes: string[];
  close(): Promise<void>;
}

interface Member {
  child: ChildProcess;
  url: string;
}

/** Starts one instance of each of these codes, whose clock is so much ahead of that of the settings. */
export async function startFleet(
  codes: readonly (Pick<Code, 'host'> & { aheadMs?: number })[],
  settings: HostSettings,
): Promise<Fleet> {
  const members: (Member | null)[] = codes.map(() => null);
  const logs: Fleet['logs'] = [];
  const crashes: string[] = [];
  const starting = new Set<number>();
  let isClosed = false;

  async function start(instance: number): Promise<void> {
    const { host = '', aheadMs = 0 } = codes[instance] ?? {};
    const own: HostSettings = { ...settings, clock: { ...settings.clock, aheadMs } };
    const child = fork(host, [JSON.stringify(own)], {
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
      const up = members.map((_, offset) => members[(instance + offset) % members.length]).find(Boolean);
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
