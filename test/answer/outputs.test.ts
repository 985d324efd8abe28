// The outputs of an app, as a reader sees them.
import { describe, expect, test } from 'vitest';
import { hasOnlyFiles, isFile, onlyText, renderOutputs, singleText } from '../../lib/answer/outputs.ts';

const file = (filename: string | null) => ({ dify_model_identity: '__dify__file__', filename, url: '/files/a' });

test('the only output is the text, when it is a text', () => {
  expect(onlyText({ result: 'Yes' })).toBe('Yes');
  expect(onlyText({ result: 7 })).toBeNull();
  expect(onlyText({ result: 'Yes', more: 'x' })).toBeNull();
  expect(renderOutputs({ result: 'Yes' })).toBe('Yes');
});

describe('several outputs', () => {
  test('are a text without a name where the others are empty or files', () => {
    expect(renderOutputs({ text: 'Yes', other: null, list: [] })).toBe('Yes');
    expect(renderOutputs({ text: 'Yes', chart: file('a.png'), all: [file('b.png')] })).toBe('Yes');
    expect(singleText({ text: 'Yes', result: 'No' })).toBeNull();
    expect(singleText({ text: 'Yes', count: 0 })).toBeNull();
    expect(hasOnlyFiles({ text: '', chart: file('a.png') })).toBe(true);
    expect(hasOnlyFiles({ rows: [file('a.png'), 1] })).toBe(false);
  });

  test('are all shown, but for the empty ones', () => {
    expect(renderOutputs({ text: 'Yes', ok: false })).toBe('**text**: Yes\n\n**ok**: false');
    const empty = { a: null, b: undefined, c: '', d: [], e: {} };
    expect(renderOutputs({ ...empty, count: 7, ok: false })).toBe('**count**: 7\n\n**ok**: false');
    expect(renderOutputs({ ...empty, count: 7 })).toBe('7');
    expect(renderOutputs(empty)).toBe('');
    expect(renderOutputs({})).toBe('');
  });

  test('stand below their name when they have several lines, or begin with what only a line can begin with', () => {
    expect(renderOutputs({ poem: 'a\nb', title: 'P' })).toBe('**poem**\n\na\nb\n\n**title**: P');
    expect(renderOutputs({ head: '# A', title: 'P' })).toBe('**head**\n\n# A\n\n**title**: P');
  });
});

describe('a value', () => {
  const shown = (value: unknown) => renderOutputs({ value });

  test.each<[string, unknown, string]>([
    ['a file', file('a.png'), '📎 a.png'],
    ['a file without a name', file(null), '📎'],
    ['files', [file('a.png'), file('')], '- 📎 a.png\n- 📎'],
    ['numbers and short words', [1, 'two', 'three'], '[1,"two", "three"]'],
    ['long lines', ['x'.repeat(21), 'y'], `- ${'x'.repeat(21)}\n- y`],
    ['lines and other things', ['x'.repeat(21), true], '```json\n[\n  "xxxxxxxxxxxxxxxxxxxxx",\n  true\n]\n```'],
    ['an object', { a: { b: 1 } }, '```json\n{\n  "a": {\n    "b": 1\n  }\n}\n```'],
    ['records', [{ id: 1, name: 'a|b' }, { id: 2 }], '| id | name |\n| --- | --- |\n| 1 | a\\|b |\n| 2 |  |'],
    ['records with line breaks', [{ text: 'a \n b', none: null }], '| text | none |\n| --- | --- |\n| a b |  |'],
  ])('%s', (_what, value, expected) => {
    expect(shown(value)).toBe(expected);
  });

  test('is no table with more than eight columns, without columns, or of records that hold records', () => {
    const wide = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`c${index}`, index]));
    for (const rows of [[wide], [{}], [{ a: 1 }, { a: { b: 1 } }], [{ a: 1 }, null], [[1]]]) {
      expect(shown(rows)).toMatch(/^```json\n/);
    }
  });

  test('of more levels than can be written is left out', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(shown(deep)).toBe('```json\n…\n```');
  });
});

test('only the mark of Dify makes a file', () => {
  expect(isFile(file('a.png'))).toBe(true);
  for (const other of [null, 'a.png', { filename: 'a.png' }, { dify_model_identity: 'x' }]) {
    expect(isFile(other)).toBe(false);
  }
});
