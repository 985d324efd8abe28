import type { LeftOut, Quoted, Said } from './message-kinds.ts';
import { readSaid } from './shapes.ts';
import { fieldsOf, firstWords, kindOf, rawKindOf, wordsIn, type Fields } from './wire-values.ts';

/** The names under which clients send the message that is quoted; the newest first. */
const QUOTES = ['repliedMsg', 'quoteMessage', 'quotedMessage', 'quoteMsg', 'replyMsg'] as const;

/** What DingTalk calls the card of a robot: the id that its delivery was answered with. */
const CARD_KEYS = ['originalProcessQueryKey', 'processQueryKey', 'carrierId'];

/** Names of the quoted message beside the message itself. */
const ORIGINAL = ['originalMsgId', 'originalProcessQueryKey'];

/** Most quotes within quotes that are looked into. */
const MAX_DEPTH = 3;

/** Longest name of a card that is looked up. */
const MAX_KEY_CHARS = 512;

const nothingLeftOut: LeftOut = {};

/** What a message quotes, and what of that cannot be fetched; null when it quotes nothing. */
export function readQuoted(body: Fields): { quoted: Quoted; leftOut: LeftOut } | null {
  const places = placesOf(body);
  const replied = places
    .flatMap((place) => QUOTES.map((name) => fieldsOf(place[name])))
    .filter((found) => found !== null);
  for (const message of replied) {
    const said = readReplied(message, 0);
    if (!said) continue;
    const quoted = quotedOf(said.problem === 'record' ? { ...said, problem: 'unread' } : said);
    return { quoted, leftOut: said.leftOut };
  }
  const plain = places.map((place) => firstWords(place, ['quoteContent']).trim()).find((words) => words !== '');
  if (plain !== undefined) return { quoted: { text: plain, file: null }, leftOut: nothingLeftOut };
  if (replied.length === 0 && !isReply(body, places)) return null;
  const keys = [firstWords(body, CARD_KEYS.slice(0, 1)), ...replied.map((message) => firstWords(message, CARD_KEYS))];
  const cardKey = keys.map((key) => key.trim()).find((key) => key !== '' && key.length <= MAX_KEY_CHARS);
  const quoted: Quoted = { text: '', file: null, problem: 'unread', ...(cardKey === undefined ? {} : { cardKey }) };
  return { quoted, leftOut: nothingLeftOut };
}

/** What a message says as what is referred to. */
export function quotedOf({ text, files: [file, ...moreFiles], problem }: Said): Quoted {
  return {
    text,
    file: file ?? null,
    ...(moreFiles.length > 0 ? { moreFiles } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Where a quote can stand: beside the words of a text or of a rich text, or at the top. */
function placesOf(body: Fields): Fields[] {
  return [fieldsOf(body['text']), fieldsOf(body['content']), body].filter((place) => place !== null);
}

function readReplied(message: Fields, depth: number): Said | null {
  const rawKind = rawKindOf(message);
  const { content } = message;
  const hasContent = content !== undefined && content !== null && content !== '';
  const said = (hasContent ? readSaid(rawKind, content) : null) ?? readSaid(rawKind, message);
  if (said || depth >= MAX_DEPTH) return said;
  // The quoted message may itself be nothing but a quote.
  for (const place of placesOf(message)) {
    for (const name of QUOTES) {
      const inner = fieldsOf(place[name]);
      const found = inner && readReplied(inner, depth + 1);
      if (found) return found;
    }
  }
  return null;
}

/** Whether the message says that it is a reply, whatever came of what it replies to. */
function isReply(body: Fields, places: readonly Fields[]): boolean {
  const marks = places.map((place) => place['isReplyMsg']).filter((mark) => mark !== undefined && mark !== null);
  if (marks.length > 0) return marks.some((mark) => mark === true || /^(?:true|1)$/i.test(wordsIn(mark)));
  if (kindOf(body) === 'reply') return true;
  const original = firstWords(body, ORIGINAL);
  return original !== '' && original !== body['msgId'];
}
