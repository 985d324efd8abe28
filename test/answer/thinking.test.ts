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

  it('takes all the rest for reasoning that never ended, if the tag begins a line', () => {
    expect(split('<think>and then')).toEqual({ text: '', reasoning: 'and then', unended: 'and then' });
    expect(split('Hi\n<think>and then')).toEqual({ text: 'Hi\n', reasoning: 'and then', unended: 'and then' });
    expect(split('<think>a</think>Hi\n<thinking>b')).toEqual({ text: 'Hi\n', reasoning: 'a\nb', unended: 'b' });
  });

  it.each([
    'Models write a <think> tag, which you can remove.',
    '推理模型会先写 <think> 标签，可以去掉。\n\n第一步：新建节点。',
    '推理写在 <think> 和 </think> 之间。',
    '把“<think>”和“</think>”之间的内容去掉，再输出',
    '到 </think> 为止',
    '先写<think>标签，再写正文',
    '以 <thinking>',
    '用 `<think>a</think>` 标签。\n再用 `x`。',
  ])('leaves a tag that a sentence speaks of: %j', (text) => expect(split(text)).toEqual({ text, reasoning: '' }));

  it('leaves such a tag after reasoning too', () => {
    expect(split('<think>r</think>写在 <think> 和 </think> 之间。').text).toBe('写在 <think> 和 </think> 之间。');
  });

  it('leaves tags in a fence, and goes on after it', () => {
    expect(split('```\n<think>\n```\n<think>r</think>Hi')).toEqual({ text: '```\n<think>\n```\nHi', reasoning: 'r' });
  });

  it('ends reasoning within reasoning with the outer tag', () => {
    expect(split('<think>1<think>2</think>3</think>Hi')).toEqual({ text: 'Hi', reasoning: '1<think>2</think>3' });
    expect(split('<think>1\n<think>2\n<thinking>3</thinking></think>4</think>\n\nHi').text).toBe('Hi');
    expect(split('<think>1<think>2</think>3</think>A<think>4</think>B').text).toBe('AB');
  });

  it('does not wait for an end that is missing inside', () => {
    expect(split('<think>a <think> tag</think>Hi').text).toBe('Hi');
    expect(split('<think>1<think>2</think>Hi <think>3</think>Bye').text).toBe('Hi Bye');
    // Nor, while more may come, for that of a tag that opens nothing.
    for (const inside of ['a <think> tag', 'a<think/>b']) expect(growing(`<think>${inside}</think>Hi`).text).toBe('Hi');
  });

  it('knows the block that Dify wrote before 0.15.3', () => {
    const details =
      '<details style="color:gray;background-color: #f8f8f8;padding: 8px;border-radius: 4px;" open> <summary> Thinking... </summary>\nr\n</details>\n\nHi';
    expect(split(details)).toEqual({ text: 'Hi', reasoning: '\nr\n' });
    expect(split('<details><summary>More</summary>x</details>').reasoning).toBe('');
    const begun = '<details> <summary> Thinking... </summary>r';
    expect(split(`Hi ${begun}</details> you`)).toEqual({ text: 'Hi  you', reasoning: 'r' });
    expect(split(begun)).toEqual({ text: '', reasoning: 'r', unended: 'r' });
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
    const pieces = [
      '<',
      '<think',
      '`',
      '``a`',
      '<details>',
      '```\n',
      '</think>',
      '<think>',
      'a<think> ',
      '<think>a<think>b</think>',
    ];
    for (const piece of pieces) {
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

  it('shows a tag that a sentence speaks of as soon as that is clear', () => {
    const text = '模型会先写 <think> 标签，去掉即可。';
    for (let end = text.indexOf('>') + 2; end <= text.length; end++)
      expect(growing(text.slice(0, end)).text).toBe(text.slice(0, end));
    expect(growing('写在 <think> 和 </think> 之间').text).toBe('写在 <think> 和 </think> 之间');
  });

  it('shows nothing of reasoning within reasoning', () => {
    const text = '<think>第一轮<think>第二轮</think>还在想</think>\n\n一共 42 项。';
    const frames = Array.from(text, (_, index) => growing(text.slice(0, index + 1)).text);
    for (const frame of frames) expect('一共 42 项。'.startsWith(frame)).toBe(true);
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

it.each(['<thi', '</thin', '<det', '<details open'])('withholds %j while it may become a tag', (beginning) => {
  expect(growing(`Answer ${beginning}`).text).toBe('Answer ');
  expect(split(`Answer ${beginning}`).text).toBe(`Answer ${beginning}`);
});

it('keeps a tag that the end of a finished text cuts off', () => {
  expect(split('a\n<think').text).toBe('a\n<think');
});
