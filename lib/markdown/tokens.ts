import type { Tokens } from 'marked';

/** Maths in LaTeX's delimiters. */
export interface Maths {
  type: 'maths';
  raw: string;
  text: string;
}

/** `<pre>`. Its text may hold tags and character references. */
interface Preformatted {
  type: 'preformatted';
  raw: string;
  text: string;
}

/** Scripts, styles, comments. */
interface Dropped {
  type: 'dropped';
  raw: string;
}

type BlockToken =
  | Tokens.Blockquote
  | Tokens.Checkbox
  | Tokens.Code
  | Tokens.Def
  | Tokens.Heading
  | Tokens.Hr
  | Tokens.List
  | Tokens.Paragraph
  | Tokens.Space
  | Tokens.Table
  | Tokens.Text
  | Dropped
  | Maths
  | Preformatted;

type InlineToken =
  | Tokens.Br
  | Tokens.Checkbox
  | Tokens.Codespan
  | Tokens.Del
  | Tokens.Em
  | Tokens.Escape
  | Tokens.Image
  | Tokens.Link
  | Tokens.Strong
  | Tokens.Tag
  | Tokens.Text
  | Maths;

/** The fields that every token has. The type that `marked` has for this accepts everything. */
export interface RawToken {
  type: string;
  raw: string;
}

const BLOCKS: Record<BlockToken['type'], true> = {
  blockquote: true, checkbox: true, code: true, def: true, dropped: true, heading: true, hr: true, list: true, maths: true,
  paragraph: true, preformatted: true, space: true, table: true, text: true,
}; // prettier-ignore

const INLINES: Record<InlineToken['type'], true> = {
  br: true, checkbox: true, codespan: true, del: true, em: true, escape: true, html: true, image: true, link: true,
  maths: true, strong: true, text: true,
}; // prettier-ignore

export function isBlock(token: RawToken): token is BlockToken {
  return token.type in BLOCKS;
}

export function isInline(token: RawToken): token is InlineToken {
  return token.type in INLINES;
}
