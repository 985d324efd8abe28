import { treeWords, variableWords } from './card-words.ts';
import { entriesIn, readRecord } from './chat-record.ts';
import { fileIn, fileKind } from './file-code.ts';
import type { Said } from './message-kinds.ts';
import { partsIn, readParts } from './rich-text.ts';
import { fieldsOf, firstWords, listOf, type Fields } from './wire-values.ts';

/** Most messages within messages that are opened: a record in a record. */
const MAX_DEPTH = 3;

/** Reads the fields of one shape; null for fields of another shape. */
type Shape = (fields: Fields, kind: string, depth: number) => Said | null;

const words = (text: string): Said | null =>
  text.trim() === '' ? null : { text: text.trim(), files: [], leftOut: {} };

/**
 * The shapes in which what a message quotes or forwards was seen (docs/wire-dingtalk.md), tried in this order. Several have
 * no kind with them, so each is known by its fields.
 */
const shapes: Readonly<Record<string, Shape>> = {
  /** A forwarded chat record, at its place or within a text. */
  record(fields, kind, depth) {
    if (kind !== 'chatrecord' && (kind !== '' || !Object.hasOwn(fields, 'chatRecord'))) return null;
    const within = ['content', 'text'].map((name) => fieldsOf(fields[name]));
    const listed = ['content', 'text'].map((name) => listOf(fields[name])).find((list) => list !== null);
    const record =
      [fields, ...within].find((place) => place && (entriesIn(place) ?? place['summary'])) ??
      (listed ? { chatRecord: listed } : fields);
    const said = depth > MAX_DEPTH ? null : readRecord(record, (inner, value) => readSaid(inner, value, depth + 1));
    return said ?? { text: firstWords(record, ['title']).trim(), files: [], leftOut: {}, problem: 'record' };
  },
  /** A document of DingTalk, or a file on its drive: the card has an address that only a client opens. */
  document(fields) {
    if (documentIn(fields) === '') return null;
    return {
      text: firstWords(fields, ['title', 'fileName', 'name']).trim(),
      files: [],
      leftOut: {},
      problem: 'document',
    };
  },
  cardTree: ({ cardContent }) => (cardContent === undefined ? null : words(treeWords(cardContent))),
  cardVariables(fields) {
    const data = fieldsOf(fields['cardData']);
    const variables = fieldsOf(data?.['cardParamMap'] ?? fields['cardParamMap']) ?? data;
    return variables && words(variableWords(variables));
  },
  richText(fields) {
    const parts = partsIn(fields);
    const said = parts && readParts(parts, null);
    return said && (said.text !== '' || said.files.length > 0) ? said : null;
  },
  /** The words of a recording are known, whether or not it can be fetched. */
  recording(fields, kind) {
    if (fileKind(kind) !== 'audio' && !Object.hasOwn(fields, 'recognition')) return null;
    const text = firstWords(fields, ['recognition']).trim();
    const file = fileIn(fields, 'audio');
    return text === '' && !file ? null : { text, files: file ? [file] : [], leftOut: {} };
  },
  file(fields, kind) {
    const file = fileIn(fields, kind);
    if (!file) return null;
    return { text: firstWords(fields, ['text', 'content', 'caption']).trim(), files: [file], leftOut: {} };
  },
  /** In groups DingTalk tells of a file without anything to fetch it by. */
  fileWithoutCode(fields, kind) {
    const name = firstWords(fields, ['fileName', 'filename']).trim();
    if (kind !== 'unknownmsgtype' && kind !== 'file' && (name === '' || fileKind(kind) !== null)) return null;
    return { text: name, files: [], leftOut: {}, problem: 'file' };
  },
  link(fields, kind) {
    const address = firstWords(fields, ['messageUrl', 'messageURL', 'linkUrl', 'url']).trim();
    if (kind !== 'link' && !(address !== '' && Object.hasOwn(fields, 'title'))) return null;
    return words(
      [firstWords(fields, ['title']), firstWords(fields, ['text', 'content', 'desc']), address]
        .join('\n')
        .replaceAll(/\n{2,}/g, '\n'),
    );
  },
  words: (fields) =>
    words(
      firstWords(fields, ['text', 'content', 'markdown', 'quoteContent', 'msgContent', 'summary', 'title', 'desc']),
    ),
};

/** The address of a shared document of DingTalk; empty where there is none. */
export function documentIn(fields: Fields): string {
  return firstWords(fields, ['biz_custom_action_url', 'bizCustomActionUrl']).trim();
}

/** What a bare list is, by the kind of its message; without a kind it is a rich text. */
const LISTS: Readonly<Partial<Record<string, string>>> = { chatrecord: 'chatRecord', interactivecard: 'cardContent' };

/**
 * Reads what a message holds, whatever shape it came in; null where it is none of the known ones.
 *
 * @param rawKind as the wire has it; empty where it has none.
 * @param value an object, a list, a text, or a JSON text of one of them.
 */
export function readSaid(rawKind: string, value: unknown, depth = 0): Said | null {
  const kind = rawKind.trim().toLowerCase();
  const found = listOf(value);
  // A text such as `[1, 2]` is words.
  const list = found?.some((item) => fieldsOf(item) !== null) || kind === 'chatrecord' ? found : null;
  const whole = list ? { [LISTS[kind] ?? 'richText']: list } : fieldsOf(value);
  // A text that is no JSON, or none of these shapes, is the words themselves.
  const plain = typeof value === 'string' && kind !== 'unknownmsgtype' ? words(value) : null;
  if (!whole) return plain;
  const fields = { ...whole, ...fieldsOf(whole[rawKind]) };
  for (const read of Object.values(shapes)) {
    const said = read(fields, kind, depth);
    if (said) return said;
  }
  return kind === '' || kind === 'text' ? plain : null;
}
