import { type Json } from '../http/shape.ts';
import { keepNewestBytes } from '../http/newest.ts';
import { sampleFiles } from './samples.ts';
import { cardTree, quoteOf, recordContent } from './quotes.ts';
import type { CallbackInput, FileContent, MessageKind, QuotedMessage } from './types.ts';
import type { World } from './world.ts';

type FileKind = keyof typeof sampleFiles;

/** protocol 1.3: an example of each kind's `content`. Their codes lead to the samples. */
const examples: Readonly<Record<Exclude<MessageKind, 'text'>, Json>> = {
  richText: {
    richText: [
      { text: '这张发票' },
      { text: '能报销吗？\n' },
      { type: 'picture', downloadCode: 'dlcode-rich-1', pictureDownloadCode: 'pdl-rich-1' },
    ],
  },
  picture: { downloadCode: 'dlcode-pic-1', pictureDownloadCode: 'pdl-pic-1' },
  audio: { duration: 3200, downloadCode: 'dlcode-audio-1', recognition: '年假怎么申请' },
  video: { duration: 8000, downloadCode: 'dlcode-video-1', videoType: 'mp4' },
  file: {
    downloadCode: 'dlcode-file-1',
    fileName: sampleFiles.file.name,
    spaceId: '24834926306',
    fileId: '174668037180',
  },
  markdown: { title: '通知', text: '# 通知\n下周一切换到新系统' },
  link: { title: '切换方案', text: '下周一', messageUrl: 'https://example.com/plan' },
  interactiveCard: cardTree('下周一切换到新系统', '小助手'),
  chatRecord: recordContent(
    [
      { name: '王小明', text: '明天几点开会' },
      { name: '李雷', text: '上午十点' },
    ],
    () => '',
  ),
  unknownMsgType: { unknownMsgType: '暂不支持的消息' },
};

const exampleCodes: Readonly<Record<FileKind, readonly string[]>> = {
  picture: ['dlcode-rich-1', 'pdl-rich-1', 'dlcode-pic-1', 'pdl-pic-1'],
  audio: ['dlcode-audio-1'],
  video: ['dlcode-video-1'],
  file: ['dlcode-file-1'],
};

const isFileKind = (kind: MessageKind): kind is FileKind => kind in sampleFiles;

/** What people write and send, as robots get it; the bytes stay here until they are asked for. */
export function createContents(world: World) {
  const keep = (file: FileContent, code = `dlcode-${world.createId()}`): string => {
    // Entered anew, so that what was sent last is forgotten last.
    world.files.delete(code);
    world.files.set(code, file);
    keepNewestBytes(world.files);
    return code;
  };

  /** A picture has two codes for the same bytes (protocol 1.3). */
  const pictureCodes = (file: FileContent) => ({ downloadCode: keep(file), pictureDownloadCode: keep(file) });

  const sent: Readonly<Record<FileKind, (file: FileContent) => Json>> = {
    picture: pictureCodes,
    audio: (file) => ({ ...examples.audio, downloadCode: keep(file) }),
    video: (file) => ({ ...examples.video, downloadCode: keep(file) }),
    file: (file) => ({ ...examples.file, downloadCode: keep(file), fileName: file.name }),
  };

  const richText = ({ text, pictures = [] }: CallbackInput): Json => ({
    richText: [
      ...(text === undefined ? [] : [{ text }]),
      ...pictures.map((file) => ({ type: 'picture', ...pictureCodes(file) })),
    ],
  });

  const contentOf = (input: CallbackInput, kind: Exclude<MessageKind, 'text'>): Json => {
    if (kind === 'chatRecord' && input.record) return recordContent(input.record, keep);
    if (kind === 'interactiveCard' && input.text !== undefined) return cardTree(input.text, '小助手');
    if (kind === 'richText' && (input.pictures || input.text !== undefined)) return richText(input);
    if (isFileKind(kind) && input.file) return sent[kind](input.file);
    if (kind === 'richText') for (const code of exampleCodes.picture) keep(sampleFiles.picture, code);
    if (isFileKind(kind)) for (const code of exampleCodes[kind]) keep(sampleFiles[kind], code);
    return examples[kind];
  };

  /** The fields of a quote: those at the top of the body, and those within its `text` or `content`. */
  const quoted = (quote: QuotedMessage, senderId: string): { top: Json; within: Json } => {
    const card = quote.card === undefined ? undefined : world.cards.get(quote.card);
    // protocol 2, 1.3: what the delivery of the card was answered with.
    const own = card ? { originalProcessQueryKey: card.carrierId } : {};
    const createdAt = card?.createdAt ?? world.clock.now() - 60_000;
    const { top, text } = quoteOf(quote, { keep, msgId: `msg${world.createId()}`, senderId, createdAt });
    return { top: { ...top, ...own }, within: text };
  };

  /** `msgtype` and what belongs to it. `senderOf` gives the wire's id of who wrote a quoted message. */
  return (input: CallbackInput, inGroup: boolean, senderOf: (from: string | undefined) => string): Json => {
    const { kind = 'text', quote } = input;
    const { top, within } = quote ? quoted(quote, senderOf(quote.from)) : { top: {}, within: {} };
    if (kind !== 'text') {
      const content = input.content ?? contentOf(input, kind);
      const heard = kind === 'audio' && input.recognition !== undefined ? { recognition: input.recognition } : {};
      return { ...top, content: { ...content, ...heard, ...within }, msgtype: kind };
    }
    // protocol 1.2: a space is left where the @mention stood.
    return { ...top, text: { content: `${inGroup ? ' ' : ''}${input.text ?? ''}`, ...within }, msgtype: kind };
  };
}
