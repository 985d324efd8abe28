import { spawn } from 'node:child_process';
import type { Environment } from '../../lib/config/config.ts';
import { isVariable } from './variables.ts';

/** How a program ended. Its output stays in memory: some commands print more than a screen may show. */
export interface Ended {
  /** Null: there is no such program, or it took too long and was ended. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program without a shell. Its standard input is closed, or holds `input` and nothing else. */
export type RunCommand = (program: string, args: readonly string[], input?: string) => Promise<Ended>;

/** A build and a deployment take minutes. */
const TIMEOUT_MS = 10 * 60_000;
const MAX_CHARS = 4 * 1024 * 1024;

/** Programs get the environment without our own variables: they have no use for our secrets. */
export function createRunCommand(env: Environment): RunCommand {
  const foreign = Object.fromEntries(Object.entries(env).filter(([name]) => !isVariable(name)));
  return (program, args, input) =>
    new Promise((resolve) => {
      const child = spawn(program, args, {
        env: { ...foreign, DO_NOT_TRACK: '1' },
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        timeout: TIMEOUT_MS,
      });
      const ended: Ended = { code: null, stdout: '', stderr: '' };
      const collect = (name: 'stdout' | 'stderr') => (text: string) => {
        if (ended[name].length < MAX_CHARS) ended[name] += text;
      };
      child.stdout?.setEncoding('utf8').on('data', collect('stdout'));
      child.stderr?.setEncoding('utf8').on('data', collect('stderr'));
      child.on('error', () => resolve(ended));
      child.on('close', (code) => resolve({ ...ended, code }));
      // A program that ends without reading closes the pipe.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
}

/** The command as a person would type it. */
export const commandLine = (program: string, args: readonly string[]): string =>
  [program, ...args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`))].join(' ');
