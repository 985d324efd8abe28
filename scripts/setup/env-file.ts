import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { parseEnv } from 'node:util';

/** A change that the format of the file cannot hold. `variable` names it; the value is not told. */
export interface Unwritable {
  ok: false;
  variable: string;
}

export type Merged = { ok: true; text: string } | Unwritable;

/** An assignment; a value in quotes may go over several lines. The quotes are those that Node knows. */
const ASSIGNMENT =
  /^([^\S\r\n]*(?:export[^\S\r\n]+)?([A-Za-z_][\w.-]*)[^\S\r\n]*=[^\S\r\n]*)(?:"[^"]*"|'[^']*'|`[^`]*`|[^\r\n#]*)([^\r\n]*)/gm;

/**
 * The file with these values. Comments, order, and what is not known here stay as they are; what is new comes at the
 * end. An empty value leaves `NAME=`, which counts as unset.
 */
export function mergeEnv(text: string, changes: ReadonlyMap<string, string>): Merged {
  const written = new Map<string, string>();
  for (const [variable, value] of changes) {
    const line = asWritten(value);
    if (line === null) return { ok: false, variable };
    written.set(variable, line);
  }
  const found = new Set<string>();
  const changed = text.replace(ASSIGNMENT, (whole, start: string, variable: string, rest: string) => {
    const value = written.get(variable);
    if (value === undefined) return whole;
    found.add(variable);
    const comment = rest.trimStart();
    return `${start.trimEnd()}${value}${comment.startsWith('#') ? ` ${comment}` : ''}`;
  });
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const added = [...written].filter(([variable, value]) => !found.has(variable) && value !== '');
  const gap = changed === '' || changed.endsWith('\n') ? '' : newline;
  const result = `${changed}${gap}${added.map(([variable, value]) => `${variable}=${value}${newline}`).join('')}`;
  const odd = differing({ ...parseEnv(text), ...Object.fromEntries(changes) }, parseEnv(result));
  return odd === null ? { ok: true, text: result } : { ok: false, variable: odd };
}

/** The first spelling that Node reads back as this value; null when there is none. */
function asWritten(value: string): string | null {
  if (/^[\w.:/@+=,;~-]*$/.test(value)) return value;
  const spellings = ["'", '"', '`'].map((quote) => `${quote}${value}${quote}`);
  return spellings.find((spelling) => parseEnv(`VALUE=${spelling}\nNEXT=1\n`)['VALUE'] === value) ?? null;
}

type Values = Readonly<Record<string, string | undefined>>;

/** A file that is read otherwise than it was meant is not written. */
function differing(meant: Values, read: Values): string | null {
  const names = new Set([...Object.keys(meant), ...Object.keys(read)]);
  return [...names].find((name) => (meant[name] ?? '') !== (read[name] ?? '')) ?? null;
}

/** What the file holds; an empty text when there is none. */
export function readEnvFile(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** All of it or nothing, and only for its owner to read: it holds keys. A link stays one. */
export function writeEnvFile(path: string, text: string, id: string): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const temporary = `${target}.${id}.tmp`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Whatever the process's mask made of it.
    chmodSync(temporary, 0o600);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
