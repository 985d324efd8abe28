import { fieldsOf, firstWords, opened, wordsIn, type Fields } from './wire-values.ts';

/** Elements that stand in a line with their neighbours. Every other one has lines of its own. */
const INLINE: ReadonlySet<string> = new Set(['', 'text', 'span', 'link', 'at', 'emoji', 'mention', 'bold', 'italic']);

const MAX_DEPTH = 40;

/**
 * The words of a card that comes as a tree of elements: those of its leaves, in order.
 *
 * @param isToRobot the card mentions the robot that gets it: the mention that its words begin with is none of them.
 */
export function treeWords(tree: unknown, isToRobot = false): string {
  const said: string[] = [];
  let isNewLine = false;
  const say = (found: string, inline: boolean) => {
    if (!inline) isNewLine = true;
    const words = isToRobot && said.length === 0 ? found.replace(/^\s*[@＠]\S+\s*/, '') : found;
    if (words === '') return;
    if (isNewLine && said.at(-1)?.endsWith('\n') === false) said.push('\n');
    said.push(words);
    isNewLine = !inline;
  };
  const walk = (node: unknown, depth: number) => {
    if (depth > MAX_DEPTH) return;
    const inside = opened(node);
    if (Array.isArray(inside)) {
      // A list within a list is a row or a block of its own.
      for (const item of inside) {
        if (Array.isArray(item)) say('', false);
        walk(item, depth + 1);
        if (Array.isArray(item)) say('', false);
      }
      return;
    }
    const fields = fieldsOf(inside);
    if (!fields) {
      say(wordsIn(node), true);
      return;
    }
    const inner = childrenOf(fields);
    const isInline = inner.length === 0 && INLINE.has(firstWords(fields, ['elementType', 'type']).toLowerCase());
    // What stands beside further elements is their title or the like.
    say(firstWords(fields, ['value', 'text', 'content', 'markdown', 'title']), isInline);
    for (const part of inner) walk(part, depth + 1);
    if (!isInline) say('', false);
  };
  walk(tree, 0);
  return said.join('').trim();
}

function childrenOf(fields: Fields): unknown[] {
  const names = ['children', 'elements', 'items', 'contents', 'columns', 'rows', 'cells', 'body', 'value', 'content'];
  return names.flatMap((name) => {
    const value = fields[name];
    return typeof value === 'object' && value !== null && (Array.isArray(value) || wordsIn(value) === '')
      ? [value]
      : [];
  });
}

/** The variables of a template that hold the words of a card, by their usual names. */
const WORDS = ['content', 'msgContent', 'markdown', 'text', 'msgTitle', 'title'];

/** The words of a card that comes as the variables of its template. */
export function variableWords(variables: Fields): string {
  const usual = firstWords(variables, WORDS);
  if (usual !== '') return usual.trim();
  // Other templates call it something else: the longest value that is no address, number or JSON.
  const values = Object.values(variables).flatMap((value) => (typeof value === 'string' ? value.trim() : []));
  const words = values.filter((value) => /\p{L}/u.test(value) && !/^(?:https?:|[[{]|true$|false$|@lA|\$:)/.test(value));
  return words.toSorted((a, b) => b.length - a.length)[0] ?? '';
}
