import { en } from './en.ts';
import type { Texts } from './texts.ts';
import { zhCN } from './zh-CN.ts';

export type Language = 'zh-CN' | 'en';

const languages: Record<Language, Texts> = { 'zh-CN': zhCN, en };

export function textsFor(language: Language): Texts {
  return languages[language];
}
