import type { Language } from '../language.ts';
import { en, type CommandWords } from './en.ts';
import { zhCN } from './zh-CN.ts';

export const commandWords: Readonly<Record<Language, CommandWords>> = { en, 'zh-CN': zhCN };
