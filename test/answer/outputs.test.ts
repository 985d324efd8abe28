// The outputs of an app that streamed no text, as a reader sees them.
import { describe, expect, test } from 'vitest';
import { isFile, onlyText, renderOutputs } from '../../lib/answer/outputs.ts';

const file = (filename: string | null) => ({ dify_model_identity: '__dify__file__', filename, url: '/files/a' });

test('the only output is the text, when it is a text', () => {
  expect(onlyText({ result: 'Yes' })).toBe('Yes');
  expect(onlyText({ result: 7 })).toBeNull();
  expect(onlyText({ result: 'Yes', more: 'x' })).toBeNull();
  expect(renderOutputs({ result: 'Yes' })).toBe('Yes');
});

describe('several outputs', () => {
  test('are shown by the one whose name says that it is the reply', () => {
    expect(renderOutputs({ other: 'x', output: 'third', answer: ' ', result: 'second' })).toBe('second');
    expect(renderOutputs({ text: 7, output: 'the text', other: 'x' })).toBe('the text');
  });

  test('without such a one are all shown, but for the empty ones', () => {
    const empty = { a: null, b: undefined, c: '', d: [], e: {} };
    expect(renderOutputs({ ...empty, count: 7, ok: false })).toBe('**count**: 7\n\n**ok**: false');
    expect(renderOutputs({ ...empty, count: 7 })).toBe('7');
    expect(renderOutputs(empty)).toBe('');
    expect(renderOutputs({})).toBe('');
  });

  test('stand below their name when they have several lines', () => {
    expect(renderOutputs({ poem: 'a\nb', title: 'P' })).toBe('**poem**\n\na\nb\n\n**title**: P');
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
