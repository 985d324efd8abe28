// What the guide does to .env: a change keeps the rest, and a file is whole or not there.
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeEnv, writeEnvFile } from '../../scripts/setup/env-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'setup-file-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a file of variables', () => {
  const change = (text: string, changes: Record<string, string>) => mergeEnv(text, new Map(Object.entries(changes)));

  test('holds any value that Node can read back, and no other', () => {
    const line = fc
      .string({
        unit: fc.constantFrom('a', 'b', ' ', '=', '#', '"', "'", '`', '\\', '$', '\n', '\t', '{', '钉'),
        maxLength: 12,
      })
      .map((text) => text.trim());
    const before = '# a\r\nA=1\r\nexport B = "two\r\nlines" # b\r\n\r\nC=\r\n#A=0';
    fc.assert(
      fc.property(line, line, (a, added) => {
        const merged = change(before, { A: a, ADDED: added });
        if (!merged.ok) return [a, added].some((value) => value.includes("'") && value.includes('`'));
        expect(parseEnv(merged.text)).toEqual({ ...parseEnv(before), A: a, ...(added === '' ? {} : { ADDED: added }) });
        expect(merged.text).toContain('# a\r\nA=');
        expect(merged.text).toContain('export B = "two\r\nlines" # b\r\n\r\nC=\r\n#A=0');
        return true;
      }),
    );
  });

  test('is changed where a variable stands, every time it does', () => {
    expect(change('A=1\nA=2\n', { A: '3' })).toEqual({ ok: true, text: 'A=3\nA=3\n' });
    expect(change("  export A='1' # kept\nB", { A: 'x y', C: '1' })).toMatchObject({
      ok: true,
      text: "  export A='x y' # kept\nB\nC=1\n",
    });
    expect(change('A=1 # one\nB=#\n', { A: '', B: '2' })).toEqual({ ok: true, text: 'A= # one\nB=2 #\n' });
    expect(change('A=1\n', { A: '' })).toEqual({ ok: true, text: 'A=\n' });
    expect(change('A=1\n', { A: `'"\`` })).toEqual({ ok: false, variable: 'A' });
  });

  test('keeps a link, and is whole or not written', async () => {
    await writeFile(join(directory, 'real'), 'A=1\n', { mode: 0o644 });
    await symlink('real', join(directory, '.env'));
    writeEnvFile(join(directory, '.env'), 'A=2\n', 'id');
    expect(await readFile(join(directory, 'real'), 'utf8')).toBe('A=2\n');
    expect((await lstat(join(directory, '.env'))).isSymbolicLink()).toBe(true);
    expect((await stat(join(directory, 'real'))).mode & 0o777).toBe(0o600);
    await mkdir(join(directory, 'folder'));
    expect(() => writeEnvFile(join(directory, 'folder'), 'A=2\n', 'id')).toThrow('EISDIR');
    expect((await readdir(directory)).toSorted()).toEqual(['.env', 'folder', 'real']);
  });
});
