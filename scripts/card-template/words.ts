import type { Language } from '../language.ts';

export interface Words {
  usage: string;
  written: (file: string) => string;
  unwritable: (file: string, code: string) => string;
  /** What to do with the file. */
  steps: readonly string[];
  /** What no import has proved. */
  unproved: string;
  /** Parts that no published file shows in this way. */
  unseen: readonly string[];
}

export const wordsOf: Readonly<Record<Language, Words>> = {
  en: {
    usage: `npm run card-template [-- --minimal] [-- --file PATH]

Writes the card template as a file for the card builder, card-template.json.

  --minimal    nothing but the streaming text and the failed state
  --file PATH  another place; an earlier file there is replaced`,
    written: (file) => `${file} is written.`,
    unwritable: (file, code) => `${file} cannot be written (${code}).`,
    steps: [
      'Card platform → 新建模板: 消息卡片, AI 卡片, the app of the robot.',
      'Open it, then 更多 → 导入 → this file.',
      'Look at each state in the preview, then 保存 and 发布, and copy the id that ends in .schema.',
    ],
    unproved:
      'This file was not imported into a live console yet. Where the import fails, build the template by hand: docs/card-template.md.',
    unseen: [
      'buttons with fixed parameters on an AI card (seen on an ordinary card only)',
      'a parameter that is a field of the entry in a loop',
      'private variables: like_status, ask_reason, notice',
      'a condition that a variable equals the empty text',
      'the submit button of the form component itself',
    ],
  },
  'zh-CN': {
    usage: `npm run card-template [-- --minimal] [-- --file 路径]

把卡片模板写成可以导入卡片搭建器的文件 card-template.json。

  --minimal    只有流式更新的内容和失败状态
  --file 路径  写到别处；那里已有的文件会被替换`,
    written: (file) => `已写入 ${file}。`,
    unwritable: (file, code) => `无法写入 ${file}（${code}）。`,
    steps: [
      '卡片平台 → 新建模板：消息卡片、AI 卡片、关联机器人所在的应用。',
      '打开模板，右上角“更多”→“导入”，选这个文件。',
      '在预览里看一遍各个状态，再保存、发布，复制以 .schema 结尾的模板 ID。',
    ],
    unproved: '这个文件还没有在真实的控制台里导入过。导入失败时请手工搭建，步骤见 docs/card-template.md（英文）。',
    unseen: [
      'AI 卡片上带固定参数的按钮（只在普通卡片里见过）',
      '循环里把条目的字段作为按钮参数',
      '私有变量：like_status、ask_reason、notice',
      '“变量等于空文本”的显示条件',
      '表单组件自带的提交按钮',
    ],
  },
};
