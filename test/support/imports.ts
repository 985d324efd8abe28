// Reads the imports of source files from their text, for the tests that guard the architecture.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface Import {
  /** The importing file, relative to the repository's root, with forward slashes. */
  from: string;
  /** The imported file, likewise, or a package's name, or `node:…`. */
  to: string;
  /** `import type`: gone before anything runs. */
  typeOnly: boolean;
}

/** All TypeScript files below a directory of the repository, relative to its root. */
export function sourceFiles(root: string, directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).split('\\').join('/').replace(/^\//u, ''))
    .filter((path) => !path.includes('node_modules/'))
    .toSorted();
}

/** The text without its comments; a `//` inside a string, as in an address, is left alone. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/(^|\s)\/\/.*$/gmu, '$1');
}

/** `import … from '…'`, `export … from '…'`, `import '…'` and `import('…')`, as they stand in the text. */
export function importsOf(from: string, text: string): Import[] {
  const code = withoutComments(text);
  const statements = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";=()]*?\bfrom\s*)?['"]([^'"]+)['"]/gmu;
  const calls = /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/gu;
  const found = [
    ...[...code.matchAll(statements)].map(([, type, specifier = '']) => ({ specifier, typeOnly: type !== undefined })),
    ...[...code.matchAll(calls)].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ];
  return found.map(({ specifier, typeOnly }) => ({ from, to: resolve(from, specifier), typeOnly }));
}

function resolve(from: string, specifier: string): string {
  // The built form of this file is what the function imports (`imports` in package.json).
  if (specifier === '#function') return 'lib/function.ts';
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  const [scope = '', name] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

/** The imports of all files below the directories. */
export function importsBelow(root: string, directories: readonly string[]): Import[] {
  return directories
    .flatMap((directory) => sourceFiles(root, directory))
    .flatMap((path) => importsOf(path, readFileSync(join(root, path), 'utf8')));
}

/** All files and packages that are loaded with a file, itself included. */
export function reachableFrom(entry: string, imports: readonly Import[]): string[] {
  const targets = Map.groupBy(
    imports.filter(({ typeOnly }) => !typeOnly),
    ({ from }) => from,
  );
  const reached = new Set([entry]);
  for (const path of reached) for (const { to } of targets.get(path) ?? []) reached.add(to);
  return [...reached];
}
