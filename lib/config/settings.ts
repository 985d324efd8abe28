import * as z from 'zod';

/** A whole number written in digits, between `min` and `max`. */
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from ${min} to ${max}`);

const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values).describe(`one of ${values.join(', ')}`);

const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0']))
  .transform((value) => value === 'true' || value === '1')
  .describe('true or false');

const text = z.string().describe('a text');

/** An http or https address without query, kept without its trailing slash. */
const address = z
  .string()
  .refine((value) => {
    const url = URL.parse(value);
    return (
      url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === ''
    );
  })
  .transform((value) => value.replace(/\/+$/, ''))
  .describe('an address that begins with https:// or http://');

/** Ids separated by commas, spaces or line breaks. */
const idList = z
  .string()
  .transform((value) => value.split(/[\s,，;；]+/).filter((id) => id !== ''))
  .describe('ids separated by commas');

const MS_PER_UNIT: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const rate = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,6}[smhd]$/)
  .transform((value) => {
    const [, count = '', length = '', unit = ''] = /^(\d+)\/(\d+)(\w)$/.exec(value) ?? [];
    return { questions: Number(count), windowMs: Number(length) * (MS_PER_UNIT[unit] ?? 0) };
  })
  .describe('a rate such as 20/1h (questions per s, m, h or d)');

const inputs = z
  .string()
  .transform((value, context) => {
    try {
      return z.record(z.string(), z.json()).parse(JSON.parse(value));
    } catch {
      context.addIssue('not a JSON object');
      return z.NEVER;
    }
  })
  .describe('a JSON object');

const secrets = z
  .string()
  .transform((value) => value.split(',').map((secret) => secret.trim()))
  .refine((list) => list.length <= 2 && list.every((secret) => secret !== ''))
  .describe('the client secret, or new,old while it is being rotated');

/**
 * Settings that each robot can have for itself: the name of the environment variable, what it accepts, and its
 * default. An entry of BOTS spells the same name in camelCase.
 */
export const robotSettings = {
  DINGTALK_CLIENT_ID: text,
  DINGTALK_CLIENT_SECRET: secrets,
  DINGTALK_ROBOT_CODE: text,
  DINGTALK_CARD_TEMPLATE_ID: text,
  DINGTALK_CARD_CONTENT_KEY: text,
  DINGTALK_CARD_MAX_CHARS: whole(300, 20_000),
  DINGTALK_CARD_SETTLE_MS: whole(0, 10_000),
  DINGTALK_CARD_BUTTONS: flag,
  DINGTALK_API_URL: address,
  DINGTALK_OAPI_URL: address,
  DINGTALK_QPS: whole(1, 10_000),
  DINGTALK_MONTHLY_CALLS: whole(0, 1_000_000_000),
  DIFY_API_URL: address,
  DIFY_FILES_URL: address,
  DIFY_API_KEY: text,
  DIFY_APP_TYPE: choice(['auto', 'chat', 'agent', 'chatflow', 'workflow', 'completion']),
  DIFY_INPUTS: inputs,
  DIFY_QUERY_INPUT: text,
  CONVERSATION_SCOPE: choice(['user-in-chat', 'user', 'chat']),
  CONVERSATION_TTL_MINUTES: whole(0, 10_000_000),
  STREAMING: choice(['smooth', 'balanced', 'thrifty', 'off']),
  ALLOWED_USERS: idList,
  ALLOWED_CHATS: idList,
  ADMIN_USERS: idList,
  USER_RATE_LIMIT: rate,
  SHOW_THINKING: flag,
  REPLY_LANGUAGE: choice(['zh-CN', 'en']),
} as const;

/** Settings of the deployment as a whole. */
export const deploymentSettings = {
  UPSTASH_REDIS_REST_URL: address,
  UPSTASH_REDIS_REST_TOKEN: text,
  KV_REST_API_URL: address,
  KV_REST_API_TOKEN: text,
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/\S+$/)
    .describe('an address that begins with redis:// or rediss://'),
  LOG_LEVEL: choice(['debug', 'info', 'warn', 'error']),
  CRON_SECRET: text,
  PUBLIC_URL: address,
  FUNCTION_MAX_DURATION_S: whole(1, 3600),
  PORT: whole(0, 65_535),
  HOST: text,
  BOTS: text,
} as const;

export type RobotSettingName = keyof typeof robotSettings;

export type RobotSettings = { [K in RobotSettingName]?: z.output<(typeof robotSettings)[K]> };

export type DeploymentSettings = {
  [K in keyof typeof deploymentSettings]?: z.output<(typeof deploymentSettings)[K]>;
};

/** A variable that is missing or malformed, with what was expected and never with its value. */
export interface ConfigProblem {
  variable: string;
  expected: string;
}

/** The name of a setting in an entry of BOTS: DIFY_API_KEY becomes difyApiKey. */
export function camelCase(variable: string): string {
  return variable.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads the given settings from strings; an empty value counts as unset. */
export function readSettings<T extends Record<string, z.ZodType>>(
  schemas: T,
  lookup: (variable: keyof T & string) => string | undefined,
  problems: ConfigProblem[],
  label: (variable: string) => string = (variable) => variable,
): { [K in keyof T]?: z.output<T[K]> } {
  const settings: { [K in keyof T]?: z.output<T[K]> } = {};
  for (const [variable, schema] of Object.entries(schemas) as [keyof T & string, T[keyof T & string]][]) {
    const raw = lookup(variable)?.trim();
    if (raw === undefined || raw === '') continue;
    const parsed = schema.safeParse(raw);
    if (parsed.success) settings[variable] = parsed.data;
    else problems.push({ variable: label(variable), expected: schema.description ?? 'another value' });
  }
  return settings;
}
