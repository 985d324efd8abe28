import type { TokenizerExtension } from 'marked';
import { firstIn } from './extensions.ts';
import { withoutIndent } from './indent.ts';

/** The longest value that is recognised, and its depth: bounds what each line that begins with a bracket may cost. */
const MAX_JSON_CHARS = 20_000;

const MAX_DEPTH = 64;

/** How JSON begins. `[1]` is a citation and `[words](address)` a link. */
const BEGINNING = /^ {0,3}(?:\{\s*(?:"(?!")|\})|\[\s*(?:\{|"|\[\s*["{\d-]|\n\s*[\d\-tfn]))/;

const OPEN_BEGINNING = /^ {0,3}(?:\{\s*"|\[\s*\{\s*(?:"|$)|\[\s*\n\s*(?:["{\d-]|$))/;

const PART = /"(?:[^"\\\n]|\\.)*"|[{}[\]]|[\s,:\d.eE+\-truefalsn]+/y;

/**
 * Reads an object or a list of JSON that stands by itself as code. As a paragraph it would lose its indentation.
 *
 * @param growing a value that the end of the text cuts off is recognised as well.
 */
export function jsonBlocks(growing: boolean): TokenizerExtension {
  return {
    name: 'json',
    level: 'block',
    // Within a paragraph only a value of several lines: `{"a":1}` there is a part of the text.
    start: (source) => firstIn(source, /\n {0,3}(?:\{|\[)[ \t]*(?=\n)/),
    tokenizer(source) {
      if (!BEGINNING.test(source) && !(growing && OPEN_BEGINNING.test(source))) return undefined;
      const end = endOfValue(source);
      if (end === undefined) {
        const isOpen = growing && source.length <= MAX_JSON_CHARS && OPEN_BEGINNING.test(source);
        return isOpen && isBeginning(source) ? codeToken(source, source) : undefined;
      }
      const rest = /^[ \t]*(?:\n|$)/.exec(source.slice(end, end + 200))?.[0];
      const text = source.slice(0, end);
      if (rest === undefined || !isJson(text)) return undefined;
      // A line of JSON right above other text is a part of that paragraph.
      const isLine = !text.trim().includes('\n');
      if (
        isLine &&
        !/^\s*(?:\n|$)/.test(source.slice(end + rest.length)) &&
        !BEGINNING.test(source.slice(end + rest.length))
      )
        return undefined;
      return codeToken(source.slice(0, end + rest.length), text);
    },
  };
}

function codeToken(raw: string, text: string) {
  // The indentation of the first line is that of the block, not of the value.
  return { type: 'code', raw, lang: 'json', text: withoutIndent(text) };
}

/** Where the value ends that a text begins with. Undefined where it does not end, or is no JSON. */
function endOfValue(source: string): number | undefined {
  let depth = 0;
  PART.lastIndex = 0;
  for (let found = PART.exec(source); found !== null; found = PART.exec(source)) {
    const [part] = found;
    if (part === '{' || part === '[') depth++;
    else if (part === '}' || part === ']') depth--;
    if (depth === 0 && part.trim() !== '') return PART.lastIndex;
    if (depth > MAX_DEPTH || PART.lastIndex > MAX_JSON_CHARS) return undefined;
  }
  return undefined;
}

/** Whether the end of the text lies within a value: all of it could be JSON, its last string aside. */
function isBeginning(source: string): boolean {
  let end = 0;
  PART.lastIndex = 0;
  while (PART.exec(source) !== null) end = PART.lastIndex;
  return end === source.length || /^"[^"\n]*$/.test(source.slice(end));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
