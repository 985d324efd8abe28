import { expect, test } from 'vitest';
import { printable } from '../../scripts/setup/printable.ts';

test('what others wrote is one line without commands for the terminal, and cuts no character', () => {
  expect(printable(' Ask\u001B]0;title\u0007me\n\u202Enow ')).toBe('Ask ]0;title me now');
  const long = printable(`${'x'.repeat(79)}😀 and more`);
  expect(long).toBe(`${'x'.repeat(79)}…`);
});
