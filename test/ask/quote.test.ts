import { describe, expect, test } from 'vitest';
import { fetchQuotedFiles, quotedWords, withQuote } from '../../lib/ask/quote.ts';
import type { SentFile } from '../../lib/dingtalk/message-kinds.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';

const fileOf = (downloadCode: string, kind: SentFile['kind'] = 'picture'): SentFile => ({
  kind,
  downloadCode,
  name: null,
});

describe('the words of a quote', () => {
  const find = async (cardKey: string) => (cardKey === 'known' ? 'the answer' : null);

  test.each([
    [null, ''],
    [{ text: 'words', file: null }, 'words'],
    [{ text: '', file: null, cardKey: 'known' }, 'the answer'],
    [{ text: '', file: null, cardKey: 'unknown' }, null],
    [{ text: 'words', file: null, cardKey: 'unknown' }, 'words'],
  ])('of %j are %j', async (quoted, expected) => {
    expect(await quotedWords(quoted, find)).toBe(expected);
  });

  test('stand before the question as one block, whatever breaks their lines', () => {
    expect(withQuote('why?', '')).toBe('why?');
    expect(withQuote('why?', 'a\r\nb\n\nc\u2028d\re')).toBe('> a\n> b\n> \n> c\n> d\n> e\n\nwhy?');
  });

  test('are cut between characters', () => {
    expect(withQuote('why?', `${'x'.repeat(3_999)}😀y`)).toBe(`> ${'x'.repeat(3_999)}\n\nwhy?`);
  });
});

describe('the files of a quote', () => {
  /** Fetches files; a code that is the code of a failure fails with it. */
  const fetchAll = (codes: string[], hasWords = true) =>
    fetchQuotedFiles(
      codes.map((code) => fileOf(code, code === 'v' ? 'video' : 'picture')),
      hasWords,
      async ({ downloadCode }) => {
        if (downloadCode.includes('_')) throw new BridgeError(downloadCode as ErrorCode, 'refused');
        return { class: 'image', extension: 'png', uploadId: downloadCode };
      },
    );

  test('that cannot be had are counted, beside words', async () => {
    const { files, leftOut } = await fetchAll(['a', 'file_unavailable', 'v', 'file_too_large']);
    expect(files.map(({ uploadId }) => uploadId)).toEqual(['a', 'v']);
    expect(leftOut).toEqual({ picture: 2 });
  });

  test('are what is asked about where there are no words: then it fails', async () => {
    await expect(fetchAll(['file_unavailable'], false)).rejects.toMatchObject({ code: 'file_unavailable' });
  });

  test('wait for Dify like the question does', async () => {
    await expect(fetchAll(['dify_unreachable'])).rejects.toMatchObject({ code: 'dify_unreachable' });
  });
});
