import { expect, test } from 'vitest';
import { questionLines, sendLink } from '../../lib/answer/links.ts';

test('a link types its text, whatever stands in it', () => {
  const text = "a (b) & c's *d* 年假？";
  const [, content = ''] =
    /^\[x\]\(dtmd:\/\/dingtalkclient\/sendMessage\?content=([^()*'\s]*)\)$/.exec(sendLink('x', text)) ?? [];
  expect(decodeURIComponent(content)).toBe(text);
});

test('half a character, in which a text that was cut may end, does no harm', () => {
  expect(sendLink('x', 'ok \ud83d')).toContain('content=ok%20%EF%BF%BD');
});

test('a question has no markup of its own', () => {
  expect(questionLines(['# [a](b) **c**\n# d'], false)).toBe('- a (b) c # d');
});

test('questions are a list of links, where a tap can send them', () => {
  const shown = questionLines(['年假？', 'And *sick* leave?'], true);
  const lines = shown.split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe(`- [年假？](dtmd://dingtalkclient/sendMessage?content=${encodeURIComponent('年假？')})`);
  expect(lines[1]).toMatch(/^- \[And sick leave\?\]\(dtmd:/);
});

test('characters that would end the address are written as RFC 3986 has them, in capitals', () => {
  expect(sendLink('x', '(*)')).toContain('content=%28%2A%29)');
});
