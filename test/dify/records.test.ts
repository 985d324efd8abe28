import { expect, test } from 'vitest';
import { readMessages } from '../../lib/dify/records.ts';

test('the files of a stored answer are those that it made, not those of the question', () => {
  const file = { type: 'image', url: '/files/u/file-preview' };
  const made = { ...file, url: '/files/tools/t.png', belongs_to: 'assistant' };
  const row = { id: 'm', message_files: [{ ...file, belongs_to: 'user' }, made] };
  expect(readMessages({ data: [row] })).toMatchObject([{ files: [{ url: made.url }] }]);
});

test.each([
  { retriever_resources: 'none' },
  { retriever_resources: [{ document_name: 7 }] },
  { message_files: [{ url: 7 }, null] },
  { message_files: {} },
  { created_at: 'today' },
])('a stored answer is found whatever stands beside it: %j', (beside) => {
  expect(readMessages({ data: [{ id: 'm', answer: 'yes', ...beside }] })).toMatchObject([{ id: 'm', answer: 'yes' }]);
});
