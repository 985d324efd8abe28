import type { Language } from '../language.ts';
import { en } from './en.ts';
import { zhCN } from './zh-CN.ts';

/** English is the model; the type checker compares the other language with it. */
export type CommandWords = typeof en;

export const commandWords: Readonly<Record<Language, CommandWords>> = { en, 'zh-CN': zhCN };
