// Vercel's command line tool with the flags of 64.0.2, as far as set-up uses it.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLeave, Left, type Output } from './program.ts';

export interface VercelWorld {
  user: string | null;
  linked: boolean;
  /** Variables of production, the store's integration among them. */
  variables: Record<string, string>;
  /** Production domains. */
  domains: string[];
  /** What each deployment was given. */
  deployments: Record<string, string>[];
  /** `deploy` fails. */
  fails?: boolean;
  log: string;
}

/** One run of the program in a folder. It changes `world`. */
export function playVercel(world: VercelWorld, args: readonly string[], input: string, folder: string): Output {
  try {
    return run(world, args, input, folder);
  } catch (left) {
    if (left instanceof Left) return left.output;
    throw left;
  }
}

function run(world: VercelWorld, args: readonly string[], input: string, folder: string): never {
  const leave = createLeave;
  const [command = '', ...rest] = args;
  const only = (...flags: string[]): void => {
    const unknown = rest.find((arg) => arg.startsWith('-') && !flags.includes(arg));
    if (unknown !== undefined) leave(1, '', `Error: unknown or unexpected option: ${unknown}\n`);
  };
  if (command === '--version') return leave(0, '64.0.2\n', 'Vercel CLI 64.0.2\n');
  if (world.user === null) return leave(1, '', 'Error: No existing credentials found. Please run `vercel login`\n');
  const isLinked = world.linked && existsSync(join(folder, '.vercel/project.json'));
  const needsLink = () => {
    if (!isLinked)
      return leave(1, '', 'Error: Your codebase isn’t linked to a project on Vercel. Run `vercel link` to begin.\n');
  };
  switch (command) {
    case 'whoami':
      only();
      return leave(0, `${world.user}\n`);
    case 'link':
      only('--yes');
      if (!rest.includes('--yes')) return leave(1, '', 'Error: stdin is not a terminal\n');
      mkdirSync(join(folder, '.vercel'), { recursive: true });
      writeFileSync(join(folder, '.vercel/project.json'), '{"projectId":"prj_1","orgId":"team_1"}');
      world.linked = true;
      return leave(0, '', '✅  Linked\n');
    case 'env': {
      needsLink();
      only('--force');
      const [action, name = '', target] = rest.filter((arg) => !arg.startsWith('-'));
      if (action === 'ls') {
        const rows = Object.keys(world.variables).map((key) => ` ${key.padEnd(30)} Encrypted   Production   1m ago\n`);
        return leave(0, '', `> Environment Variables found\n\n name  value  environments  created\n${rows.join('')}`);
      }
      if (action !== 'add' || target !== 'production' || name.includes('='))
        return leave(2, '', 'Error: Invalid number of arguments\n');
      const value = input;
      if (value === '') return leave(1, '', 'Error: no value\n');
      if (name in world.variables && !rest.includes('--force')) return leave(1, '', 'Error: has already been added\n');
      world.variables[name] = value;
      return leave(0, '', '✅  Added\n');
    }
    case 'deploy':
      needsLink();
      only('--prod', '--yes');
      if (world.fails) return leave(1, '', 'Error: build failed\n');
      world.deployments.push({ ...world.variables });
      return leave(0, `https://bridge-${world.deployments.length}-team.vercel.app`, '✅  Production\n');
    case 'inspect':
      only('--json');
      return leave(0, JSON.stringify({ id: 'dpl_1', readyState: 'READY', aliases: world.domains }));
    default:
      return leave(1, '', `Error: unknown command ${command}\n`);
  }
}
