import { expect, test } from 'vitest';
import { createLog } from '../../lib/runtime/log.ts';

function logged(fields: Record<string, string | null>): unknown {
  const lines: string[] = [];
  createLog({ now: () => 0 } as never, 'info', (line) => lines.push(line)).warn('turn_failed', fields);
  return JSON.parse(lines[0] ?? '');
}

test('a line with a code names the section of the documents on it', () => {
  const line = { time: '1970-01-01T00:00:00.000Z', level: 'warn', event: 'turn_failed' };
  expect(logged({ turn: '3f9a1c07', code: 'dify_busy' })).toEqual({
    ...line,
    turn: '3f9a1c07',
    code: 'dify_busy',
    row: 'docs/operations.md#dify_busy',
  });
  expect(logged({ turn: '3f9a1c07' })).toEqual({ ...line, turn: '3f9a1c07' });
});
