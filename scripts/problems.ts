import type { Environment } from '../lib/config/config.ts';
import type { ConfigProblem } from '../lib/config/settings.ts';
import { isMissing } from './doctor/sentences/line.ts';
import type { CommandWords } from './words/en.ts';

/** Where an error comes from. Its message may hold a value, or what a user wrote, so only the places are shown. */
export const placesOf = (error: unknown): string[] =>
  (error instanceof Error ? (error.stack ?? '') : '').split('\n').filter((line) => /^\s+at /.test(line));

/** The system's code of a failure, such as `EACCES`. @throws what has none. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

/** Set by everybody who has begun to configure it. */
const FIRST_VARIABLES = ['DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY', 'BOTS'];

/**
 * What is wrong with a configuration, for a terminal: what is missing and what is malformed, and never a value.
 *
 * @param env says whether anything is configured at all; null where that does not matter
 */
export function describeForTerminal(
  problems: readonly ConfigProblem[],
  words: CommandWords,
  env: Environment | null,
): string {
  const missing = problems.filter(({ expected }) => isMissing(expected));
  const malformed = problems.filter((problem) => !missing.includes(problem));
  const list = (heading: string, some: readonly ConfigProblem[], line: (problem: ConfigProblem) => string) =>
    some.length === 0 ? [] : [heading, ...some.map((problem) => `  ${line(problem)}`)];
  const isBlank = env !== null && FIRST_VARIABLES.every((variable) => (env[variable] ?? '').trim() === '');
  return [
    words.incomplete,
    ...list(words.missing, missing, ({ variable, expected }) => words.lacking(variable, expected)),
    ...list(words.malformed, malformed, ({ variable, expected }) => words.problem(variable, expected)),
    ...(isBlank ? ['', words.nothingYet] : []),
  ].join('\n');
}
