import { pathOf } from '../../lib/routes.ts';
import { isPublicHost } from '../doctor/hosts.ts';
import { printable } from './printable.ts';
import type { Draft } from './draft.ts';
import { scopesOf } from './road/road.ts';
import { isSecret, VARIABLES, type Variable } from './variables.ts';
import type { Words } from './words/words.ts';

/** One line for each variable that is set or has been emptied; no secrets. */
export function summaryOf(draft: Draft, words: Words): string {
  const changed = draft.changes();
  const rows = VARIABLES.filter((variable) => draft.get(variable) !== '' || changed.has(variable));
  const width = Math.max(...rows.map((variable) => variable.length));
  return [
    words.summary,
    ...rows.map((variable) => `  ${variable.padEnd(width)}  ${shown(variable, draft, words)}`),
  ].join('\n');
}

function shown(variable: Variable, draft: Draft, words: Words): string {
  const value = draft.get(variable);
  if (value === '') return words.removed;
  if (isSecret(variable)) return words.hidden(draft.isKept(variable));
  return printable(value);
}

/** What a deployment has for itself, or what only commands read. */
const NOT_ON_VERCEL: ReadonlySet<Variable> = new Set<Variable>([
  'PORT',
  'HOST',
  'REDIS_URL',
  'QSTASH_TOKEN',
  'QSTASH_URL',
]);

/** Whether a deployment is given this variable. */
export const isForVercel = (variable: Variable): boolean => !NOT_ON_VERCEL.has(variable);

/** Where the function will be; null while no public address is known. */
function publicOrigin(draft: Draft): string | null {
  const url = URL.parse(draft.get('PUBLIC_URL'));
  return url?.protocol === 'https:' && isPublicHost(url.hostname) ? url.origin : null;
}

/** What is left to do, to be copied line by line. Values go from the file into the command without being shown. */
export function remainingSteps(draft: Draft, words: Words, file: string): string {
  const origin = publicOrigin(draft);
  const address = `${origin ?? words.host}${pathOf(null)}`;
  const permissions = scopesOf(draft);
  if (draft.get('DINGTALK_CONNECTION') === 'stream') {
    return [`\n${words.ownServer}`, `\n${words.streamSteps(permissions)}`, `\n${words.doctor('')}`].join('\n');
  }
  const variables = VARIABLES.filter(
    (variable) => draft.get(variable) !== '' && isForVercel(variable) && (variable !== 'PUBLIC_URL' || origin !== null),
  );
  return [
    `\n${words.vercel}\n`,
    ...variables.map((variable) => vercelCommand(variable, file)),
    `\n${words.afterVercel}`,
    `\n${words.callback(address)}`,
    `\n${words.consoleSteps(address, permissions)}`,
    `\n${words.doctor(origin ?? words.host)}`,
  ].join('\n');
}

/**
 * Node itself reads the file, as the function would, quotes and all; the value ends without a line break, which would
 * become part of it. In double quotes the program is the same to POSIX shells, PowerShell and cmd.
 */
function vercelCommand(variable: Variable, file: string): string {
  const path = /^[\w./:\\-]+$/.test(file) ? file : `"${file}"`;
  return `node --env-file=${path} -e "process.stdout.write(process.env.${variable})" | vercel env add ${variable} production --force`;
}
