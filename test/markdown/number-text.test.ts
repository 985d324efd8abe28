import { expect, it } from 'vitest';
import { numbersAsText } from '../../lib/markdown/number-text.ts';

it('writes the numbers of a list in a quote, and of one in a quote within it', () => {
  expect(numbersAsText('1. a\n2. b')).toEqual(['**1.** a', '**2.** b']);
  expect(numbersAsText('> 1. a\n> 2. b')).toEqual(['> **1.** a', '> **2.** b']);
  expect(numbersAsText('> > 1. a\n> > 2. b')).toEqual(['> > **1.** a', '> > **2.** b']);
});

it('leaves a block that is no list', () => {
  expect(numbersAsText('a\n1. b')).toBeUndefined();
});
