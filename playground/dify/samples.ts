import { chartPicture, csvTable, textPdf } from './sample-files.ts';
import { chineseTexts } from './sample-texts-zh.ts';
import { englishTexts } from './sample-texts-en.ts';
import type { SampleTexts, ToolUse } from './sample-texts.ts';
import { steadyChunks, streamText } from './stream-text.ts';
import { isWorkflowBased } from './envelope.ts';
import { cutAt } from './trouble.ts';
import type { AppMode, Chunk, ChunkScript, FilePlace, FormAction, Pause, Question } from './types.ts';

type Build = (texts: SampleTexts, question: Question) => ChunkScript;

/** The provider's raw words: what a user must never see (protocol 3.6). */
export const providerError =
  '[openai] Rate Limit Error, Error code: 429 - {"error":{"message":"Rate limit reached for sk-…4711","type":"tokens"}}';

const say = (text: string): ChunkScript => ({ chunks: streamText(text) });

/** The tags arrive in pieces, as they do from models whose reasoning is part of the text (protocol 6.1). */
const think: Build = ({ thought, afterThought }) => ({
  chunks: [
    { afterMs: 600, text: '<th' },
    { afterMs: 40, text: 'ink>\n' },
    ...streamText(thought, { firstMs: 40 }),
    { afterMs: 40, text: '\n</thi' },
    { afterMs: 40, text: 'nk>' },
    ...streamText(afterThought, { firstMs: 200 }),
  ],
});

/** Results only in `outputs`. Apps of the other modes have none, so they say it. */
const workflow: Build = (texts, { mode }) =>
  mode === 'workflow'
    ? { chunks: [{ afterMs: 2500, pause: true }], outputs: texts.workflowOutputs }
    : say(texts.workflowAsText);

const useTool = (use: ToolUse): Chunk => ({ afterMs: 900, ...use });

const agent: Build = ({ agent: parts }) => ({
  chunks: [
    ...streamText(parts.first),
    useTool(parts.firstTool),
    ...streamText(parts.second),
    useTool(parts.secondTool),
    ...streamText(parts.last),
  ],
});

/** protocol 6.2: how an app of this mode would hand a file over. */
const filePlace = (mode: Question['mode'], isPicture: boolean): FilePlace => {
  if (mode === 'workflow') return { as: 'output', key: isPicture ? 'picture' : 'files' };
  if (mode === 'advanced-chat' || mode === 'completion') return { as: 'markdown' };
  return { as: isPicture ? 'message_file' : 'end' };
};

const makeFiles: Build = ({ makeFiles: parts }, { mode }) => {
  const numbers = parts.rows.map(([, value]) => value).filter((value) => typeof value === 'number');
  const place = filePlace(mode, false);
  const gap: Chunk[] = place.as === 'markdown' ? [{ text: '\n' }] : [];
  return {
    chunks: [
      ...streamText(parts.before),
      { afterMs: 600, file: { name: parts.pictureName, bytes: chartPicture(numbers), ...filePlace(mode, true) } },
      ...gap,
      { afterMs: 300, file: { name: parts.tableName, bytes: csvTable(parts.rows), ...place } },
      ...gap,
      { afterMs: 300, file: { name: parts.documentName, bytes: textPdf(parts.document), ...place } },
      ...streamText(parts.after, { firstMs: 200 }),
    ],
  };
};

const approval: Build = ({ approval: words }, question) => {
  if (!isWorkflowBased(question)) return say(words.elsewhere);
  const pause: Pause = {
    kind: 'paused',
    title: words.title,
    formContent: words.form,
    inputs: [{ type: 'paragraph', name: 'comment' }],
    defaults: { comment: words.comment },
    actions: [
      { id: 'approve', title: words.approve, button_style: 'primary' },
      { id: 'reject', title: words.reject, button_style: 'default' },
    ],
    onSubmit({ action, inputs }) {
      const comment = typeof inputs['comment'] === 'string' ? inputs['comment'] : '';
      return say(action === 'approve' ? words.approved(comment) : words.rejected(comment));
    },
  };
  return {
    chunks: [{ node: { title: words.check, type: 'tool' }, forMs: 800 }, ...streamText(words.before)],
    ending: pause,
  };
};

const decisions = ({ approval: { approve, reject } }: SampleTexts): readonly FormAction[] => [
  { id: 'approve', title: approve, button_style: 'primary' },
  { id: 'reject', title: reject, button_style: 'default' },
];

/** A run that waits for a person, where the app can. */
const waitsFor =
  (pauseOf: (texts: SampleTexts) => Pause): Build =>
  (texts, question) =>
    isWorkflowBased(question)
      ? { chunks: streamText(texts.forms.before), ending: pauseOf(texts) }
      : say(texts.approval.elsewhere);

const claim = waitsFor((texts) => {
  const { title, form, options, answered } = texts.forms.claim;
  const [kind = '', note = ''] = [...form.matchAll(/\$output\.([^#]+)#/gu)].map(([, name = '']) => name);
  return {
    kind: 'paused',
    title,
    formContent: form,
    inputs: [
      { type: 'select', name: kind, options },
      { type: 'paragraph', name: note },
    ],
    actions: decisions(texts),
    onSubmit: ({ inputs }) => say(answered(inputs)),
  };
});

const seal = waitsFor((texts) => {
  const { title, form, to } = texts.forms.mail;
  return { kind: 'paused', title, formContent: form, actions: decisions(texts), byMailOnly: true, mailedTo: [to] };
});

const countersign = waitsFor((texts) => {
  const [first, ...beside] = texts.forms.pair.map(({ title, form, answered }): Pause => ({
    kind: 'paused',
    title,
    formContent: form,
    actions: decisions(texts),
    onSubmit: ({ action }) => say(answered(action)),
  }));
  if (!first) throw new Error('no form');
  return { ...first, beside };
});

const BUSY_MS = 20_000;

/** Waits for a free worker, or where there are none for the model. */
const waits: Build = ({ short }, question) => {
  if (isWorkflowBased(question)) return { ...say(short), queuedMs: BUSY_MS };
  return { chunks: streamText(short, { firstMs: BUSY_MS }) };
};

const LONG_STEPS = 40;

/** 40 steps of two seconds: long enough to be stopped by hand. */
const takesLong: Build = ({ takesLong: words }) => ({
  chunks: [
    { node: { title: words.node, type: 'tool' }, forMs: 1500 },
    ...streamText(words.before),
    ...Array.from({ length: LONG_STEPS }, (_step, index) => ({
      afterMs: 2000,
      text: words.step(index + 1, LONG_STEPS),
    })),
    ...streamText(words.after),
  ],
});

/** Lists what an app of this mode can play. */
const help: Build = (texts, { mode }) => {
  const { helpIntroduction, help: what } = texts;
  const colon = texts === chineseTexts ? '：' : ': ';
  const lines = Object.entries(what)
    .filter(([word]) => plays(mode, sampleNameFor(word)))
    .map(([word, explanation]) => `- **${word}**${colon}${explanation}`);
  return say(`${helpIntroduction}\n\n${lines.join('\n')}`);
};

const builds = {
  short: (texts) => say(texts.short),
  long: (texts) => ({ chunks: streamText(texts.long, { everyMs: 25, sizes: [6, 9, 7, 11, 8] }) }),
  table: (texts) => say(texts.table),
  code: (texts) => say(texts.code),
  list: (texts) => say(texts.list),
  think,
  error: (texts) => ({
    chunks: streamText(texts.beforeError),
    ending: { kind: 'failed', message: providerError },
  }),
  slow: (texts) => ({ chunks: streamText(texts.slow, { firstMs: 8000, everyMs: 120 }) }),
  workflow,
  agent,
  echarts: (texts) => say(texts.chart),
  modelBusy: () => ({ chunks: [{ afterMs: 600, pause: true }], ending: { kind: 'model-failed', cause: 'rate-limit' } }),
  queue: waits,
  // What a function that was killed leaves: the stream breaks, the run goes on as its kind of app lets it.
  lost: (texts) => cutAt(say(texts.leave), 'middle'),
  cut: (texts) => ({ chunks: streamText(texts.beforeCut), ending: { kind: 'cut' } }),
  empty: () => ({ chunks: [{ afterMs: 800, pause: true }] }),
  moderation: (texts) => ({
    chunks: [...streamText(texts.beforeModeration), { afterMs: 200, replace: texts.moderated }],
  }),
  // The load of the acceptance test: the clock starts with the first delta.
  steady: (texts) => ({ chunks: steadyChunks(texts.steady, 600, 300, 4500) }),
  sentFiles: (texts, { files }) => say(texts.sentFiles(files)),
  makeFiles,
  suggestions: (texts) => say(texts.beforeSuggestions),
  approval,
  claim,
  seal,
  countersign,
  takesLong,
  leave: (texts) => say(texts.leave),
  expense: (texts) => say(texts.expense),
  vpn: (texts) => say(texts.vpn),
  help,
  fallback: (texts, { text, turn }) => say(texts.fallback(text, turn)),
} satisfies Record<string, Build>;

export type SampleName = keyof typeof builds;

export const SAMPLE_NAMES = Object.keys(builds) as SampleName[];

/** Samples that need what only these kinds of app have. The others answer in words that they cannot. */
const ONLY_IN: Readonly<Partial<Record<SampleName, readonly AppMode[]>>> = {
  agent: ['agent-chat', 'agent'],
  workflow: ['workflow'],
  suggestions: ['chat', 'agent-chat', 'agent', 'advanced-chat'],
  approval: ['advanced-chat', 'workflow'],
  claim: ['advanced-chat', 'workflow'],
  seal: ['advanced-chat', 'workflow'],
  countersign: ['advanced-chat', 'workflow'],
};

/** Whether an app of this mode shows what the sample is for. */
export const plays = (mode: AppMode, name: SampleName): boolean => ONLY_IN[name]?.includes(mode) ?? true;

/** The words that choose a sample, most particular first. Topics come last: "VPN 报错" is a request for an error. */
const words: readonly [name: SampleName, chinese: RegExp, english: RegExp][] = [
  ['help', /示例|帮助|你会什么|能做什么/u, /\b(help|samples?|what can you do)\b/iu],
  ['steady', /压测|逐字/u, /\b(bench|steady)\b/iu],
  ['workflow', /工作流|周报/u, /\bworkflow\b/iu],
  ['agent', /智能体|工具/u, /\b(agent|tools?)\b/iu],
  ['echarts', /图表|柱状图/u, /\b(echarts|charts?)\b/iu],
  ['moderation', /审核|敏感/u, /\bmoderation\b/iu],
  ['think', /思考|推理/u, /\b(think|reason)\b/iu],
  ['error', /报错|出错/u, /\b(error|fail)\b/iu],
  ['modelBusy', /模型繁忙|限流/u, /\bmodel busy\b/iu],
  ['queue', /排队/u, /\bqueue\b/iu],
  ['lost', /失联/u, /\blost connection\b/iu],
  ['cut', /断流|断开/u, /\b(cut|break off)\b/iu],
  ['empty', /空白|空回答/u, /\bempty\b/iu],
  ['slow', /慢速|慢一点/u, /\bslow(ly)?\b/iu],
  ['claim', /填表/u, /\bclaim form|\bclaim$/iu],
  ['seal', /用印/u, /\bseal\b/iu],
  ['countersign', /会签/u, /\bcountersign\b/iu],
  ['approval', /审批/u, /\bapprov(e|al)\b/iu],
  ['takesLong', /长任务|耗时/u, /\b(long task|takes? long)\b/iu],
  ['suggestions', /推荐问题|追问/u, /\b(suggest(ions?)?|follow-ups?)\b/iu],
  ['makeFiles', /导出|生成文件|画一张/u, /\b(export|draw)\b/iu],
  ['sentFiles', /附件|图片|照片|这张图/u, /\b(pictures?|photos?|attachments?)\b/iu],
  ['table', /表格|差旅标准/u, /\btable\b/iu],
  ['code', /代码|脚本/u, /\b(code|script)\b/iu],
  ['list', /清单|列表/u, /\b(list|checklist)\b/iu],
  ['long', /长文|详细|办公室指南/u, /\b(long|in detail)\b/iu],
  ['short', /短答|一句话/u, /\bshort\b/iu],
  ['leave', /年假|请假|休假/u, /\b(leave|vacation|holidays?)\b/iu],
  ['expense', /报销|发票/u, /\b(expenses?|invoices?)\b/iu],
  ['vpn', /VPN/iu, /\bvpn\b/iu],
];

const isChinese = (text: string) => /\p{Script=Han}/u.test(text);

/** The words of the samples in the language of the question. */
export function textsFor({ text }: Pick<Question, 'text'>): SampleTexts {
  return isChinese(text) ? chineseTexts : englishTexts;
}

/** A sample by its name. */
function namedSample(name: SampleName, question: Question): ChunkScript {
  return builds[name](textsFor(question), question);
}

/** Which sample these words choose. */
export function sampleNameFor(text: string): SampleName {
  return words.find(([, chinese, english]) => (isChinese(text) ? chinese : english).test(text))?.[0] ?? 'fallback';
}

/**
 * The default script: the question's words choose a sample. Files without such words are described; everything else
 * gets a friendly echo.
 */
export function sampleScript(question: Question): ChunkScript {
  const name = sampleNameFor(question.text);
  return namedSample(name === 'fallback' && question.files.length > 0 ? 'sentFiles' : name, question);
}

/** `characters` in `events` deltas over `overMs`, starting `firstMs` after the question. */
export function steadyScript(characters: number, events: number, overMs: number, firstMs = 0): ChunkScript {
  return {
    chunks: [{ afterMs: firstMs, pause: true }, ...steadyChunks(chineseTexts.steady, characters, events, overMs)],
  };
}
