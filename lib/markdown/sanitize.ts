/** Invisible. Between two characters it keeps a client from recognising markup or an address. */
const ZERO_WIDTH_SPACE = '\u200B';

/** Links that stay links. A link with `dtmd:` or `dingtalk:` would make DingTalk act in the reader's name. */
const ACTIVE_LINK = /^(?:https?:\/\/[^\s/?#]|mailto:[^\s]|tel:[+\d])/i;

/** Addresses that act without the form `name://`. */
const RISKY_SCHEME = /(?<![a-z0-9])(dtmd|dingtalk|javascript|vbscript|data|file):(?=\S)/gi;

/** The longest scheme, in characters: longer than any registered one, short enough for linear time on hostile text. */
const MAX_SCHEME = 32;

const NAMED_ENTITIES: Record<string, string> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00A0', ensp: ' ', emsp: ' ', thinsp: ' ',
  copy: '©', reg: '®', trade: '™', hellip: '…', mdash: '—', ndash: '–', middot: '·', bull: '•', times: '×',
  divide: '÷', deg: '°', plusmn: '±', le: '≤', ge: '≥', ne: '≠', asymp: '≈', larr: '←', rarr: '→', uarr: '↑',
  darr: '↓', harr: '↔', ldquo: '“', rdquo: '”', lsquo: '‘', rsquo: '’', laquo: '«', raquo: '»', yen: '¥',
  euro: '€', pound: '£', cent: '¢', sect: '§', para: '¶', infin: '∞', check: '✓',
}; // prettier-ignore

const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi;

/** Control characters, and characters that change the writing direction, which can disguise a text or an address. */
const INVISIBLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

export function removeInvisible(text: string): string {
  return text.replace(INVISIBLE, '');
}

/** Replaces character references by the characters that they stand for. Unknown names stay as they are. */
export function decodeEntities(text: string): string {
  return text.replace(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED_ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\uFFFD';
    return removeInvisible(String.fromCodePoint(code)).replace(/\s/, ' ');
  });
}

/** Does the same for a text that will be markdown: a character that was written as a reference never becomes markup. */
export function decodeEntitiesInMarkdown(text: string): string {
  return text.replace(ENTITY, (entity) => {
    const decoded = decodeEntities(entity);
    return decoded === entity ? entity : decoded.replace(/[*_`~[\]\\#|]/, '\\$&');
  });
}

/** The address of a file of Dify with its signature. The signature lets every reader open the file for some minutes. */
const SIGNED_FILE =
  /(\/files\/[^\s?"'`<>()[\]]{1,300})\?(?=[^\s"'`<>()[\]]{0,100}(?:timestamp|nonce|sign)=)[^\s"'`<>()[\]]*/gi;

/** Removes the signatures of Dify's files from text or code. */
function withoutSignatures(text: string): string {
  return text.replace(SIGNED_FILE, '$1');
}

/** Changes text so that no client takes it for a tag, a character reference, a link, a link's definition or a fence. */
export function sanitizeText(text: string): string {
  return withoutSignatures(text)
    .replace(/<(?=[a-z/!?])/gi, `<${ZERO_WIDTH_SPACE}`)
    .replace(/&(?=#?\w{1,31};)/g, `&${ZERO_WIDTH_SPACE}`)
    .replace(/\](?=[(:])/g, `]${ZERO_WIDTH_SPACE}`)
    .replace(RISKY_SCHEME, `$1${ZERO_WIDTH_SPACE}:`)
    .replace(/:\/\//g, (separator, offset: number, whole: string) => {
      const before = whole.slice(Math.max(0, offset - MAX_SCHEME), offset);
      const isOther = /[a-z0-9+.-]$/i.test(before) && !/(?:^|[^a-z])https?$/i.test(before);
      return isOther ? ZERO_WIDTH_SPACE + separator : separator;
    })
    .replace(/~~(?=~)/g, `~${ZERO_WIDTH_SPACE}~`);
}

/** The text between two pieces of a line which keeps them from becoming a link, an image or one code span together. */
export function joiner(before: string, after: string): string {
  const pair = before.slice(-1) + after.slice(0, 1);
  return ['](', ']:', '![', '``'].includes(pair) ? ZERO_WIDTH_SPACE : '';
}

/**
 * Changes code, inline or fenced, so that it cannot mention a person or act in the reader's name. DingTalk does not
 * list inline code for cards, nor any code for messages, so a client may read markup in it. Everything else in it
 * stays.
 */
export function sanitizeCode(code: string): string {
  return withoutSignatures(code)
    .replace(/(dtmd|dingtalk)(?=:\/\/)/gi, `$1${ZERO_WIDTH_SPACE}`)
    .replace(/<(?=a\s[^>]*\batid\b)/gi, `<${ZERO_WIDTH_SPACE}`);
}

/** Writes an address for the place between `(` and `)` of a link. Undefined if it must not be a link. */
export function safeHref(href: string): string | undefined {
  const address = removeInvisible(decodeEntities(href))
    .replace(/[\t\n\r]/g, '')
    .trim();
  if (!ACTIVE_LINK.test(address)) return undefined;
  return address
    .replace(/[\s()<>"`\\[\]*|{}]/g, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code < 0x80 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(character);
    })
    .replace(RISKY_SCHEME, '$1%3A');
}

/** The address of an image: as for a link, but with `http` or `https` only. */
export function safeImage(href: string): string | undefined {
  const address = safeHref(href);
  return address !== undefined && /^https?:/i.test(address) ? address : undefined;
}
