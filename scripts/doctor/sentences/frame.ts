import type { Titles } from '../check-name.ts';
import type { Level } from '../level.ts';

/** The words around the findings. */
export interface Frame {
  titles: Titles;
  /** Before the findings of one robot of several. */
  robot: (name: string | null) => string;
  /** The headings of the page, the worst first; what is fine comes last. */
  levels: Readonly<Record<Level, string>>;
  /** How to see each line of what is fine. */
  all: string;
  skipped: (needed: string) => string;
  summary: (counts: { failed: number; warning: number; ok: number }) => string;
  mend: string;
  colon: string;
  comma: string;
  where: string;
  more: string;
  /** Where to begin while variables are missing. */
  begin: string;
  /** The page that has a section on each code. */
  operations: string;
  noSuchRobot: (name: string, known: readonly string[]) => string;
}

export const frameEn: Frame = {
  titles: {
    configuration: 'Configuration',
    values: 'Values',
    node: 'Node',
    limits: 'Platform limits',
    store: 'Store',
    schedule: 'Schedule of the sweep',
    token: 'DingTalk credentials',
    stream: 'Stream connection',
    permissions: 'DingTalk permissions',
    console: 'Robot in the console',
    template: 'Card template',
    dify: 'Dify',
    difyVersion: 'Dify: version',
    difyType: 'Dify: type of the app',
    difyInputs: 'Dify: inputs',
    difyFeatures: 'Dify: features',
    difyFiles: 'Dify: files of answers',
    clock: 'Clock',
    address: 'Callback address',
    probe: 'Callback address: answers',
    sameSecret: 'Callback address: secret',
    cardCallback: 'Card buttons',
    callbacks: 'Callbacks from DingTalk',
  },
  robot: (name) => (name === null ? 'Default robot (no BOTS entry)' : `Robot ${name}`),
  levels: { failed: 'Stops answers', warning: 'Warnings', note: 'Notes', ok: 'Fine' },
  all: 'npm run doctor -- --all shows each line of it',
  skipped: (needed) => `not checked, because this comes first: ${needed}`,
  summary: ({ failed, warning, ok }) =>
    `${failed} failed, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${ok} fine`,
  mend: 'Fix',
  colon: ': ',
  comma: ', ',
  where: 'Where',
  more: 'More',
  begin: 'npm run setup asks for these values and checks each. npm start needs none of them.',
  operations: 'docs/operations.md',
  noSuchRobot: (name, known) =>
    `BOTS has no robot called ${name}; there are: ${known.join(', ') || 'none with a name'}`,
};

export const frameZh: Frame = {
  titles: {
    configuration: '配置',
    values: '配置的值',
    node: 'Node 版本',
    limits: '平台限制',
    store: '存储',
    schedule: '补偿任务的定时任务',
    token: '钉钉凭证',
    stream: 'Stream 连接',
    permissions: '钉钉权限',
    console: '后台的机器人设置',
    template: '卡片模板',
    dify: 'Dify',
    difyVersion: 'Dify 版本',
    difyType: 'Dify 应用类型',
    difyInputs: 'Dify 输入变量',
    difyFeatures: 'Dify 功能',
    difyFiles: 'Dify 回答中的文件',
    clock: '时钟',
    address: '回调地址',
    probe: '回调地址的响应',
    sameSecret: '回调地址的密钥',
    cardCallback: '卡片按钮',
    callbacks: '来自钉钉的回调',
  },
  robot: (name) => (name === null ? '默认机器人（未用 BOTS）' : `机器人 ${name}`),
  levels: { failed: '导致无法回答', warning: '警告', note: '说明', ok: '正常' },
  all: 'npm run doctor -- --all 会逐项列出',
  skipped: (needed) => `未检查，请先解决：${needed}`,
  summary: ({ failed, warning, ok }) => `失败 ${failed} 项，警告 ${warning} 项，正常 ${ok} 项`,
  mend: '处理',
  colon: '：',
  comma: '、',
  where: '位置',
  more: '详情',
  begin: 'npm run setup 会逐项询问并验证这些值；npm start（演练场）不需要任何配置。',
  operations: 'docs/operations.zh-CN.md',
  noSuchRobot: (name, known) => `BOTS 里没有名为 ${name} 的机器人；现有：${known.join('、') || '没有带名称的机器人'}`,
};
