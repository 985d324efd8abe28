import { describe, expect, test } from 'vitest';
import { answerText, emptyAnswer, foldEvent, type Answer } from '../../lib/answer/answer.ts';
import type { AnswerEvent } from '../../lib/answer/event.ts';
import { renderOutputs } from '../../lib/answer/outputs.ts';

const MEGABYTE = 1024 * 1024;

/** An app that never ends. */
function repeat(event: AnswerEvent, times: number): Answer {
  let answer = emptyAnswer;
  for (let index = 0; index < times; index += 1) answer = foldEvent(answer, event);
  return answer;
}

describe('an answer without an end is kept within bounds', () => {
  const part = 'x'.repeat(MEGABYTE / 4);

  test.each(['message', 'agent', 'chunk'] as const)('as text of %s', (source) => {
    const answer = repeat({ ids: {}, kind: 'text', source, text: part }, 40);
    expect(answerText(answer).text).toHaveLength(MEGABYTE);
  });

  test('as reasoning, as a replacement, as files', () => {
    expect(repeat({ ids: {}, kind: 'reasoning', text: part }, 40).reasoning).toHaveLength(MEGABYTE);
    const replaced = repeat({ ids: {}, kind: 'replace', source: 'current', text: part.repeat(40) }, 1);
    expect(answerText(replaced).text).toHaveLength(MEGABYTE);
    const file = {
      id: null,
      name: '',
      kind: 'image',
      url: '/files/a',
      extension: null,
      mimeType: null,
      sizeBytes: null,
    };
    expect(repeat({ ids: {}, kind: 'file', file }, 1_000).files).toHaveLength(200);
  });
});

test('a workflow that was stopped keeps the text so far, whatever its outputs are', () => {
  const seen = foldEvent(emptyAnswer, { ids: {}, kind: 'text', source: 'chunk', text: 'as far as this' });
  const outputs = { text: 'as' };
  expect(
    answerText(foldEvent(seen, { ids: {}, kind: 'run-finished', status: 'stopped', outputs, files: [] })).text,
  ).toBe('as far as this');
  expect(
    answerText(foldEvent(seen, { ids: {}, kind: 'run-finished', status: 'succeeded', outputs, files: [] })).text,
  ).toBe('as');
});

test('a file among other outputs is named, without what Dify keeps of it', () => {
  const file = { dify_model_identity: '__dify__file__', filename: 'a.png', url: '/files/a', tenant_id: 'secret' };
  const shown = renderOutputs({ report: { parts: [{ file }], pages: 2 } });
  expect(shown).toContain('"file": "📎 a.png"');
  expect(shown).not.toContain('secret');
});
