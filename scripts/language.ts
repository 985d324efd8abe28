import type { Environment } from '../lib/config/config.ts';
import type { Language } from '../lib/texts/index.ts';

export type { Language };

/** The robot's language where it is set, else that of the terminal. */
export function languageOf(env: Environment): Language {
  const set = env['REPLY_LANGUAGE']?.trim();
  return set === 'en' || set === 'zh-CN' ? set : languageOfPlace(env);
}

/** What the person who starts a command probably reads, by the usual variables. */
export function languageOfPlace(env: Environment): Language {
  return /^zh/i.test(env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '') ? 'zh-CN' : 'en';
}
