import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesOfAnswer } from '../../lib/files/answer-files.ts';
import { emptyAnswer, endAnswer, foldEvent, type Answer } from '../../lib/answer/answer.ts';
import { readEvent } from '../../lib/dify/events.ts';

function replay(file: string): Answer {
  const lines = readFileSync(new URL(`../fixtures/dify/${file}`, import.meta.url), 'utf8').split('\n');
  let answer = emptyAnswer;
  for (const line of lines) {
    const event = line.startsWith('data: ') ? readEvent(line.slice(6)) : null;
    if (event) answer = foldEvent(answer, event);
  }
  return endAnswer(answer);
}

const said = (message: string): Answer => ({ ...emptyAnswer, texts: { ...emptyAnswer.texts, message } });

describe('the files of an answer', () => {
  test('that is linked, listed at both ends and among the outputs come once, with all that was told', () => {
    expect(filesOfAnswer(replay('chatflow-multi-answer-files.sse'))).toEqual([
      {
        id: 'eba4f8c2-b9f5-53f1-8393-b77d2acab0d1',
        name: 'eba4f8c2-b9f5-53f1-8393-b77d2acab0d1.png',
        kind: 'image',
        url: '/files/tools/eba4f8c2-b9f5-53f1-8393-b77d2acab0d1.png?timestamp=1784791801&nonce=9f&sign=zz%3D',
        extension: 'png',
        mimeType: 'image/png',
        sizeBytes: 48213,
      },
    ]);
  });

  test('of an agent come without its asker’s', () => {
    expect(filesOfAnswer(replay('agent-tools.sse'))).toHaveLength(1);
  });

  test('of a workflow stand in its outputs, at any depth and in lists', () => {
    expect(filesOfAnswer(replay('workflow-outputs-only.sse')).map(({ name }) => name)).toContain('report.pdf');
    const file = (name: string) => ({ dify_model_identity: '__dify__file__', filename: name, url: `/files/${name}` });
    const outputs = { a: [{ b: { c: [file('x.pdf'), file('y.pdf')] } }], d: file('x.pdf'), e: 'no', f: { url: '/g' } };
    expect(filesOfAnswer({ ...emptyAnswer, outputs }).map(({ name }) => name)).toEqual(['x.pdf', 'y.pdf']);
  });

  test('are searched for only so far', () => {
    let deep: unknown = { dify_model_identity: '__dify__file__', filename: 'x', url: '/files/x' };
    for (let level = 0; level < 5_000; level += 1) deep = [deep];
    expect(filesOfAnswer({ ...emptyAnswer, outputs: { deep } })).toEqual([]);
    const many = Array.from({ length: 500 }, (_, index) => ({
      dify_model_identity: '__dify__file__',
      url: `/files/${index}`,
    }));
    expect(filesOfAnswer({ ...emptyAnswer, outputs: { many } })).toHaveLength(200);
  });

  test('are found in the text as images, links and tags, but not in code', () => {
    const text = [
      '![图表](/files/tools/a.png?sign=1)',
      '- [报告.pdf](https://dify.example/files/b/file-preview?timestamp=1&sign=2)',
      '| y |\n| - |\n| [表.xlsx](/files/g?sign=1) <a href="/files/h.zip">zip</a></a> |',
      '| x |\n| - |\n| <img src="http://api:5001/files/tools/c.png?sign=3" alt="c"> |',
      '`![](/files/tools/d.png)`',
      '[site](https://other.example/files/e.pdf) ![pic](https://other.example/f.png)',
      '[again](/files/tools/a.png?sign=9) http://api:5001/files/tools/i.csv?sign=1',
    ].join('\n\n');
    expect(filesOfAnswer(said(text)).map(({ name, kind, extension }) => [name, kind, extension])).toEqual([
      ['图表', 'image', 'png'],
      ['报告.pdf', 'custom', null],
      ['表.xlsx', 'custom', null],
      ['', 'custom', 'zip'],
      ['c', 'image', 'png'],
      ['', 'custom', 'csv'],
    ]);
  });

  test('that were told under two ids are one file', () => {
    const events = [
      { event: 'message_file', id: 'message-file', type: 'image', belongs_to: 'assistant', url: '/files/tools/a.png?sign=1' },
      { event: 'message_end', files: [{ related_id: 'tool-file', filename: 'a.png', url: '/files/tools/a.png?sign=2', size: -1 }] },
      { event: 'workflow_finished', data: { files: [{ related_id: 'tool-file', url: '/files/elsewhere', mime_type: 'image/png' }] } },
    ]; // prettier-ignore
    let answer = emptyAnswer;
    for (const event of events)
      answer = foldEvent(answer, readEvent(JSON.stringify(event)) ?? { kind: 'none', ids: {} });
    expect(answer.files).toHaveLength(3);
    expect(filesOfAnswer(answer)).toEqual([
      {
        id: 'message-file',
        name: 'a.png',
        kind: 'image',
        url: '/files/tools/a.png?sign=1',
        extension: null,
        mimeType: 'image/png',
        sizeBytes: null,
      },
    ]);
  });
});
