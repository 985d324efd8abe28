import { expect, test } from 'vitest';
import { readMessages } from '../../lib/dify/records.ts';

test('the files of a stored answer are those that it made, not those of the question', () => {
  const file = { type: 'image', url: '/files/u/file-preview' };
  const made = { ...file, url: '/files/tools/t.png', belongs_to: 'assistant' };
  const row = { id: 'm', message_files: [{ ...file, belongs_to: 'user' }, made] };
  expect(readMessages({ data: [row] })).toMatchObject([{ files: [{ url: made.url }] }]);
});
