import { fileIn, fileKind } from './file-code.ts';
import { addLeftOut, type LeftOut, type Said, type SentFile } from './message-kinds.ts';
import { fieldsOf, firstWords, kindOf, listOf, wordsIn, type Fields } from './wire-values.ts';

/** The parts of a rich text; null where there are none. */
export function partsIn(fields: Fields): readonly unknown[] | null {
  const { richText } = fields;
  const inner = fieldsOf(richText);
  return listOf(richText) ?? listOf(inner?.['richTextList'] ?? inner?.['richText'] ?? fields['richTextList']);
}

/**
 * The words and files of a rich text. Words side by side are one text; on both sides of a file they are two lines.
 *
 * @param robotId of the robot that got the message: its mention is none of the words, and neither is one that comes first.
 * Null keeps all mentions.
 */
export function readParts(parts: readonly unknown[], robotId: string | null): Said {
  const files: SentFile[] = [];
  let leftOut: LeftOut = {};
  /** The words between two files. */
  const stretches: string[] = [''];
  let isFirst = true;
  for (const part of parts) {
    const fields = fieldsOf(part);
    const kind = fields ? kindOf(fields) : 'text';
    const file = fields && fileIn(fields, kind);
    const missing = file ? null : fileKind(kind);
    if (file) files.push(file);
    if (missing) leftOut = addLeftOut(leftOut, { [missing]: 1 });
    if ((file ?? missing) !== null) stretches.push('');
    const words = fields ? wordsOf(fields, kind, isFirst, robotId) : wordsIn(part);
    if (words.trim() !== '') isFirst = false;
    stretches[stretches.length - 1] += words;
    if ((file ?? missing) !== null && words !== '') stretches.push('');
  }
  return { text: inLines(stretches), files, leftOut };
}

/** Stretches of words, each in a line of its own. */
function inLines(stretches: readonly string[]): string {
  const lines = stretches
    .filter((words) => words.trim() !== '')
    .map((words) => words.replace(/^[^\S\n]+/, '').trimEnd() + (/\n[^\S\n]*$/.test(words) ? '\n' : ''));
  return lines
    .map((line, index) => {
      const isApart = line.endsWith('\n') || lines[index + 1]?.startsWith('\n') === true;
      return isApart ? line : `${line}\n`;
    })
    .join('')
    .trim();
}

function wordsOf(fields: Fields, kind: string, isFirst: boolean, robotId: string | null): string {
  if (kind === 'at') {
    const name = firstWords(fields, ['atName', 'name', 'text', 'content'])
      .trim()
      .replace(/^[@＠]/, '');
    const isRobot = robotId !== null && firstWords(fields, ['atUserId', 'userId']) === robotId;
    return name === '' || isRobot || (isFirst && robotId !== null) ? '' : `@${name} `;
  }
  // Commands that the client adds by itself.
  if (kind === 'skill') return '';
  return firstWords(fields, ['text', 'content', 'recognition', 'title']);
}
