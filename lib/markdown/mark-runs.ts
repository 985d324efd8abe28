/** A run of one mark of emphasis, with the characters beside it. */
export interface MarkRun {
  mark: '*' | '_' | '~';
  length: number;
  /** Where it stands in the text. */
  start: number;
  end: number;
  /** The character before and the one after. Empty at the edge of a line. */
  before: string;
  after: string;
}

export type CharacterKind = 'edge' | 'latin' | 'cjk' | 'open' | 'close' | 'stop' | 'other';

export const CJK = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}々〇]/u;

const KINDS: [CharacterKind, RegExp][] = [
  ['edge', /^\s*$/],
  ['cjk', CJK],
  ['latin', /[\p{L}\p{N}]/u],
  ['open', /[（【《〈「『〔“‘([{]/],
  ['close', /[，。、；：？！）】》〉」』〕”’…]/],
  ['stop', /[,.;:?!)\]}%]/],
];

/** Of a character beside a run. */
export function kindOf(character: string): CharacterKind {
  return KINDS.find(([, pattern]) => pattern.test(character))?.[0] ?? 'other';
}

export const isWord = (kind: CharacterKind) => kind === 'latin' || kind === 'cjk';
export const isDigit = (character: string) => /\d/.test(character);
export const isLineEdge = (character: string) => character === '' || character === '\n';

/** `__init__` is a name, `__Note__` is emphasis. */
export function isName(text: string): boolean {
  return /^[A-Za-z]\w*$/.test(text) && !/^[A-Z][a-z]*$/.test(text);
}
