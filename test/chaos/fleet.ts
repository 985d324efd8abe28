// Instances of the function behind one address, as on the platform: they are killed and started again.
import type { LeaseTiming } from '../../lib/turn/lease-timing.ts';
import { startInstance, type Instance } from '../support/instance.ts';
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

/** Starts one instance of each of these codes, whose clock is so much ahead of that of the settings. */
export async function startFleet(
  codes: readonly (Pick<Code, 'host'> & { aheadMs?: number })[],
  settings: HostSettings,
): Promise<Fleet> {
  const members: (Instance | null)[] = codes.map(() => null);
  const logs: Fleet['logs'] = [];
  const crashes: string[] = [];
  const starting = new Set<number>();
  let isClosed = false;

  async function start(instance: number): Promise<void> {
    const { host = '', aheadMs = 0 } = codes[instance] ?? {};
    const own: HostSettings = { ...settings, clock: { ...settings.clock, aheadMs } };
    let member: Instance | null = null;
    member = await startInstance(own, {
      host,
      onLog: (line) => logs.push({ instance, line }),
      onExit(how, errors) {
        if (members[instance] === member) members[instance] = null;
        if (how !== 'SIGKILL') crashes.push(`instance ${instance} ended by itself (${how}): ${errors}`);
      },
    });
    if (isClosed) await member.kill();
    else members[instance] = member;
  }

  async function kill(instance: number): Promise<void> {
    const member = members[instance];
    members[instance] = null;
    await member?.kill();
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
