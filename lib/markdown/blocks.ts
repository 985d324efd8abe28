import type { Token, Tokens } from 'marked';
import { chartTable } from './chart.ts';
import { DIALECTS, type Dialect, type MarkdownWords } from './dialect.ts';
import { indent } from './indent.ts';
import { renderInline } from './inline.ts';
import { lexMarkdown } from './lex.ts';
import { labelled } from './number-text.ts';
import { decodeEntities, sanitizeCode, sanitizeText } from './sanitize.ts';
import { isBlock, type RawToken } from './tokens.ts';

/** Facts about the place where a block stands. */
export interface BlockContext {
  dialect: Dialect;
  words: MarkdownWords;
  /** The text is still growing, so a fence without its end is incomplete. */
  growing: boolean;
  /** Inside an item of a list. There a line break must not look like the end of the item. */
  inList: boolean;
  /** Inside an ordered list. DingTalk cannot show an ordered list inside another one (KB-C3/0016). */
  inOrderedList: boolean;
}

/** Writes one block in the dialect. Empty for a block that shows nothing. */
function renderBlock(token: RawToken, context: BlockContext): string {
  const { lineBreak, maxHeading, rule } = DIALECTS[context.dialect];
  const inline = (tokens: Token[] | undefined, breakWith: string) =>
    renderInline(tokens ?? [], { lineBreak: breakWith, words: context.words });
  if (!isBlock(token)) return sanitizeText(token.raw.trim());
  switch (token.type) {
    case 'space':
    case 'def':
    case 'dropped':
      return '';
    case 'heading': {
      const text = inline(token.tokens, ' ');
      return text === '' ? '' : `${'#'.repeat(Math.min(token.depth, maxHeading))} ${text}`;
    }
    case 'paragraph':
    case 'text':
      return inline(token.tokens, context.inList ? '\n' : lineBreak);
    case 'code':
      return renderCode(token, context);
    case 'preformatted':
      return fence(decodeEntities(token.text.replace(/<\/?[a-z][^<>]*>/gi, '')), '');
    case 'maths':
      return fence(token.text, 'latex');
    case 'blockquote':
      return indent(renderAll(token.tokens, context).join('\n\n'), '> ', '> ');
    case 'list':
      return renderList(token, context);
    case 'table':
      return renderTable(token, inline);
    case 'checkbox':
      return token.checked ? '☑' : '☐';
    case 'hr':
    default:
      return rule;
  }
}

export function renderAll(tokens: readonly RawToken[] | undefined, context: BlockContext): string[] {
  return (tokens ?? []).map((token) => renderBlock(token, context)).filter((block) => block.trim() !== '');
}

function renderCode({ text, lang = '', raw }: Tokens.Code, context: BlockContext): string {
  if (!/^echarts\b/i.test(lang)) return fence(text, /^[\w+#.-]*/.exec(lang)?.[0] ?? '');
  const isOpen = context.growing && !/\n[ \t>]*(?:`{3,}|~{3,})\s*$/.test(raw);
  if (isOpen) return context.words.chart;
  const table = chartTable(text);
  if (table === undefined) return `${context.words.chart}\n\n${fence(text, 'json')}`;
  return renderAll(lexMarkdown(table, { growing: false }), context).join('\n\n');
}

/** A fenced block; the fence is longer than any run of backticks in it. */
function fence(code: string, language: string): string {
  // DingTalk's pages do not list fenced code for messages, and do not say where a card looks for mentions.
  const text = sanitizeCode(code);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks}${language}\n${text.replace(/^\n+|\s+$/g, '')}\n${marks}`;
}

function renderList(list: Tokens.List, context: BlockContext): string {
  const first = list.start === '' ? 1 : list.start;
  const inner = { ...context, inList: true, inOrderedList: context.inOrderedList || list.ordered };
  const items = list.items.map((item, index) => ({ number: first + index, text: renderItem(item, inner) }));
  if (!list.ordered) return items.map(({ text }) => indent(text, '- ', '  ')).join('\n');
  if (first === 1 && !context.inOrderedList) {
    return items.map(({ number, text }) => indent(text, `${number}. `, ' '.repeat(`${number}. `.length))).join('\n');
  }
  // DingTalk would count from 1, so these are bullets with the number in their text.
  if (context.inList)
    return items.map(({ number, text }) => indent(labelled(`(${number})`, text), '- ', '  ')).join('\n');
  return items.map(({ number, text }) => labelled(`**${number}.**`, text)).join('\n\n');
}

function renderItem(item: Tokens.ListItem, context: BlockContext): string {
  let content = '';
  let previous: RawToken | undefined;
  for (const token of item.tokens) {
    const block = renderBlock(token, context);
    if (block.trim() === '') continue;
    const isTight = token.type === 'list' && (previous?.type === 'text' || previous?.type === 'paragraph');
    const separator = previous === undefined ? '' : previous.type === 'checkbox' ? ' ' : isTight ? '\n' : '\n\n';
    content += separator + block;
    previous = token;
  }
  return content;
}

function renderTable(table: Tokens.Table, inline: (tokens: Token[], lineBreak: string) => string): string {
  const cells = (cell: Tokens.TableCell) => inline(cell.tokens, ' ').replace(/(?<!\\)\|/g, '\\|');
  const delimiters = table.align.map((align) =>
    align === 'center' ? ':---:' : align === 'right' ? '---:' : align === 'left' ? ':---' : '---',
  );
  return [
    tableRow(table.header.map(cells)),
    tableRow(delimiters),
    ...table.rows.map((cellsOfRow) => tableRow(cellsOfRow.map(cells))),
  ].join('\n');
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
