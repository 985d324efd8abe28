import type { Environment } from '../lib/config/config.ts';

export type Language = 'zh-CN' | 'en';

/** What the person who starts a command probably reads, by the usual variables. */
export function languageOfPlace(env: Environment): Language {
  return /^zh/i.test(env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '') ? 'zh-CN' : 'en';
}
