// What models write where CommonMark reads something else than they mean: one table for each kind.
import { describe, expect, it } from 'vitest';
import { paginate } from '../../lib/markdown/paginate.ts';
import { renderBlocks, renderPartial } from '../../lib/markdown/render.ts';
import { computeMs } from '../support/compute-time.ts';
import { read, withoutSpace } from '../support/reader.ts';

const words = { image: 'IMAGE', chart: 'CHART', media: 'MEDIA' };
const card = (source: string) => renderBlocks(source, 'card', words).join('\n\n');
const partial = (source: string) => renderPartial(source, 'card', words);
/** Without the characters that only break up links and tags. */
const plain = (text: string) => text.replaceAll('\u200B', '');

describe('marks that are characters', () => {
  it.each([
    '3~5 天，100~200 元',
    'H~2~O 与 CO~2~',
    '好的~~ 谢谢~~',
    '100*12*0.8=960，2**10=1024',
    '面积=长*宽*高，（单价*数量*折扣）',
    '单价 * 数量 * 折扣，2 ** 3 ** 2，x ** y ** z',
    '__init__ 与 __call__，my__var__name',
    'f(*args, **kwargs): g(*args, **kwargs)',
    '参数 **kwargs 和 **options',
    'a**b 和 c**d',
    'f(a**b c**d)',
    'abc*def* x',
    '*.ts 与 *.js',
    '138****5678，6222 **** **** 1234，李**、王**',
    '姓名：____ 电话：____',
    '____重点____',
    '甲 **\n乙** 丙',
    '甲**乙\n** 丙',
    'snake_case_name 与 订单_编号_前缀',
  ])('reads %j as it stands', (source) => {
    const reading = read(card(source));
    expect(reading.seen).toBe(source);
    expect([...reading.bold, ...reading.italic, ...reading.struck]).toEqual([]);
  });

  it('keeps an address with marks whole', () => {
    expect(read(card('见 http://x.cn/a*b*c/_d_/e 与 https://x.cn/**/*.js，**好**')).links).toEqual([
      ['http://x.cn/a*b*c/_d_/e', 'http://x.cn/a%2Ab%2Ac/_d_/e'],
      ['https://x.cn/**/*.js', 'https://x.cn/%2A%2A/%2A.js'],
    ]);
  });

  it('escapes only what two of could become emphasis', () => {
    expect(card('2*3')).toBe('2*3');
    expect(card('2*3 与 4*5')).toBe('2\\*3 与 4\\*5');
    expect(card('a **b')).toBe('a **b');
    expect(card('版本1_2 和 3_4')).toBe('版本1_2 和 3_4');
  });
});

describe('emphasis beside Chinese', () => {
  it.each([
    ['**重点：**内容', ['重点：']],
    ['这是**“重点”**内容', ['“重点”']],
    ['前__说明。__后', ['说明。']],
    ['***警告：***请先断电', ['警告：']],
    ['** 注意 **：先备份，** 前有空格**也算，**后有空格 **，', ['注意', '前有空格', '后有空格']],
    ['**甲****乙**', ['甲', '乙']],
    ['****重点****', ['重点']],
    ['调用 run(*args, **options) 时，**先检查**参数，**再执行**。', ['先检查', '再执行']],
    ['2**8=256，**要点**：2 的 8 次方', ['要点']],
    ['**合计=20*15：**300 元，**不含运费**', ['合计=20*15：', '不含运费']],
    ['**1）准备：**内容，**2）执行**', ['1）准备：', '2）执行']],
    ['**a *b*** c', ['a b']],
    ['un**believ**able 与 __乙__', ['believ', '乙']],
    ['看**<u>重点：</u>**内容与**<font color="red">红字</font>**', ['重点：', '红字']],
    ['**<b>甲</b>** 乙**<!-- -->丙**', ['甲', '丙']],
    ['甲**<br>乙** 丙', []],
    ['**https://x.cn/a**，好', ['https://x.cn/a']],
  ])('of %j is %j', (source, bold) => expect(read(card(source)).bold).toEqual(bold));

  it.each([
    ['_甲_ 与 *乙 *, 丙', ['甲', '乙']],
    ['这*是，重点*内容，*甲。乙* 丙', ['是，重点', '甲。乙']],
  ])('of one mark in %j is %j', (source, italic) => expect(read(card(source)).italic).toEqual(italic));

  it.each([
    ['**甲 ~~乙~~ 丙**', '**甲 ~~乙~~ 丙**'],
    ['**甲 ~~乙** 丙~~', '**甲 \\~\\~乙** 丙\\~\\~'],
    ['~~甲 **乙~~ 丙**', '\\~\\~甲 **乙\\~\\~ 丙**'],
  ])('of %j lies within another or is none', (source, expected) => expect(card(source)).toBe(expected));

  it('takes one mark for emphasis and the other for an operator', () => {
    const reading = read(card('*说明：*长*宽=3*4，是*重点*内容，~~原价：~~现价'));
    expect(withoutSpace(reading.seen)).toBe('说明：长*宽=3*4，是重点内容，原价：现价');
    expect([reading.italic, reading.struck]).toEqual([['说明：', '重点'], ['原价：']]);
  });

  it('stays open at the end of a growing text, but not for a name or a power', () => {
    expect(partial('请看**重点：')).toBe('请看**重点：**');
    expect(partial('构造函数 __ini')).toBe('构造函数 __ini');
    expect(partial('2**8=25')).toBe('2**8=25');
    expect(partial('长*宽')).toBe('长*宽');
    expect(partial('型号*A，')).toBe('型号*A，');
    expect(partial('f(a**b c**d)，**乙')).toBe('f(a\\*\\*b c\\*\\*d)，**乙**');
  });
});

describe('tables', () => {
  const head = '| 甲 | 乙 |\n|---|---|\n';
  const shown = '| 甲 | 乙 |\n| --- | --- |\n';

  it.each([
    ['a pipe in code', `${head}| \`a | b\` | \`\`c | d\`\` |`, `${shown}| \`a \\| b\` | \`c \\| d\` |`],
    ['an escaped pipe', `${head}| a \\| b | c |`, `${shown}| a \\| b | c |`],
    ['a cell too few', `${head}| a |`, `${shown}| a |  |`],
    ['a cell too many', `${head}| a | b | c |`, '| 甲 | 乙 |  |\n| --- | --- | --- |\n| a | b | c |'],
    ['a delimiter too few', '| 甲 | 乙 |\n|:--|\n| a | b |', '| 甲 | 乙 |\n| :--- | --- |\n| a | b |'],
    ['a delimiter too many', '| 甲 |\n|---|---|\n| a | b |', '| 甲 |  |\n| --- | --- |\n| a | b |'],
    ['text right below', `${head}| a | b |\n说明 \`x | y\` 完`, `${shown}| a | b |\n\n说明 \`x | y\` 完`],
    ['breaks in a cell', `${head}| a | 1. b\n2. c\n- d |\n| e | f |`, `${shown}| a | 1. b 2. c - d |\n| e | f |`],
    ['a break before the last cell', `${head}| a |\nb |`, `${shown}| a | b |`],
    ['a row without an end', `${head}| a | b\n\n完`, `${shown}| a | b |\n\n完`],
    ['no outer pipes', '甲 | 乙\n---|---\na | b\n完', `${shown}| a | b |\n\n完`],
    ['text above', `表：\n${head}| a | b |`, `表：\n\n${shown}| a | b |`],
    ['no row', head.trim(), shown.trim()],
    ['a list item that is a pipe in their place', '甲\n- |\n\nb|c', '甲\n\n- |\n\nb|c'],
  ])('with %s lose nothing', (_name, source, expected) => expect(card(source)).toBe(expected));

  it('that follow a list right below are no part of it', () => {
    expect(card(`- x\n${head}| a | b |`)).toBe(`- x\n\n${shown}| a | b |`);
  });

  it('keep the cells of a very long row', () => {
    const row = Array.from({ length: 50 }, (_, index) => `c${index}`);
    expect(withoutSpace(read(card(`${head}| ${row.join(' | ')} |`)).seen)).toBe(`甲乙${row.join('')}`);
  });
});

describe('definitions and links', () => {
  it('shows definitions that nothing refers to, and notes', () => {
    expect(plain(card('见[1]。\n\n[1]: https://a.cn/b\n[2]: https://a.cn/c "制度"\n[3]: <https://a.cn/d>'))).toBe(
      '见[1](https://a.cn/b)。\n\n[2]: https://a.cn/c "制度"<br>[3]: [https://a.cn/d](https://a.cn/d)',
    );
    expect(plain(card('见[^1]和[注]。\n\n[^1]: 说明\n\n[注]: 含税'))).toBe(
      '见[^1]和[注]。\n\n[^1]: 说明\n\n[注]: 含税',
    );
    expect(plain(card('[1]: https://a.cn/b\n\n[1]: https://a.cn/c\n\n见[1]'))).toBe(
      '[1]: https://a.cn/c\n\n见[1](https://a.cn/b)',
    );
    expect(plain(card('[1]: https://a.cn/b\n \n[2]: https://a.cn/c'))).toBe(
      '[1]: https://a.cn/b\n\n[2]: https://a.cn/c',
    );
    expect(plain(card('> [1]: https://a.cn/b'))).toBe('> [1]: https://a.cn/b');
    expect(plain(card('- [1]: https://a.cn/b'))).toBe('- [1]: https://a.cn/b');
  });

  it.each([
    '[[1]](https://x.cn/a)',
    '[鸟](https://x.cn/a_(b_(c))_d)',
    '[a [b] c](https://x.cn/a "题")',
    `[长](https://x.cn/${'a'.repeat(3_000)})`,
  ])('shows the words of %j from the first frame on', (link) => {
    const label = /^\[(.*)\]\(/.exec(link)?.[1] ?? '';
    const source = `见${link}。`;
    const opened = source.indexOf('](') + 2;
    for (let end = opened; end < source.length - 1; end += 1) expect(partial(source.slice(0, end))).toBe(`见${label}`);
    expect(read(partial(source)).seen).toBe(`见${label}。`);
    expect(read(card(source)).links).toHaveLength(1);
  });

  it('keeps a long link whole among many marks', () => {
    const link = `[长](https://x.cn/${'(b)'.repeat(400)})`;
    expect(read(card(`${'**重**点 '.repeat(150)}${link}后${' *a*'.repeat(99)}`)).links).toHaveLength(1);
    const citation = `[[1]](https://x.cn/${'b'.repeat(200)})`;
    expect(read(card(`${'**重**点 '.repeat(130)}${citation}后`)).links.map(([label]) => label)).toEqual(['[1]']);
  });
});

describe('pictures inside the text', () => {
  const data = (length: number) => `data:image/png;base64,${'iVBORw0KGgoA'.repeat(length)}`;

  it.each([1, 20_000])('are their words, with data of %i parts, while typing too', (length) => {
    const source = `前 ![图](${data(length)}) 中 <img src="${data(length)}" alt="乙"> 后`;
    expect(card(source)).toBe('前 【图】 中 【乙】 后');
    const ends = [0.1, 0.4, 0.5, 0.6, 0.9].map((part) => Math.floor(source.length * part));
    for (const end of [...Array.from({ length: 60 }, (_, index) => index), ...ends])
      expect(partial(source.slice(0, end))).not.toMatch(/base64|iVBOR/);
  });

  it.each([
    ['![图](data:image/svg+xml;utf8,<svg fill="rgb(0,0,0)"><a/></svg>) 完', '【图】 完'],
    ['![图](data:image/png;base64,iVBO\nRw0K\nGgoA) 完', '【图】 完'],
    ['![图](data:image/jpeg;base64,iVBORw0KGgo', '【图】'],
    ['![](data:image/png;base64,iVBO)', '【IMAGE】'],
    ['[图](data:image/png;base64,iVBO) 完', '图 完'],
    ['数据 data:image/png;base64,iVBORw0KGgo= 完', '数据 data:,… 完'],
    ['```css\na { b: url(data:image/png;base64,iVBO) }\n```', '```css\na { b: url(data:,…) }\n```'],
    ['event: message\ndata: {"a":1}', 'event: message<br>data: {"a":1}'],
  ])('of %j are %j', (source, expected) => expect(plain(card(source))).toBe(expected));

  it('are found in linear time', () => {
    for (const piece of [
      'data:image/png;base64,',
      '](data:image/png;base64,A A',
      'data:',
      '![a](data:image/svg+xml,<svg',
    ]) {
      expect(computeMs(() => card(piece.repeat(2_000)))).toBeLessThan(1_000);
    }
  });
});

describe('blocks', () => {
  it.each([
    ['##1.1 目标\n文字', '## 1.1 目标\n\n文字'],
    ['文字\n###二、安排 ###', '文字\n\n### 二、安排'],
    ['#周报', '# 周报'],
    ['#周报 #销售', '#周报 #销售'],
    ['#1 与 #2', '#1 与 #2'],
  ])('a heading without a blank: %j', (source, expected) => expect(card(source)).toBe(expected));

  it.each([
    ['- 甲\n**二、安排：**\n- 乙', '- 甲\n\n**二、安排：**\n\n- 乙'],
    ['1. 甲\n__小结__\n文字', '1. 甲\n\n**小结**<br>文字'],
    ['- 甲\n**注意：** 不含税。', '- 甲\n\n**注意：** 不含税。'],
    ['1. 甲\n**注意：** 不含税。', '1. 甲\n\n**注意：** 不含税。'],
    ['- 甲\n（二）范围\n- 乙', '- 甲\n\n（二）范围\n\n- 乙'],
    ['> - 甲\n> **二**', '> - 甲\n>\n> **二**'],
    // These belong to the item above them.
    ['1. 甲\n**说明**：一\n2. 乙', '1. 甲\n   **说明**：一\n2. 乙'],
    ['> 1. 甲\n> **说明**：一\n> 2. 乙', '> 1. 甲\n>    **说明**：一\n> 2. 乙'],
    ['- 甲\n**说明**：一\n- 乙', '- 甲\n  **说明**：一\n- 乙'],
    ['- 甲\n  **说明**', '- 甲\n  **说明**'],
    ['- 甲\n继续', '- 甲\n  继续'],
    ['- 甲\n\n乙\n**丙**', '- 甲\n\n乙<br>**丙**'],
    ['- ```\n  a\n  ```\n- b', '- ```\n  a\n  ```\n- b'],
    ['```\n- a\n**b**\n```', '```\n- a\n**b**\n```'],
  ])('a line right below a list: %j', (source, expected) => expect(card(source)).toBe(expected));

  it.each([
    ['1. 甲\n  - 子\n2. 乙', '1. 甲\n   - 子\n2. 乙'],
    ['1. 甲\n2. 乙\n3. 丙', '1. 甲\n2. 乙\n3. 丙'],
    ['- 甲\n  - 子', '- 甲\n  - 子'],
    ['```\n1. a\n  - b\n```', '```\n1. a\n  - b\n```'],
  ])('what stands in a numbered item: %j', (source, expected) => expect(card(source)).toBe(expected));

  it('keeps what stands three blanks inside the tenth item in the list', () => {
    const items = Array.from({ length: 11 }, (_, index) => `${index + 1}. 甲\n   - 子`).join('\n');
    expect(read(card(items)).listStarts).toEqual([1]);
  });

  it.each([['List<T>、Map<K, V>、List<B>、Foo<S> 和 <U>'], ['Array<Object>、Promise<Map>、Vec<i>']])(
    'types are no tags: %j',
    (source) => expect(plain(card(source))).toBe(source),
  );

  it('still reads tags that are closed', () => {
    expect(card('x<b>y</b> 与 <B>z</B>')).toBe('x**y** 与 **z**');
  });

  it.each([
    ['```markdown\n# 一\n\n- 二\n```', '# 一\n\n- 二'],
    ['\n````md\n```js\na\n```\n````\n', '```js\na\n```'],
    ['```markdown\n# 一\n\n```js\na\n```\n\n完\n```', '# 一\n\n```js\na\n```\n\n完'],
    ['~~~markdown\n**一**', '**一**'],
    ['```markdown\n# 一\n\n```\na\n```\n\n完\n```', '# 一\n\n```\na\n```\n\n完'],
    ['```markdown\n# 一\n```\n\n以上', '```markdown\n# 一\n```\n\n以上'],
    ['如下：\n\n```markdown\n# 一\n```', '如下：\n\n```markdown\n# 一\n```'],
  ])('a fence around all: %j', (source, expected) => expect(card(source)).toBe(expected));
});

describe('JSON', () => {
  const value = '{\n  "a": 1,\n\n  "b": [\n    "x"\n  ]\n}';
  const code = `\`\`\`json\n${value}\n\`\`\``;

  it.each([
    [value, code],
    [`结果：\n${value}\n完`, `结果：\n\n${code}\n\n完`],
    [`1. 请求：\n   {\n     "a": 1\n   }`, '1. 请求：\n\n   ```json\n   {\n     "a": 1\n   }\n   ```'],
    ['[\n  {"a": 1}\n]', '```json\n[\n  {"a": 1}\n]\n```'],
    ['{"a": 1}', '```json\n{"a": 1}\n```'],
    ['{}', '```json\n{}\n```'],
    // These are no JSON, or a part of a sentence.
    ['[1]', '[1]'],
    ['[1, 2]', '[1, 2]'],
    ['说 {"a": 1} 吧', '说 {"a": 1} 吧'],
    ['{"a": 1} 是对象', '{"a": 1} 是对象'],
    ['{"a": 1}\n是对象', '{"a": 1}<br>是对象'],
    ['{"a": 1,\n"b"', '{"a": 1,<br>"b"'],
    ['{name}\n你好', '{name}<br>你好'],
    ['[{"a"](https://x.cn)', '[{"a"](https://x.cn)'],
  ])('%j', (source, expected) => expect(card(source)).toBe(expected));

  it('may hold a fence whose end has blanks after it', () => {
    expect(card('```markdown\n```js\na\n```  \nb\n```')).toBe('```js\na\n```\n\nb');
  });

  it('is code while it grows', () => {
    for (let end = 5; end <= value.length; end++)
      expect(partial(value.slice(0, end))).toMatch(/^```json\n\{[^]*\n```$/);
  });

  it('costs no more than its length', () => {
    for (const piece of ['{"a":\n', '[\n', '{"a":1,\n', '[{"a":[\n', '{\n', '["\n'])
      expect(computeMs(() => card(piece.repeat(5_000)))).toBeLessThan(1_000);
  });
});

describe('a numbered list that is cut', () => {
  const pagesOf = (source: string, room: number) =>
    paginate(renderBlocks(source, 'card', words), { firstChars: room, restChars: room, maxPages: 20 }).pages;
  const item = (number: number) =>
    `${number}. 第 ${number} 步，核对参数。\n   - 子项\n\n   \`\`\`sh\n   ls\n   \`\`\`\n`;
  const list = Array.from({ length: 12 }, (_, index) => item(index + 1)).join('');

  it.each([list, list.replace(/^/gm, '> '), `说明\n\n${list}`])('has its numbers as text on every page', (source) => {
    const pages = pagesOf(source, 120);
    expect(pages.length).toBeGreaterThan(3);
    expect(pages.flatMap((page) => read(page).listStarts)).toEqual([]);
    const numbers = pages.join('\n').matchAll(/\*\*(\d+)\.\*\* 第 \1 步/g);
    expect(Array.from(numbers, ([, number]) => Number(number))).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  it('stays a list where it fits on a page', () => {
    expect(pagesOf('开头\n\n1. 一\n2. 二', 100)).toEqual(['开头\n\n1. 一\n2. 二']);
    expect(pagesOf(`${'长'.repeat(95)}\n\n1. 一\n2. 二`, 100)).toEqual(['长'.repeat(95), '1. 一\n2. 二']);
  });

  it('begins with no line of text that would count on', () => {
    expect(pagesOf('步骤：\n2. 第二步第二步\n3. 第三步第三步', 24)).toEqual([
      '步骤：<br>2. 第二步第二步',
      '3\\. 第三步第三步',
    ]);
  });
});
