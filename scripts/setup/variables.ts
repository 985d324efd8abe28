import { readSettings, deploymentSettings, robotSettings, type ConfigProblem } from '../../lib/config/settings.ts';

const schemas = { ...robotSettings, ...deploymentSettings };

/** Every variable that the function knows. */
export type Variable = keyof typeof schemas;

export const VARIABLES = Object.keys(schemas) as Variable[];

export const isVariable = (name: string): name is Variable => Object.hasOwn(schemas, name);

/** Those that the guide asks for. Only these are taken over from the environment into the file. */
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
]);

/** Never shown. REDIS_URL may hold a password, BOTS holds keys. */
const SECRETS: ReadonlySet<Variable> = new Set<Variable>([
  'DINGTALK_CLIENT_SECRET',
  'DIFY_API_KEY',
  'UPSTASH_REDIS_REST_TOKEN',
  'KV_REST_API_TOKEN',
  'REDIS_URL',
  'CRON_SECRET',
  'BOTS',
]);

export const isSecret = (variable: Variable): boolean => SECRETS.has(variable);

/** What the function's own schema expects instead of this value; null when it is right. */
export function expectedOf(variable: Variable, value: string): string | null {
  const problems: ConfigProblem[] = [];
  readSettings({ [variable]: schemas[variable] }, () => value, problems);
  return problems[0]?.expected ?? null;
}
