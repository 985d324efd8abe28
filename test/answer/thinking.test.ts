import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitThinking } from '../../lib/answer/thinking.ts';
import { computeMs } from '../support/compute-time.ts';

const split = (text: string) => splitThinking(text, { finished: true });
const growing = (text: string) => splitThinking(text, { finished: false });

describe('splitThinking on a finished text', () => {
  it('returns text without tags unchanged, white space included', () => {
    expect(split('\n a < b, <b>bold</b>\n')).toEqual({ text: '\n a < b, <b>bold</b>\n', reasoning: '' });
  });

  it('takes out the block of Dify’s tagged reasoning format, as in its recorded stream', () => {
    expect(split('<think>\nThe user asks about order 4711.\n</think>Your order shipped.')).toEqual({
      text: 'Your order shipped.',
      reasoning: '\nThe user asks about order 4711.\n',
    });
  });

  it('trims the white space between the block and the answer', () => {
    expect(split(' \n<think>r</think>\n\nHi\n').text).toBe('Hi\n');
  });

  it.each([
    '<THINK>r</Think>Hi',
    '<think type="deep">r</think>Hi',
    '<thinking>r</thinking >Hi',
    '<think >r</think\n>Hi',
  ])('accepts the spelling %j', (text) => expect(split(text)).toEqual({ text: 'Hi', reasoning: 'r' }));

  it('takes out several blocks wherever they are', () => {
    expect(split('<think>1</think>A <think>2</think>B')).toEqual({ text: 'A B', reasoning: '1\n2' });
  });

  it('takes everything before a lone closing tag for reasoning', () => {
    expect(split('I wonder.</think>\nHi')).toEqual({ text: 'Hi', reasoning: 'I wonder.' });
  });

  it('does not show a closing tag that closes nothing', () => {
    expect(split('<think>a</think>b</think>c').text).toBe('bc');
  });

  it('takes all the rest for reasoning if the block is never closed', () => {
    expect(split('Hi <think>and then')).toEqual({ text: 'Hi ', reasoning: 'and then' });
  });

  it('knows the block that Dify wrote before 0.15.3', () => {
    const details =
      '<details style="color:gray;background-color: #f8f8f8;padding: 8px;border-radius: 4px;" open> <summary> Thinking... </summary>\nr\n</details>\n\nHi';
    expect(split(details)).toEqual({ text: 'Hi', reasoning: '\nr\n' });
    expect(split('<details><summary>More</summary>x</details>').reasoning).toBe('');
  });

  it.each([
    'Write `<think>` first.',
    'Write ``a ` <think>`` first.',
    '```\n<think>x</think>\n```\ndone',
    '> ~~~\n> </think>\n> ~~~',
  ])('leaves tags in code alone: %j', (text) => expect(split(text)).toEqual({ text, reasoning: '' }));

  it('lets code within the reasoning not hide the closing tag', () => {
    expect(split('<think>use `x\n```js\ncode</think>Hi').text).toBe('Hi');
  });

  it('lets a stray backtick not hide a tag on a later line', () => {
    expect(split('a ` b\n<think>r</think>`c').text).toBe('a ` b\n`c');
  });

  it('keeps what the text’s end left of a tag, since nothing more will come', () => {
    expect(split('Hi <think class="a').text).toBe('Hi <think class="a');
  });

  it('takes an empty tag for an empty block', () => {
    expect(split('<think/>Hi')).toEqual({ text: 'Hi', reasoning: '' });
  });

  it('does not mistake other words for the tag', () => {
    expect(split('<thinker>x</thinker> <thi').text).toBe('<thinker>x</thinker> <thi');
  });

  it('stays linear on text made of beginnings', () => {
    for (const piece of ['<', '<think', '`', '``a`', '<details>', '```\n', '</think>', '<think>']) {
      const text = piece.repeat(Math.ceil(100_000 / piece.length));
      // Quadratic work on 100,000 characters takes many seconds.
      expect(computeMs(() => growing(text))).toBeLessThan(1_000);
    }
  });
});

describe('splitThinking on a growing text', () => {
  it.each([
    'Hi <',
    'Hi <t',
    'Hi <thin',
    'Hi </thin',
    'Hi <think',
    'Hi <think class="a',
    'Hi <details style="x" open> <sum',
  ])('withholds the beginning of a tag in %j', (text) => expect(growing(text).text).toBe('Hi '));

  it('withholds nothing that can no longer become a tag', () => {
    expect(growing('a <b').text).toBe('a <b');
    expect(growing('a < b').text).toBe('a < b');
  });

  it('keeps the beginning of the closing tag out of the reasoning', () => {
    expect(growing('<think>so</thi')).toEqual({ text: '', reasoning: 'so' });
  });

  const word = fc.stringMatching(/^[a-z ,.<\n]{0,12}$/);
  const opening = fc.constantFrom(
    '<think>',
    '<Think a="b">',
    '<thinking>',
    '<details style="color:gray" open> <summary> Thinking... </summary>',
  );
  const block = fc.tuple(opening, fc.stringMatching(/^[A-Z\n`]{1,12}$/)).map(([open, reasoning]) => {
    const close = open.startsWith('<details')
      ? '</details>'
      : open.startsWith('<thinking')
        ? '</thinking>'
        : '</think>';
    return { text: '', source: open + reasoning + close };
  });
  const answer = word.map((text) => ({ text, source: text }));
  const parts = fc.array(fc.oneof(block, answer), { maxLength: 6 });

  it('never shows a tag or any of the reasoning, wherever the stream is cut', () => {
    fc.assert(
      fc.property(parts, (all) => {
        const source = all.map((part) => part.source).join('');
        const expected = all
          .map(({ text }) => text)
          .join('')
          .replace(/\s/g, '');
        for (let end = 0; end <= source.length; end++) {
          const { text } = growing(source.slice(0, end));
          const shown = text.replace(/\s/g, '');
          expect(expected.slice(0, shown.length)).toBe(shown);
        }
        expect(split(source).text.replace(/\s/g, '')).toBe(expected);
      }),
    );
  });

  it('returns any text without angle brackets unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '`', '\n', ' ', '>', '/', 'think', '~~~', '中') }), (text) => {
        expect(growing(text)).toEqual({ text, reasoning: '' });
      }),
    );
  });
});
