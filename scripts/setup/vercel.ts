import * as z from 'zod';
import { readJson } from '../../lib/runtime/json.ts';
import type { RunCommand } from './command.ts';

export type VercelState = { kind: 'missing' } | { kind: 'loggedOut' } | { kind: 'ready'; user: string };

export interface Vercel {
  state(): Promise<VercelState>;
  /** Names of the variables of production; null where the folder is not linked. */
  variables(): Promise<ReadonlySet<string> | null>;
  link(): Promise<boolean>;
  /** The value goes through standard input: other users of the machine see command lines. */
  setVariable(name: string, value: string): Promise<boolean>;
  /** The deployment's own address; null where it failed. */
  deploy(): Promise<string | null>;
  /** Origins of the production domains of a deployment. */
  domains(deployment: string): Promise<string[]>;
}

export const VERCEL_LINK = ['link', '--yes'];
export const VERCEL_DEPLOY = ['deploy', '--prod', '--yes'];
export const vercelSet = (name: string) => ['env', 'add', name, 'production', '--force'];

const inspectBody = z.object({ aliases: z.array(z.string()).nullish() });

/** Vercel's command line tool (checked against the flags of 64.0.2). */
export function createVercel(run: RunCommand): Vercel {
  const vercel = (args: readonly string[], input?: string) => run('vercel', args, input);
  return {
    async state() {
      if ((await vercel(['--version'])).code !== 0) return { kind: 'missing' };
      const who = await vercel(['whoami']);
      return who.code === 0 ? { kind: 'ready', user: who.stdout.trim() } : { kind: 'loggedOut' };
    },
    async variables() {
      // Not `--json`: that prints values, too.
      const { code, stdout, stderr } = await vercel(['env', 'ls', 'production']);
      if (code !== 0) return null;
      const names = `${stdout}\n${stderr}`.matchAll(/^\s*([A-Z][A-Z0-9_]+)\s/gm);
      return new Set([...names].map(([, name = '']) => name));
    },
    link: async () => (await vercel(VERCEL_LINK)).code === 0,
    setVariable: async (name, value) => (await vercel(vercelSet(name), value)).code === 0,
    async deploy() {
      const { code, stdout } = await vercel(VERCEL_DEPLOY);
      return code === 0 ? (/https:\/\/[\w.-]+/.exec(stdout)?.[0] ?? null) : null;
    },
    async domains(deployment) {
      const { code, stdout } = await vercel(['inspect', deployment, '--json']);
      const aliases = code === 0 ? (readJson(inspectBody, stdout)?.aliases ?? []) : [];
      return aliases.map((alias) => `https://${alias.replace(/^https:\/\//, '')}`);
    },
  };
}
