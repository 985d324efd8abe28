import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFixture } from '../../playground/dify/fixtures.ts';
import { isRecord, parseJson, recordOf } from '../../playground/http/shape.ts';
import { startDify } from './support.ts';

describe('a recorded stream arrives byte for byte', () => {
  const index = parseJson(readFileSync(new URL('../fixtures/dify/index.json', import.meta.url), 'utf8'));
  const entries = recordOf(index)['fixtures'];
  const files = (Array.isArray(entries) ? entries : [])
    .filter(isRecord)
    .map(({ file, sha256 }) => [String(file), String(sha256)] as const);
  test.each(files)('%s', async (file, sha256) => {
    const { ask } = await startDify({ script: { bytes: file } });
    const { raw } = await ask('chat');
    expect(createHash('sha256').update(raw).digest('hex')).toBe(sha256);
  });

  test.each(['whole', 'bytes', [2, 262, 263, 304]] as const)('cut as %s it is still the same', async (split) => {
    const { dify, ask } = await startDify({ script: { bytes: 'chat-multibyte', split } });
    const { raw } = await ask('chat');
    expect(raw).toBe(readFixture('chat-multibyte').toString('utf8'));
    expect(dify.runs[0]?.conversationId).toBe('fd6001de-2492-5a89-ac51-500a47d08492');
    expect((await ask('chat', { conversation_id: 'fd6001de-2492-5a89-ac51-500a47d08492' })).status).toBe(200);
  });

  test('byte by byte really arrives in many pieces', async () => {
    const { request, question } = await startDify({ script: { bytes: 'chat-basic', split: 'bytes' } });
    const response = await request('app-chat', 'POST', '/chat-messages', question);
    let pieces = 0;
    for await (const piece of response.body ?? []) pieces += piece.length > 0 ? 1 : 0;
    expect(pieces).toBeGreaterThan(3000);
  });
});
