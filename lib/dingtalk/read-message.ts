import { treeWords } from './card-words.ts';
import { fileIn } from './file-code.ts';
import { addLeftOut, type Content, type LeftOut, type Quoted, type Said } from './message-kinds.ts';
import { quotedOf, readQuoted } from './read-quoted.ts';
import { partsIn, readParts } from './rich-text.ts';
import { documentIn, readSaid } from './shapes.ts';
import { fieldsOf, firstWords, listOf, wordsIn, type Fields } from './wire-values.ts';

/** What a message says and what it refers to. */
export interface ReadMessage {
  content: Content;
  quoted: Quoted | null;
  /** Absent where all of it can be fetched. */
  leftOut?: LeftOut;
  /** Another robot sent it: people's clients cannot send such a message. */
  fromRobot?: true;
}

/** The content of one message, and what else its kind tells. */
type Reading = { content: Content } & Partial<Omit<ReadMessage, 'content'>>;

const unreadRecord: Quoted = { text: '', file: null, problem: 'record' };

/** One entry for each `msgtype`, in lower case; null means that the body does not have the shape of its type. */
const messageKinds: Readonly<Record<string, (body: Fields, part: Fields) => Reading | null>> = {
  // One official sample of the HTTP mode has a string `content` at the top level instead of `text.content`.
  text: (body) => textOf(body),
  // Words that come with a quote may have a kind of their own.
  reply: (body, part) => (partsIn(part) ? richText(body, part) : textOf(body)),
  richtext: (body, part) => richText(body, part),
  picture(_body, part) {
    const file = fileIn(part, 'picture');
    return file && { content: { kind: 'picture', downloadCode: file.downloadCode } };
  },
  audio(body, part) {
    if (!fieldsOf(body['content'])) return null;
    const downloadCode = fileIn(part, 'audio')?.downloadCode ?? null;
    return { content: { kind: 'audio', downloadCode, recognition: firstWords(part, ['recognition']).trim() } };
  },
  video(_body, part) {
    const file = fileIn(part, 'video');
    return file && { content: { kind: 'video', downloadCode: file.downloadCode } };
  },
  file(_body, part) {
    const file = fileIn(part, 'file');
    return file && { content: { kind: 'file', downloadCode: file.downloadCode, fileName: file.name ?? '' } };
  },
  markdown: (body, part) => fromRobotOf(body, wordsOf('markdown', body, part)),
  actioncard: (body, part) => fromRobotOf(body, wordsOf('actionCard', body, part)),
  link: (body, part) => wordsOf('link', body, part),
  /** A card of another robot that mentions this one, or a document that a person shared. */
  interactivecard(body, part) {
    if (documentIn(part) !== '' || documentIn(body) !== '') return { content: { kind: 'document' } };
    const words = treeWords(part['cardContent'], true) || (readSaid('interactiveCard', part)?.text ?? '');
    const text = words || firstWords(body, ['text']).trim();
    return text === '' ? null : { content: { kind: 'text', text }, fromRobot: true };
  },
  /** A record has no words of its own: it is referred to, like a quote. */
  chatrecord(body, part) {
    const said = readSaid('chatRecord', part) ?? readSaid('chatRecord', body['content'] ?? body['text']);
    const text = fieldsOf(body['content']) && typeof body['text'] === 'object' ? firstWords(body, ['text']).trim() : '';
    return {
      content: { kind: 'text', text },
      quoted: { ...(said ? quotedOf(said) : unreadRecord), isRecord: true },
      ...(said ? leftOutOf(said) : {}),
    };
  },
};

/** Reads what a body says, by its `msgtype`. Never throws: what cannot be read is of an unknown kind. */
export function readMessage(messageType: string, body: Fields): ReadMessage {
  const kind = messageType.trim().toLowerCase();
  const read = Object.hasOwn(messageKinds, kind) ? messageKinds[kind] : undefined;
  const part = { ...fieldsOf(body['content']), ...fieldsOf(body[messageType]) };
  const known = read?.(body, part);
  if (known?.quoted !== undefined) return { quoted: null, ...known };
  const replied = readQuoted(body);
  // A reply may have no words of its own.
  const empty: Content = replied ? { kind: 'text', text: '' } : { kind: 'unknown', messageType };
  const reading = known ?? { content: empty };
  if (!replied) return { quoted: null, ...reading };
  const leftOut = addLeftOut(replied.leftOut, reading.leftOut ?? {});
  return { ...reading, quoted: replied.quoted, ...(Object.keys(leftOut).length > 0 ? { leftOut } : {}) };
}

function textOf(body: Fields): Reading | null {
  const { text, content } = body;
  const words = [
    fieldsOf(text)?.['content'],
    text,
    fieldsOf(content)?.['content'],
    fieldsOf(content)?.['text'],
    content,
  ];
  const known = words.find((value) => typeof value === 'string' || typeof value === 'number');
  return known === undefined ? null : { content: { kind: 'text', text: wordsIn(known).trim() } };
}

function richText(body: Fields, part: Fields): Reading | null {
  const parts = partsIn(part) ?? listOf(body['content']);
  if (!parts) return null;
  const said = readParts(parts, firstWords(body, ['chatbotUserId']));
  const { text, files } = said;
  const pictures = files.filter(({ kind }) => kind === 'picture').map(({ downloadCode }) => downloadCode);
  const content: Content = { kind: 'rich-text', text, pictures, ...(pictures.length < files.length ? { files } : {}) };
  return { content, ...leftOutOf(said) };
}

/** A kind that is answered like text: its words may stand beside `text.content`, which is often blank then. */
function wordsOf(kind: string, body: Fields, part: Fields): Reading | null {
  const text = readSaid(kind, part)?.text ?? firstWords(body, ['text']).trim();
  return text === '' ? null : { content: { kind: 'text', text } };
}

/** People have a staff id, at least in their own organisation, and no client of theirs sends these kinds. */
function fromRobotOf(body: Fields, reading: Reading | null): Reading | null {
  const isPerson = firstWords(body, ['senderStaffId', 'senderUnionId']) !== '';
  return reading && !isPerson ? { ...reading, fromRobot: true } : reading;
}

const leftOutOf = ({ leftOut }: Said) => (Object.keys(leftOut).length > 0 ? { leftOut } : {});
