import type { Json } from '../http/shape.ts';
import type { FileContent, QuotedMessage, QuoteShape, RecordEntry } from './types.ts';

/** Makes a download code that leads to a file. */
type Keep = (file: FileContent) => string;

/** `msgType` and `content` of a quoted message; null for a message that comes without content. */
interface Replied {
  msgType?: string;
  content?: Json | string;
}

/** How a client sends what is quoted: within `repliedMsg`, or, for some, in another place. */
interface Shape {
  replied?: Replied;
  /** Beside `text`. */
  top?: Json;
  /** Without `repliedMsg`. */
  bare?: boolean;
}

const codeOf = ({ file, files = [] }: QuotedMessage, keep: Keep) => {
  const first = file ?? files[0];
  return first ? { downloadCode: keep(first) } : {};
};

const replied = (msgType: string, content?: Json | string): Shape => ({
  replied: { msgType, ...(content === undefined ? {} : { content }) },
});

const filesOf = ({ file, files }: QuotedMessage): FileContent[] => files ?? (file ? [file] : []);

const entryOf = ({ name, text, file }: RecordEntry, keep: Keep): Json => ({
  senderId: `$:LWCP_v1:$${Buffer.from(name).toString('base64url')}`,
  ...(file === undefined
    ? { msgType: 'text', content: text ?? '' }
    : file === null
      ? { msgType: 'unknownMsgType' }
      : { msgType: 'picture', downloadCode: keep(file) }),
});

const lineOf = ({ name, text, file }: RecordEntry) =>
  `${name}:${file === undefined ? (text ?? '') : file === null ? '[文件]' : '[图片]'}`;

/** `content` of a chat record, quoted or forwarded (protocol 2, 1.5): names stand in the summary only. */
export function recordContent(entries: readonly RecordEntry[], keep: Keep): Json {
  return {
    title: '群聊的聊天记录',
    summary: JSON.stringify(entries.map(lineOf)),
    chatRecord: JSON.stringify(entries.map((entry) => entryOf(entry, keep))),
  };
}

/** `content` of a card as a tree of elements (protocol 2, 1.3). */
export const cardTree = (text: string, mention?: string): Json => ({
  cardContent: [
    {
      elementType: 'BLOCK',
      children: [
        ...(mention === undefined ? [] : [{ elementType: 'TEXT', value: `@${mention} ` }]),
        ...text.split('\n').map((line) => ({ elementType: 'BLOCK', children: [{ elementType: 'TEXT', value: line }] })),
      ],
    },
  ],
});

/** Every shape in which clients were seen to send a quote (protocol 2, 1.2 to 1.5). */
export const quoteShapes: Readonly<Record<QuoteShape, (quote: QuotedMessage, keep: Keep) => Shape>> = {
  text: ({ text = '' }) => replied('text', { text }),
  textContent: ({ text = '' }) => replied('text', { content: text }),
  textJson: ({ text = '' }) => replied('text', JSON.stringify({ text })),
  withoutKind: ({ text = '' }) => ({ replied: { content: { text } } }),
  quoteMessage: ({ text = '' }) => ({
    bare: true,
    top: { quoteMessage: { msgId: 'msgOld==', msgtype: 'text', text: { content: text } } },
  }),
  quoteContent: ({ text = '' }) => ({ bare: true, top: { content: { quoteContent: text } } }),
  markdown: ({ text = '' }) => replied('markdown', { title: text.slice(0, 20), text }),
  link: ({ text = '' }) => replied('link', { title: text, text: '', messageUrl: 'https://example.com/' }),
  actionCard: ({ text = '' }) => replied('actionCard', { title: text, markdown: text }),
  picture: (quote, keep) => replied('picture', codeOf(quote, keep)),
  pictureCode: (quote, keep) => replied('picture', { pictureDownloadCode: codeOf(quote, keep).downloadCode }),
  richTextKinds: (quote, keep) =>
    replied('richText', {
      richText: [
        ...filesOf(quote).map((file) => ({ msgType: 'picture', downloadCode: keep(file) })),
        { msgType: 'text', content: quote.text ?? '' },
      ],
    }),
  richTextTypes: (quote, keep) =>
    replied('richText', {
      richText: [
        { type: 'text', text: quote.text ?? '' },
        ...filesOf(quote).map((file) => ({ type: 'picture', pictureDownloadCode: keep(file) })),
      ],
    }),
  richTextList: (quote, keep) =>
    replied('richText', {
      richText: {
        richTextList: [
          { text: quote.text ?? '' },
          ...filesOf(quote).map((file) => ({ type: 'picture', downloadCode: keep(file) })),
        ],
      },
    }),
  file: (quote, keep) => replied('file', { ...codeOf(quote, keep), fileName: quote.file?.name ?? '' }),
  fileWithoutCode: ({ file }) => replied('unknownMsgType', file && { fileName: file.name }),
  audio: (quote, keep) => replied('audio', { ...codeOf(quote, keep), recognition: quote.text ?? '', duration: 3000 }),
  video: (quote, keep) => replied('video', { ...codeOf(quote, keep), duration: 5000, videoType: 'mp4' }),
  cardTree: ({ text = '' }) => replied('interactiveCard', cardTree(text)),
  cardVariables: ({ text = '' }) => replied('interactiveCard', { cardData: { cardParamMap: { content: text } } }),
  cardText: ({ text = '' }) => replied('interactiveCard', { text }),
  /** Of an own card DingTalk tells what it called the card when it was delivered. */
  cardIdOnly: () => replied('interactiveCard'),
  idOnly: () => ({ bare: true, top: {} }),
  document: () =>
    replied('interactiveCard', {
      biz_custom_action_url:
        'dingtalk://dingtalkclient/page/yunpan?route=previewDentry&spaceId=28299&fileId=2113&type=file',
    }),
  recordSummary: ({ record = [] }) =>
    replied('chatRecord', { title: '群聊的聊天记录', summary: record.map(lineOf).join('\n') }),
  recordSummaryJson: ({ record = [] }) =>
    replied('chatRecord', { title: '群聊的聊天记录', summary: JSON.stringify(record.map(lineOf)) }),
  record: ({ record = [] }, keep) => replied('chatRecord', recordContent(record, keep)),
};

/** The shape that the newest clients use for what is quoted. */
function usual({ file, files, kind, record, card }: QuotedMessage): QuoteShape {
  if (card !== undefined) return 'cardIdOnly';
  if (record) return 'record';
  if (files) return 'richTextKinds';
  return file ? (kind ?? 'file') : 'text';
}

/** What is quoted, with the fields that stand beside the words of the reply. */
export function quoteOf(
  quote: QuotedMessage,
  { keep, msgId, senderId, createdAt }: { keep: Keep; msgId: string; senderId: string; createdAt: number },
): { text: Json; top: Json } {
  const { replied: message, top = {}, bare = false } = quoteShapes[quote.shape ?? usual(quote)](quote, keep);
  const isLegacy = bare && Object.keys(top).length > 0;
  const repliedMsg = { ...message, msgId, senderId, createdAt };
  return {
    text: { ...(isLegacy ? {} : { isReplyMsg: true }), ...(bare ? {} : { repliedMsg }) },
    top: { originalMsgId: msgId, ...top },
  };
}
