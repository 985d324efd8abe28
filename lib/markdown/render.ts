import { renderAll } from './blocks.ts';
import type { Dialect, MarkdownWords } from './dialect.ts';
import { lexMarkdown } from './lex.ts';
import { cleanSource, withholdUnfinished } from './source.ts';

/**
 * Renders a complete text as a list of blocks, each valid markdown by itself. Joined with a blank line they are the
 * whole text. The text is parsed and written anew, so its markup is balanced even if the model's was not.
 */
export function renderBlocks(source: string, dialect: Dialect, words: MarkdownWords): string[] {
  return render(source, dialect, words, false);
}

/**
 * Renders a text that is still growing. No markup in it is half-open, and it does not end in a newline, which would
 * make a card flicker.
 */
export function renderPartial(source: string, dialect: Dialect, words: MarkdownWords): string {
  return render(withholdUnfinished(source), dialect, words, true).join('\n\n');
}

function render(source: string, dialect: Dialect, words: MarkdownWords, growing: boolean): string[] {
  const context = { dialect, words, growing, inList: false, inOrderedList: false };
  return renderAll(lexMarkdown(cleanSource(source), { growing }), context);
}
