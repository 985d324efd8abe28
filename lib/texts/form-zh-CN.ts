import type { FormTexts } from './texts.ts';
import { chinaTime } from './times.ts';

/** Dify's classes of files. */
const FILE_WORDS: Readonly<Record<string, string>> = {
  image: '图片',
  document: '文档',
  audio: '音频',
  video: '视频',
  custom: '其他文件',
};

export const kindsOf = (kinds: readonly string[]): string =>
  kinds.map((kind) => FILE_WORDS[kind] ?? `.${kind}`).join('、');

export const form: FormTexts = {
  title: (name, number) =>
    `📝 **需要你来处理${name === '' ? '' : `：${name}`}${number === null ? '' : ` #${number}`}**`,
  place: (label) => `「${label}」`,
  fields: '**需要填写**',
  field: ({ label, required, options, preset, isUnresolved }) => {
    const choice = options.map((option, index) => `${letter(index)} ${option}`).join('，');
    const hints = [
      required ? '必填' : '可不填',
      ...(choice === '' ? [] : [`可选：${choice}`]),
      ...(isUnresolved ? ['选项由流程决定，这里看不到，请直接输入'] : []),
      ...(preset === '' ? [] : [`默认：${preset}`]),
    ];
    return `${label}（${hints.join('；')}）`;
  },
  fileField: ({ label, required, kinds, most }) =>
    `${label}（${required ? '必填' : '可不填'}；请直接发送文件：${kindsOf(kinds)}${most > 1 ? `，最多 ${most} 个` : ''}）`,
  fileElsewhere: (label) => `${label}（需要文件链接，这里无法提交，请在 Dify 的网页中处理）`,
  actions: '**可选操作**',
  how: (action, example, needsMention) =>
    [
      `请${needsMention ? ' @我 并' : ''}回复操作的序号或名称，例如“${action}”。`,
      ...(example === null ? [] : [`要填写内容，请换行后写“${example}：内容”，每项一行。`]),
    ].join(''),
  waiting: (untilMs) => `⏳ 等待处理${untilMs === null ? '' : `，${timeOf(untilMs)} 前有效`}`,
  chosen: ({ action, by, atMs }) => `✅ ${by === null ? '已选择' : `${by} 选择了`}「${action}」（${timeOf(atMs)}）`,
  submitting: ({ action, by }) => `⏳ ${by === null ? '已选择' : `${by} 选择了`}「${action}」，正在提交。`,
  closed: '☑️ 这张表单已在别处处理。',
  administrator: '管理员',
  expired: (name) => `（${name === '' ? '这张表单' : `表单「${name}」`}没有在限定时间内处理，已经过期。）`,
  byEmail: (addresses) =>
    `（这张表单已通过邮件发${addresses.length === 0 ? '出' : `给 ${addresses.join('、')}`}，只能在邮件中处理，处理完成后流程才会继续。）`,
  submitted: (action) => `已提交：${action}。`,
  missing: (labels) => `表单还缺少：${labels.join('、')}。请补全后再回复一次（群里请 @我）。`,
  missingFiles: (labels) => `表单还缺少文件：${labels.join('、')}。请先发送文件，再选择操作。`,
  wrongOption: (label, options) => `“${label}”没有这个选项，可选：${options.join('、')}。请再回复一次（群里请 @我）。`,
  acceptedFiles: (label, kinds) => `表单的“${label}”只接受：${kindsOf(kinds)}。这个文件没有提交。`,
  named: (title, number) => `${title === '' ? '表单' : `「${title}」`} #${number}`,
  notShownYet: (named) => `这张表单当时还没有出现，所以没有提交：${named}。请看过内容后再选择。`,
  whichForm: '有几张表单在等你处理，还没有提交。请选择是哪一张：',
  answered: (named, action, minutesAgo) =>
    `${named} ${minutesAgo === 0 ? '刚刚' : `在 ${minutesAgo} 分钟前`}已经处理过了，选择的是：${action}。`,
  belongs: (forms, field) =>
    `${forms.join('、')} 在等你处理。这条消息${field === null ? '是新问题吗？' : `是要填入“${field}”，还是新问题？`}请选择：`,
  filesKept: (forms, count, mayChoose) =>
    `已收到 ${count} 个文件，将随 ${forms.join('、')} 一起提交。${mayChoose ? '请选择操作：' : '请按表单填写其余内容，并选择操作。'}`,
  notYours: (named, byButton) =>
    `${named} 没有提交：请由提问的人回复${byButton ? '，或由你点击卡片上的按钮处理' : ''}。`,
  typeOne: '请 @我 并输入其中一项：',
  askLong: '内容较长。如果是新问题，请在前面加上“提问：”再发送一次（群里请 @我）。',
  marked: (action, number) => `${action} #${number}`,
  filled: (marked, words) => `${marked}：${words}`,
  asked: (words) => `提问：${words}`,
  actionOf: (action, named) => `${action}（${named}）`,
  withWords: (named) => `填入并选择：${named}`,
  asQuestion: '作为新问题提问',
};

const letter = (index: number): string => String.fromCharCode(65 + index);

const timeOf = (ms: number): string => {
  const { month, day, time } = chinaTime(ms);
  return `${month}月${day}日 ${time}`;
};
