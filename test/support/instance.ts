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

const HOST = fileURLToPath(new URL('instance-host.ts', import.meta.url));

export interface InstanceOptions {
  /** The program that runs it; it is given the settings, and tells its address. */
  host?: string;
  onLog?: (line: Record<string, unknown>) => void;
  /** `how` is its exit code or the signal that ended it, `errors` what it wrote to standard error. */
  onExit?: (how: string, errors: string) => void;
}

/** Starts an instance of the function in a process of its own. */
export async function startInstance(
  settings: InstanceSettings,
  { host = HOST, onLog, onExit }: InstanceOptions = {},
): Promise<Instance> {
  const child = fork(host, [JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const logs: Record<string, unknown>[] = [];
  let errors = '';
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = JSON.parse(line) as Record<string, unknown>;
      logs.push(parsed);
      onLog?.(parsed);
    }
  });
  child.once('exit', (code, signal) => onExit?.(String(signal ?? code), errors));
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
