import { expect, it } from 'vitest';
import { labelled, numbersAsText } from '../../lib/markdown/number-text.ts';

it('writes the numbers of a list in a quote, and of one in a quote within it', () => {
  expect(numbersAsText('1. a > b\n2. c')).toEqual(['**1.** a > b', '**2.** c']);
  expect(numbersAsText('> 1. a\n> 2. b')).toEqual(['> **1.** a', '> **2.** b']);
  expect(numbersAsText('> > 1. a\n> > 2. b')).toEqual(['> > **1.** a', '> > **2.** b']);
});

it('keeps what stands in an item as deep as it is in the item', () => {
  expect(numbersAsText('1. a\n   - b\n     - c\n2. d')).toEqual(['**1.** a\n- b\n  - c', '**2.** d']);
});

it('keeps what a quote holds beside its list', () => {
  expect(numbersAsText('> a\n>\n> 1. b\n> 2. c\n>\n> d')).toEqual(['> a', '> **1.** b', '> **2.** c', '> d']);
});

it('leaves a block that is no list', () => {
  expect(numbersAsText('a\n1. b')).toBeUndefined();
});

it.each([
  ['a word', '**1.** a word'],
  ['', '**1.**'],
  ['| a |', '**1.**\n\n| a |'],
  ['```\ncode', '**1.**\n\n```\ncode'],
])('stands before %j', (text, expected) => {
  expect(labelled('**1.**', text)).toBe(expected);
});
