// Vercel's command line tool with the flags of 64.0.2, as far as set-up uses it. Its world is the JSON file FAKE_VERCEL.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

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

const path = process.env['FAKE_VERCEL'] ?? '';
const world = JSON.parse(readFileSync(path, 'utf8')) as VercelWorld;
const args = process.argv.slice(2);
appendFileSync(world.log, `${JSON.stringify({ args, env: Object.keys(process.env) })}\n`);

function leave(code: number, out: string, errors = ''): never {
  writeFileSync(path, JSON.stringify(world));
  process.stdout.write(out);
  process.stderr.write(errors);
  process.exit(code);
}
const [command = '', ...rest] = args;
const only = (...flags: string[]) => {
  const unknown = rest.find((arg) => arg.startsWith('-') && !flags.includes(arg));
  if (unknown !== undefined) leave(1, '', `Error: unknown or unexpected option: ${unknown}\n`);
};
if (command === '--version') leave(0, '64.0.2\n', 'Vercel CLI 64.0.2\n');
if (world.user === null) leave(1, '', 'Error: No existing credentials found. Please run `vercel login`\n');
const isLinked = world.linked && existsSync('.vercel/project.json');
const needsLink = () => {
  if (!isLinked)
    leave(1, '', 'Error: Your codebase isn’t linked to a project on Vercel. Run `vercel link` to begin.\n');
};
switch (command) {
  case 'whoami':
    only();
    leave(0, `${world.user}\n`);
  case 'link':
    only('--yes');
    if (!rest.includes('--yes')) leave(1, '', 'Error: stdin is not a terminal\n');
    mkdirSync('.vercel', { recursive: true });
    writeFileSync('.vercel/project.json', '{"projectId":"prj_1","orgId":"team_1"}');
    world.linked = true;
    leave(0, '', '✅  Linked\n');
  case 'env': {
    needsLink();
    only('--force');
    const [action, name = '', target] = rest.filter((arg) => !arg.startsWith('-'));
    if (action === 'ls') {
      const rows = Object.keys(world.variables).map((key) => ` ${key.padEnd(30)} Encrypted   Production   1m ago\n`);
      leave(0, '', `> Environment Variables found\n\n name  value  environments  created\n${rows.join('')}`);
    }
    if (action !== 'add' || target !== 'production' || name.includes('='))
      leave(2, '', 'Error: Invalid number of arguments\n');
    const value = process.stdin.isTTY ? '' : readFileSync(0, 'utf8');
    if (value === '') leave(1, '', 'Error: no value\n');
    if (name in world.variables && !rest.includes('--force')) leave(1, '', 'Error: has already been added\n');
    world.variables[name] = value;
    leave(0, '', '✅  Added\n');
  }
  case 'deploy':
    needsLink();
    only('--prod', '--yes');
    if (world.fails) leave(1, '', 'Error: build failed\n');
    world.deployments.push({ ...world.variables });
    leave(0, `https://bridge-${world.deployments.length}-team.vercel.app`, '✅  Production\n');
  case 'inspect':
    only('--json');
    leave(0, JSON.stringify({ id: 'dpl_1', readyState: 'READY', aliases: world.domains }));
  default:
    leave(1, '', `Error: unknown command ${command}\n`);
}
