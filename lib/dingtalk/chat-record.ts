import { fileKind, MARKERS } from './file-code.ts';
import { addLeftOut, type LeftOut, type Said, type SentFile } from './message-kinds.ts';
import { fieldsOf, firstWords, kindOf, listOf, wordsIn, type Fields } from './wire-values.ts';

/** Most entries of a record that are read: other bridges use this limit too. The rest is counted. */
const MAX_ENTRIES = 30;

/** Most lines of a summary that are read: each entry may have several. */
const MAX_LINES = 200;

/** The names that records give to their entries. */
const ENTRIES = ['chatRecord', 'chatRecords', 'records', 'messages', 'contents'] as const;

/** A line of a summary: as it stands there, and taken apart. */
interface Line {
  whole: string;
  name: string;
  words: string;
}

/** Reads what an entry holds; null where that cannot be read. */
type ReadEntry = (kind: string, value: unknown) => Said | null;

/** The entries of a record; null where there is no list of them. */
export function entriesIn(fields: Fields): readonly unknown[] | null {
  for (const name of ENTRIES) {
    const entries = listOf(fields[name]);
    if (entries) return entries;
  }
  return null;
}

/**
 * Who said what in a forwarded record, a line for each entry. Where its entries do not come with it, its summary is read, of
 * which nothing can be fetched. Null for a record without words.
 */
export function readRecord(fields: Fields, readEntry: ReadEntry): Said | null {
  const entries = entriesIn(fields) ?? [];
  const summary = summaryOf(fields['summary']);
  if (entries.length === 0) return fromSummary(summary);
  const shown = entries.slice(0, MAX_ENTRIES);
  const told = linesOf(shown, summary);
  const names = namesOf(shown, told);
  const files: SentFile[] = [];
  let leftOut: LeftOut = entries.length > shown.length ? { message: entries.length - shown.length } : {};
  const lines = shown.map((entry, index) => {
    const said = sayingOf(entry, told[index]?.words ?? '', readEntry);
    files.push(...said.files);
    leftOut = addLeftOut(leftOut, said.leftOut);
    const name = names[index] ?? '';
    return name === '' || said.text === '' ? said.text : `${name}: ${said.text}`;
  });
  const text = lines.filter((line) => line !== '').join('\n');
  return text === '' ? fromSummary(summary) : { text, files, leftOut };
}

/**
 * One entry as a line of the record, with DingTalk's own words in the place of what is no words.
 *
 * @param told what the summary tells of the entry.
 */
function sayingOf(entry: unknown, told: string, readEntry: ReadEntry): Said {
  const fields = fieldsOf(entry);
  if (!fields) return { text: wordsIn(entry).trim(), files: [], leftOut: {} };
  const kind = kindOf(fields);
  const body = ['content', 'text', 'message', 'body']
    .map((name) => fields[name])
    .find((value) => value && value !== '');
  const said = (body === undefined ? null : readEntry(kind, body)) ?? readEntry(kind, fields);
  if (!said || said.problem) {
    if (told !== '' && kindOfMarker(told) === null) return { text: told, files: [], leftOut: {} };
    const own = said?.problem === 'file' || said?.problem === 'record' ? said.problem : fileKind(kind);
    const what = kindOfMarker(told) ?? own ?? 'message';
    const name = said?.text || firstWords(fields, ['fileName', 'title']);
    return {
      text: told || [MARKERS[what], name].filter((part) => part !== '').join(' '),
      files: [],
      leftOut: { [what]: 1 },
    };
  }
  const isRecord = said.text === MARKERS.record || said.text === '[聊天记录]';
  const marks = said.files.map(({ kind: file, name }) => (name === null ? MARKERS[file] : `${MARKERS[file]} ${name}`));
  const missing = Object.entries(said.leftOut).flatMap(([what, count]) =>
    Array.from({ length: count }, () => MARKERS[what as keyof LeftOut]),
  );
  // The words of a recording stand for it.
  const beside = said.files[0]?.kind === 'audio' && said.text !== '' ? [] : marks;
  return {
    text: [said.text, ...beside, ...missing].filter((part) => part !== '').join(' '),
    files: said.files,
    leftOut: isRecord ? addLeftOut(said.leftOut, { record: 1 }) : said.leftOut,
  };
}

/** The lines of a summary: a text of lines, or a JSON text of a list of them. */
function summaryOf(summary: unknown): Line[] {
  const list = listOf(summary) ?? [summary];
  return list
    .slice(0, MAX_LINES)
    .flatMap((item) => {
      const fields = fieldsOf(item);
      if (!fields) return wordsIn(item).split('\n', MAX_LINES).map(lineOf);
      const name = ownName(fields);
      const words = firstWords(fields, ['content', 'text', 'message', 'body', 'summary']).trim();
      return { whole: name === '' ? words : `${name}: ${words}`, name, words };
    })
    .filter(({ words }) => words !== '');
}

function lineOf(line: string): Line {
  const whole = line.trim();
  const [, name = '', words = ''] = /^([^:：]{1,40})[:：](.*)$/s.exec(whole) ?? [];
  return words.trim() === '' ? { whole, name: '', words: whole } : { whole, name: name.trim(), words: words.trim() };
}

function fromSummary(summary: readonly Line[]): Said | null {
  if (summary.length === 0) return null;
  let leftOut: LeftOut = {};
  for (const { words } of summary) {
    const kind = kindOfMarker(words);
    if (kind !== null) leftOut = addLeftOut(leftOut, { [kind]: 1 });
  }
  return { text: summary.map(({ whole }) => whole).join('\n'), files: [], leftOut };
}

/** What DingTalk wrote words in the place of; null for words that a person wrote. */
function kindOfMarker(words: string): keyof LeftOut | null {
  const found = Object.entries(MARKERS).find(([, marker]) => words.startsWith(marker));
  return found ? (found[0] as keyof LeftOut) : null;
}

/** The line of the summary for each entry, where it has one: it has the first entries, in their order. */
function linesOf(entries: readonly unknown[], summary: readonly Line[]): (Line | undefined)[] {
  // A line for each entry: then they belong together, whatever they say.
  if (entries.length === summary.length && summary.every(({ name }) => name !== '')) return [...summary];
  let at = 0;
  return entries.map((entry) => {
    const fields = fieldsOf(entry) ?? {};
    const found = summary.findIndex((line, place) => place >= at && line.name !== '' && isLine(fields, line));
    if (found !== -1) at = found + 1;
    return summary[found];
  });
}

/**
 * Who said each entry: by its own name, else by the summary, else by what another entry of the same sender is called. Senders
 * who have no name anywhere are told apart by letters.
 */
function namesOf(entries: readonly unknown[], told: readonly (Line | undefined)[]): string[] {
  const fields = entries.map((entry) => fieldsOf(entry) ?? {});
  const ids = fields.map((entry) => firstWords(entry, ['senderId', 'senderStaffId', 'openDingTalkId']));
  const names = fields.map((entry, index) => ownName(entry) || (told[index]?.name ?? ''));
  const known = new Map(names.flatMap((name, index) => (name === '' ? [] : [[ids[index] ?? '', name] as const])));
  const strangers = [...new Set(ids.filter((id) => id !== '' && !known.has(id)))];
  return names.map((name, index) => {
    const id = ids[index] ?? '';
    const letter = strangers.length + known.size > 1 ? strangers.indexOf(id) : -1;
    const another = id === '' ? undefined : known.get(id);
    return name || (another ?? (letter === -1 ? '' : String.fromCharCode(65 + (letter % 26))));
  });
}

function ownName(entry: Fields): string {
  const { sender } = entry;
  const within = fieldsOf(sender);
  const name =
    firstWords(entry, ['senderName', 'senderNick', 'senderNickName', 'nick', 'nickName', 'name', 'from']) ||
    (within ? firstWords(within, ['name', 'nick', 'senderNick', 'staffName']) : wordsIn(sender));
  // Opaque ids mean nothing to a reader.
  return name.startsWith('$:') ? '' : name.trim();
}

/** Whether a line of the summary tells of an entry: it has the beginning of its words, or a mark such as `[图片]`. */
function isLine(entry: Fields, { words }: Line): boolean {
  const said = firstWords(entry, ['content', 'text', 'message', 'body']).replaceAll(/\s+/g, ' ').trim();
  const told = words
    .replace(/(?:…|\.{3})$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return said === '' ? told.startsWith('[') : told !== '' && said.startsWith(told);
}
