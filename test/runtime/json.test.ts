import { expect, test } from 'vitest';
import * as z from 'zod';
import { parseJson, readJson } from '../../lib/runtime/json.ts';

test('a text that is no JSON is undefined, which no JSON can be', () => {
  expect(['{"a":[1,null]}', '"text"', 'null', '', '{"a":', 'undefined'].map(parseJson)).toEqual([
    { a: [1, null] },
    'text',
    null,
    undefined,
    undefined,
    undefined,
  ]);
});

test('a text is read in the shape of a schema, or it is null', () => {
  const schema = z.object({ a: z.number(), b: z.string().default('standard') });
  expect(readJson(schema, '{"a":1,"c":2}')).toEqual({ a: 1, b: 'standard' });
  for (const text of ['{"a":"1"}', '[]', 'null', '', '{"a":1']) expect(readJson(schema, text)).toBeNull();
});
