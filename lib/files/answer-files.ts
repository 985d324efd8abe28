import { answerText, type Answer } from '../answer/answer.ts';
import type { AnswerFile } from '../answer/event.ts';
import { isFile } from '../answer/outputs.ts';
import { readAnswerFile } from '../dify/answer-file.ts';
import { difyLinks, difyPath } from '../markdown/dify-links.ts';
import { extensionOf } from './inspect.ts';

/** The most levels of the outputs that are searched. The author of the app decides about their shape. */
const MAX_DEPTH = 8;

/** The most values of the outputs that are searched. */
const MAX_VALUES = 10_000;

/** The most files of one answer: more than a reader would want. Further files are not counted. */
const MAX_FILES = 200;

/**
 * The files of an answer, each once: those that the events named, those in the outputs, and those that the text links
 * to. The same file can come in all three ways, under two ids and with different signatures in its address.
 */
export function filesOfAnswer(answer: Answer): readonly AnswerFile[] {
  const files: AnswerFile[] = [];
  const seen = new Map<string, number>();
  for (const file of [...answer.files, ...filesIn(answer.outputs), ...linkedFiles(answerText(answer).text)]) {
    const keys = keysOf(file);
    const known = keys.map((key) => seen.get(key)).find((index) => index !== undefined);
    const index = known ?? files.length;
    if (known === undefined && files.length === MAX_FILES) continue;
    for (const key of keys) seen.set(key, index);
    const before = files[index];
    files[index] = before ? merged(before, file) : file;
  }
  return files;
}

/** The keys of a file: its id and its path. Two files that share a key are the same file. */
export function keysOf({ id, url }: AnswerFile): readonly string[] {
  const path = `path:${pathOf(url)}`;
  return id === null ? [path] : [`id:${id}`, path];
}

/** The first description of a file. The second one fills in the fields that the first leaves out. */
function merged(first: AnswerFile, second: AnswerFile): AnswerFile {
  return {
    ...first,
    name: first.name || second.name,
    kind: first.kind === 'custom' ? second.kind : first.kind,
    extension: first.extension ?? second.extension,
    mimeType: first.mimeType ?? second.mimeType,
    sizeBytes: first.sizeBytes ?? second.sizeBytes,
  };
}

/** The file objects in the outputs. */
function filesIn(outputs: Answer['outputs']): AnswerFile[] {
  const files: AnswerFile[] = [];
  let left = MAX_VALUES;
  const search = (value: unknown, depth: number) => {
    left -= 1;
    if (left < 0 || typeof value !== 'object' || value === null) return;
    if (isFile(value)) {
      const file = readAnswerFile(value);
      if (file) files.push(file);
    } else if (depth < MAX_DEPTH) {
      for (const inner of Object.values(value)) search(inner, depth + 1);
    }
  };
  search(outputs, 0);
  return files;
}

/** The files that a text links to, in order. */
export function linkedFiles(text: string): AnswerFile[] {
  return difyLinks(text).map(({ url, words, isImage }) => ({
    id: null,
    name: words,
    kind: isImage ? 'image' : 'custom',
    url,
    extension: extensionOf(pathOf(url)) || null,
    mimeType: null,
    sizeBytes: null,
  }));
}

/** Of an address of Dify the path, because its signature changes; any other address as it is. */
function pathOf(url: string): string {
  return difyPath(url) ?? url;
}
