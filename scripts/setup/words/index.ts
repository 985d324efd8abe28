import type { Words } from './words.ts';
import type { Language } from '../../language.ts';
import { en } from './en.ts';
import { roadEn } from './road-en.ts';
import { roadZh } from './road-zh-CN.ts';
import type { RoadWords } from './road.ts';
import { zhCN } from './zh-CN.ts';

export const wordsOf: Record<Language, Words> = { en, 'zh-CN': zhCN };
export const roadWordsOf: Record<Language, RoadWords> = { en: roadEn, 'zh-CN': roadZh };
