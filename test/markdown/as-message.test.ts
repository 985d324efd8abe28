import { expect, test } from 'vitest';
import { asMessage } from '../../lib/markdown/as-message.ts';

test('a break of a card becomes a break of a message', () => {
  expect(asMessage('one<br>two\n\nthree')).toBe('one  \ntwo\n\nthree');
});

test('a break stays inside its quote and its list item', () => {
  expect(asMessage('> one<br>two')).toBe('> one  \n> two');
  expect(asMessage('- one<br>two\n  - deep<br>er')).toBe('- one  \n  two\n  - deep  \n    er');
  expect(asMessage('12. one<br>two')).toBe('12. one  \n    two');
});

test('code and tables are left alone', () => {
  const page = '```html\n<br>\n```\n\n| a<br>b |\n| --- |\n\nsay `<br>`';
  expect(asMessage(page)).toBe(page);
});
