import { deploymentSettings } from '../../lib/config/deployment-settings.ts';
import { robotSettings } from '../../lib/config/robot-settings.ts';
import { namesOf, readSettings, type ConfigProblem, type Setting } from '../../lib/config/settings.ts';

const settings = { ...robotSettings, ...deploymentSettings } satisfies Record<string, Setting>;

/** Every variable that the function knows. */
export type Variable = keyof typeof settings;

export const VARIABLES = namesOf(settings);

export const isVariable = (name: string): name is Variable => Object.hasOwn(settings, name);

/** The variables that the guide asks for. Only these are taken over from the environment into the file. */
export const ASKED: ReadonlySet<Variable> = new Set<Variable>([
  'DINGTALK_CLIENT_ID',
  'DINGTALK_CLIENT_SECRET',
  'DINGTALK_CARD_TEMPLATE_ID',
  'DINGTALK_CARD_BUTTONS',
  'DIFY_API_URL',
  'DIFY_API_KEY',
  'DIFY_INPUTS',
  'DIFY_QUERY_INPUT',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
  'PUBLIC_URL',
  'ADMIN_USERS',
  'ALLOWED_USERS',
  'STREAMING',
  'CRON_SECRET',
  'QSTASH_TOKEN',
  'QSTASH_URL',
]);

/** Whether the value must never be shown. */
export const isSecret = (variable: Variable): boolean => 'isSecret' in settings[variable];

/** What the function's own schema expects instead of this value; null when it is right. */
export function expectedOf(variable: Variable, value: string): string | null {
  const problems: ConfigProblem[] = [];
  readSettings({ [variable]: settings[variable] }, () => value, problems);
  return problems[0]?.expected ?? null;
}
