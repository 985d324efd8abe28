import type { Language } from '../../language.ts';
import { addressEn } from './address-en.ts';
import { addressZh } from './address-zh-CN.ts';
import { difyEn } from './dify-en.ts';
import { difyZh } from './dify-zh-CN.ts';
import { dingtalkEn } from './dingtalk-en.ts';
import { dingtalkZh } from './dingtalk-zh-CN.ts';
import { frameEn, frameZh, type Frame } from './frame.ts';
import { scheduleEn } from './schedule-en.ts';
import { scheduleZh } from './schedule-zh-CN.ts';
import { setupEn } from './setup-en.ts';
import { setupZh } from './setup-zh-CN.ts';

/** Every sentence of a check. English says which there are; Chinese has the same, or it does not compile. */
export type Sentences = typeof setupEn & typeof dingtalkEn & typeof difyEn & typeof addressEn & typeof scheduleEn;

export const sentencesOf: Record<Language, Sentences> = {
  en: { ...setupEn, ...dingtalkEn, ...difyEn, ...addressEn, ...scheduleEn },
  'zh-CN': { ...setupZh, ...dingtalkZh, ...difyZh, ...addressZh, ...scheduleZh },
};

/** What stands around the findings. */
export const frameOf: Record<Language, Frame> = { en: frameEn, 'zh-CN': frameZh };
