import type { Token, TokenizerObject, Tokens } from 'marked';
import { isBlock, type RawToken } from './tokens.ts';

/** What can be the address of a definition. `[注]: 说明` and `[^1]: …` are notes. */
const ADDRESS = /^<|^[a-z][a-z0-9+.-]*:|^[/#?.]|^www\.|^[\w-]+(?:\.[\w-]+)+(?:[/?#:]|$)/i;

/** Reads only definitions that a client could use as such. All else of that form is text. */
export const def: NonNullable<TokenizerObject['def']> = (source) => {
  const [, label = '', address = ''] = /^ {0,3}\[((?:[^\]\\]|\\.)+)\]:\s*(\S*)/.exec(source.slice(0, 2_000)) ?? [];
  return label.startsWith('^') || !ADDRESS.test(address) ? undefined : false;
};

/** Labels as the parser keeps them. */
export function labelKey(label: string): string {
  return label.replace(/\s+/g, ' ').trim().toLowerCase();
}

/**
 * Turns definitions that nothing refers to into paragraphs: a list of sources. A client shows no definitions. Those
 * below each other stay the lines of one paragraph.
 *
 * @param used the labels that are referred to.
 * @param inline reads the inline content of the paragraphs.
 */
export function showDefinitions(
  tokens: RawToken[],
  used: ReadonlySet<string>,
  inline: (text: string) => Token[],
): void {
  const defined = new Set<string>();
  const visit = (blocks: RawToken[]) => {
    let above: Tokens.Paragraph | undefined;
    blocks.forEach((token, index) => {
      if (!isBlock(token)) return;
      if (token.type === 'list') for (const item of token.items) visit(item.tokens);
      if (token.type === 'blockquote') visit(token.tokens);
      // The first definition of a label is the one that counts.
      const isUsed = token.type === 'def' && used.has(token.tag) && !defined.has(token.tag);
      if (token.type === 'def') defined.add(token.tag);
      if (token.type !== 'def' || isUsed) {
        above = undefined;
        return;
      }
      const line = token.raw.trim().replace(/\s*\n\s*/g, ' ');
      const text = above === undefined ? line : `${above.text}\n${line}`;
      if (above !== undefined) Object.assign(above, { raw: text, text, tokens: inline(text) });
      else above = { type: 'paragraph', raw: text, text, tokens: inline(text) };
      blocks[index] = text === line ? above : { type: 'space', raw: '' };
    });
  };
  visit(tokens);
}
