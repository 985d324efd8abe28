// Runs a built function in a process of its own: its environment is its own, and it can be killed like an
// instance of the platform.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readDeploymentSettings, type Artifact } from './artifact.ts';
import type { HostMessage, HostSettings } from './function-host.ts';

export interface FunctionProcess {
  url: string;
  /** What the function wrote, line by line, standard output and standard error together. */
  logs: string[];
  /** Waits until all requests are answered and all background work is done; rejects if some of it rejected. */
  drain: () => Promise<void>;
  /** Ends the process, and waits for that; `SIGKILL` leaves it no chance to tidy up. */
  kill: (signal?: NodeJS.Signals) => Promise<void>;
  /** Drains and ends. */
  close: () => Promise<void>;
}

export interface FunctionOptions {
  artifact: Artifact;
  /** The whole environment of the function; nothing of ours leaks in. */
  env?: Record<string, string>;
  /** After this many milliseconds an invocation is killed with its process, as on the platform. */
  maxDurationMs?: number;
  /** 0: any free port. */
  port?: number;
}

/** Starts one instance; rejects with its output when the function cannot be loaded. */
export async function startFunction(options: FunctionOptions): Promise<FunctionProcess> {
  const { artifact, env = {}, maxDurationMs = 300_000, port = 0 } = options;
  const { rewrites } = await readDeploymentSettings();
  const settings: HostSettings = {
    directory: artifact.directory,
    handler: artifact.handler,
    maxDurationMs,
    port,
    rewrites,
  };
  const child = fork(fileURLToPath(new URL('function-host.ts', import.meta.url)), [JSON.stringify(settings)], {
    cwd: artifact.directory,
    env,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit');
  const logs: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      logs.push(...lines);
    });
  }

  function nextMessage(): Promise<HostMessage> {
    return new Promise((resolve, reject) => {
      child.once('message', (message: HostMessage) => resolve(message));
      // `close` comes after the last output, unlike `exit`.
      child.once('close', (code, signal) => {
        reject(new Error(`the function's process ended (${signal ?? code})\n${logs.join('\n')}`));
      });
    });
  }

  async function drain(): Promise<void> {
    const answer = nextMessage();
    child.send('drain');
    const { failures = [] } = await answer;
    if (failures.length > 0) throw new Error(`background work rejected:\n${failures.join('\n')}`);
  }

  async function kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    child.kill(signal);
    await exited;
  }

  async function close(): Promise<void> {
    try {
      await drain();
    } finally {
      await kill();
    }
  }

  const { url = '' } = await nextMessage();
  return { url, logs, drain, kill, close };
}
