import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LeaseTiming } from '../../lib/turn/lease-timing.ts';
import type { SharedClock } from '../chaos/shared-clock.ts';

export interface InstanceSettings {
  env: Record<string, string>;
  /** Default: that of a deployed function. */
  leaseTiming?: LeaseTiming;
  /** Default: the system's. */
  clock?: SharedClock;
}

export interface Instance {
  /** The address of the callback. */
  url: string;
  logs: Record<string, unknown>[];
  /** Ends it as the platform ends a function: at once. */
  kill(): Promise<void>;
}

/** Starts an instance of the function in a process of its own. */
export async function startInstance(settings: InstanceSettings): Promise<Instance> {
  const child = fork(fileURLToPath(new URL('instance-host.ts', import.meta.url)), [JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const logs: Record<string, unknown>[] = [];
  let errors = '';
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    logs.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
  });
  const exited = once(child, 'exit');
  const started = await Promise.race([once(child, 'message'), exited.then(() => null)]);
  if (!started) throw new Error(`the instance did not start: ${errors}`);
  const { url } = (started as [{ url: string }])[0];
  return {
    url: `${url}/api/dingtalk`,
    logs,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
