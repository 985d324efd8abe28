// That every link, anchor, file and npm command in every document exists.
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import { anchorsOf, codesIn, DOCUMENTS, linksIn, read, rowsUnder } from '../support/documents.ts';

describe.each(DOCUMENTS)('%s', (path) => {
  it('has links that lead somewhere', () => {
    const broken = linksIn(path)
      .filter((link) => !/^[a-z]+:/iu.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#').map(decodeURIComponent);
        const target = file === '' ? path : relative(repositoryRoot, join(repositoryRoot, dirname(path), file));
        if (!existsSync(join(repositoryRoot, target))) return true;
        return anchor !== undefined && !(target.endsWith('.md') && anchorsOf(target).has(anchor));
      });
    expect(broken).toEqual([]);
  });

  it('names files that exist', () => {
    const prose = read(path).replaceAll(/^```.*?^```/gmsu, '');
    const fromRoot = /^(?:api|lib|playground|scripts|test|public|docs)\/[\w./-]*$/u;
    // The documents of the wires name files below lib/.
    const fromLib = path.startsWith('docs/wire-') ? /^[a-z-]+(?:\/[a-z-]*)?(?:\.ts|\/)$/u : null;
    const missing = codesIn(prose).filter((code) => {
      if (fromRoot.test(code)) return !existsSync(join(repositoryRoot, code));
      return fromLib?.test(code) === true && !existsSync(join(repositoryRoot, 'lib', code));
    });
    expect(missing).toEqual([]);
  });

  it('mentions npm commands that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const mentioned = [...read(path).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/gu)].map(
      ([, run, short]) => run ?? short ?? '',
    );
    expect(mentioned.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('shows the tree that test/tooling/boundaries.test.ts allows', () => {
    const source = read('test/tooling/boundaries.test.ts');
    const start = source.indexOf('const FLOORS');
    const list = source.slice(start, source.indexOf('\n];', start)).split('\n').slice(1);
    const allowed = list.map((line) => [...line.matchAll(/'([^']+)'/gu)].map(([, place]) => place));
    expect(allowed.length).toBeGreaterThan(10);
    const drawn = read('docs/architecture.md').match(/(?:^ {4}lib\/.*\n)+/mu)?.[0] ?? '';
    const told = drawn
      .trimEnd()
      .split('\n')
      .map((line) => line.match(/lib\/[\w./-]+/gu));
    expect(told).toEqual(allowed);
  });

  it('explains the words that the code is full of', () => {
    const words = ['turn', 'lease', 'fence', 'hop', 'handover', 'sweep', 'frame', 'fold'];
    const told = rowsUnder('docs/architecture.md', ['Word']).map(([word = '']) => word);
    expect(words.filter((word) => !told.includes(word))).toEqual([]);
  });
});
