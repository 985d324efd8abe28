import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Variable } from './variables.ts';

export type Imported =
  | { ok: true; values: ReadonlyMap<Variable, string>; robots: number }
  /** The reason names files and fields, never a value. */
  | { ok: false; reason: string };

/** YAML makes a number of a value that has digits only. */
const text = z.union([z.string(), z.number()]).transform((value) => String(value).trim());
const required = text.refine((value) => value !== '');

const bot = z.looseObject({
  name: text.optional(),
  dingtalk_app_client_id: required,
  dingtalk_app_client_secret: required,
  dingtalk_ai_card_template_id: text.nullish(),
  dify_app_api_key: required,
});

const bots = z.array(bot).min(1);

type Bot = z.output<typeof bot>;

/** The values that can be told from their names alone. */
const LOG_LEVELS: Readonly<Record<string, string>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  success: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
};

/**
 * Reads the configuration of dify-on-dingtalk: its `.env`, and `.bots.yaml` beside it. Its first robot becomes the flat
 * variables, the others `BOTS`. All of them have Stream connections there, so they have them here.
 *
 * @param path the `.env`, or the folder that holds it.
 */
export function readOtherBridge(path: string): Imported {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, '.env') : path;
  let env: Readonly<Record<string, string | undefined>>;
  let list: unknown;
  const botsFile = join(dirname(file), '.bots.yaml');
  try {
    env = parseEnv(readFileSync(file, 'utf8'));
  } catch {
    return { ok: false, reason: `--from: ${file} cannot be read` };
  }
  try {
    const yaml: unknown = parse(readFileSync(botsFile, 'utf8'));
    list = Array.isArray(yaml) ? yaml : (yaml as { bots?: unknown } | null)?.bots;
  } catch {
    return { ok: false, reason: `--from: ${botsFile} cannot be read, or is no YAML` };
  }
  const parsed = bots.safeParse(list);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => `bots.${issue.path.join('.')}`))];
    return { ok: false, reason: `--from: ${botsFile} has no robots, or they lack: ${fields.join(', ')}` };
  }
  return { ok: true, values: valuesOf(env, parsed.data), robots: parsed.data.length };
}

function valuesOf(env: Readonly<Record<string, string | undefined>>, [first, ...others]: Bot[]): Map<Variable, string> {
  const get = (name: string) => env[name]?.trim() ?? '';
  const template = get('DINGTALK_AI_CARD_TEMPLATE_ID');
  const values = new Map<Variable, string>();
  const set = (variable: Variable, value: string | undefined) => {
    if (value) values.set(variable, value);
  };
  set('DINGTALK_CONNECTION', 'stream');
  set('DIFY_API_URL', get('DIFY_OPEN_API_URL'));
  set('CONVERSATION_TTL_MINUTES', get('DIFY_CONVERSATION_REMAIN_TIME'));
  set('LOG_LEVEL', LOG_LEVELS[get('LOG_LEVEL').toLowerCase()]);
  set('DINGTALK_CLIENT_ID', first?.dingtalk_app_client_id);
  set('DINGTALK_CLIENT_SECRET', first?.dingtalk_app_client_secret);
  set('DINGTALK_CARD_TEMPLATE_ID', first?.dingtalk_ai_card_template_id || template);
  set('DIFY_API_KEY', first?.dify_app_api_key);
  if (others.length > 0) set('BOTS', JSON.stringify(entriesOf(others, template)));
  return values;
}

function entriesOf(others: readonly Bot[], template: string): object[] {
  const taken = new Set<string>();
  return others.map((other, index) => {
    const slug = (other.name ?? '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 32);
    const name = slug === '' || taken.has(slug) ? `robot-${index + 2}` : slug;
    taken.add(name);
    const cardTemplateId = other.dingtalk_ai_card_template_id || template;
    return {
      name,
      dingtalkClientId: other.dingtalk_app_client_id,
      dingtalkClientSecret: other.dingtalk_app_client_secret,
      ...(cardTemplateId === '' ? {} : { dingtalkCardTemplateId: cardTemplateId }),
      difyApiKey: other.dify_app_api_key,
    };
  });
}
