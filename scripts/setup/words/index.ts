import type { Words } from './words.ts';
import type { Language } from '../../language.ts';
import { en } from './en.ts';
import { zhCN } from './zh-CN.ts';

export const wordsOf: Record<Language, Words> = { en, 'zh-CN': zhCN };
