import { describe, expect, it } from 'vitest';
import { renderBlocks } from '../../lib/markdown/render.ts';
import { computeMs } from '../support/compute-time.ts';

const words = { image: 'IMAGE', chart: 'CHART', media: 'MEDIA' };
const card = (source: string) => renderBlocks(source, 'card', words).join('\n\n');
const message = (source: string) => renderBlocks(source, 'message', words).join('\n\n');
/** What a reader sees of it: the characters that only break up links and tags are invisible. */
const seen = (text: string) => text.replaceAll('\u200B', '');

describe('lines and blocks', () => {
  it('makes a line break of a newline, in the way of the dialect', () => {
    expect(card('a\nb')).toBe('a<br>b');
    expect(message('a\nb')).toBe('a  \nb');
    expect(card('> a\n> b')).toBe('> a<br>b');
    expect(message('> a\n> b')).toBe('> a  \n> b');
  });

  it('makes one line break of a break tag and the newline after it', () => {
    expect(card('a<br>\nb<br/><br>c')).toBe('a<br>b<br><br>c');
  });

  it('leaves the lines of code, tables and lists as they are', () => {
    expect(card('```js\na\nb\n```')).toBe('```js\na\nb\n```');
    expect(card('- a\n  more\n- b')).toBe('- a\n  more\n- b');
    expect(card('# a <br> b')).toBe('# a b');
    expect(card('text\n\n| a | b |\n|--|:-:|\n| x<br>y | `p\\|q` |')).toBe(
      'text\n\n| a | b |\n| --- | :---: |\n| x y | `p\\|q` |',
    );
  });

  it('returns blocks that stand for themselves', () => {
    expect(renderBlocks('# a\nb\n- c\n- d\n\n```\ne', 'card', words)).toEqual(['# a', 'b', '- c\n- d', '```\ne\n```']);
  });

  it('clamps headings to the dialect’s deepest level', () => {
    expect(card('###### a')).toBe('##### a');
    expect(message('###### a')).toBe('###### a');
    expect(card('## <!-- a -->\n\nb')).toBe('b');
  });

  it('keeps to which side the columns of a table are set', () => {
    expect(card('| a | b | c | d |\n|:-:|--:|:--|---|')).toBe('| a | b | c | d |\n| :---: | ---: | :--- | --- |');
  });

  it('separates a table from the paragraph above it', () => {
    expect(card('text\n| a |\n|---|\n| b |')).toBe('text\n\n| a |\n| --- |\n| b |');
  });

  it('keeps nested quotes, nested bullets and check boxes', () => {
    expect(card('> a\n>> b')).toBe('> a\n>\n> > b');
    expect(card('* a\n    * b\n      * c\n* [x] d')).toBe('- a\n  - b\n    - c\n- ☑ d');
  });

  it('writes the numbers of nested ordered lists out', () => {
    expect(card('1. a\n   1. b\n   2. c\n2. d')).toBe('1. a\n   - (1) b\n   - (2) c\n2. d');
  });

  it('writes the numbers of a list out that does not start at one', () => {
    expect(card('3. c\n4. d')).toBe('**3.** c\n\n**4.** d');
    expect(card('3. ```\n   c\n   ```')).toBe('**3.**\n\n```\nc\n```');
  });

  it('uses a fence that the code cannot end', () => {
    expect(card('````\n```\n````')).toBe('````\n```\n````');
  });
});

describe('emphasis', () => {
  it('makes bold what models write as bold next to Chinese punctuation', () => {
    expect(card('**重点：**内容')).toBe('**重点：** 内容');
    expect(card('这是**“重点”**内容，又**`code`：**内容')).toBe('这是 **“重点”** 内容，又 **`code`：** 内容');
  });

  it('adds no space where emphasis ends without one', () => {
    expect(card('**重点**：内容，**重点。** **a**b *c*')).toBe('**重点**：内容，**重点。** **a**b *c*');
  });

  it('leaves products and names with underscores alone', () => {
    expect(card('2 * 3 * 4, a_b_c')).toBe('2 * 3 * 4, a_b_c');
  });
});

describe('code spans', () => {
  it('keeps backticks apart that are not of one span', () => {
    expect(card('```a```<code>`b`</code>')).toBe('`a`\u200B`` `b` ``');
    expect(card('a ` b')).toBe('a \\` b');
    expect(card('`a\nb` <code>c\nd</code>')).toBe('`a b` `c d`');
  });
});

describe('HTML', () => {
  it.each([
    ['<button data-message="x">Go</button>', '【Go】'],
    ['<a href="https://x.com/a(b)">x</a>', '[x](https://x.com/a%28b%29)'],
    ['<img src="https://x.com/a.png" alt="A">', '![A](https://x.com/a.png)'],
    ['<details>\n<summary>S</summary>\n\nbody\n\n</details>', '**S**\n\nbody'],
    ['<audio src="https://x.com/a.mp3"></audio>', '[MEDIA](https://x.com/a.mp3)'],
    ['<video controls><source src="https://x.com/a.mp4"></video>', '[MEDIA](https://x.com/a.mp4)'],
    ['<iframe src="https://x.com/"></iframe>', '[MEDIA](https://x.com/)'],
    ['a<script>alert("x")</script>b', 'ab'],
    ['<style>\n\np { }\n\n</style>\n\na', 'a'],
    ['a<!-- b -->c', 'ac'],
    ['<form><label>Name</label> <input name="user"><button>Send</button></form>', 'Name 【user】【Send】'],
    ['<b>a</b> <i>b</i> <code>a &lt; *b*</code>', '**a** *b* `a < *b*`'],
    ['<details><summary>**S** and <b>`T`</b></summary></details>', '**S and `T`**'],
    ['<p>a</p><p>b</p>', 'a<br>b'],
    ['<ul>\n<li>a</li>\n<li>b</li>\n</ul>', '• a<br>• b'],
    ['<pre>a &amp;\n  b</pre>', '```\na &\n  b\n```'],
    ['<div>\n\n# a\n\n- b\n\n</div>', '# a\n\n- b'],
    ['<i></i>-     a', '- a'],
    ['H<sub>2</sub>O <font color=red>red</font>', 'H2O red'],
    ['x <script src="https://a.cn/x.js"></script> y', 'x y'],
    ['x <script>a</p>b</script> y<template>z</template>', 'x y'],
    ['<STYLE>\n\np { }\n\n</STYLE>\n\na', 'a'],
    ['<b><code>a</b>b</code></b> <kbd>c</kbd> <samp>d</samp> <tt>e</tt>', '**`ab`** `c` `d` `e`'],
    ['<strong>a</strong> <em>b</em> <s>c</s> <strike>d</strike> <del>e</del>', '**a** *b* ~~c~~ ~~d~~ ~~e~~'],
    ['<dt>a</dt><h1>b</h1><h6>c</h6>', '**a**<br>**b**<br>**c**'],
    ['<table><caption>a</caption><tr><th>b</th><td>c</td></tr></table>', '**a**<br>b c'],
    ['<embed src="https://x.com/">', '[MEDIA](https://x.com/)'],
    ['<audio src="/files/tools/a.mp3?sign=1"></audio> <audio></audio>', '【MEDIA】'],
    ['<select><option>a<option>b</select>', 'a b'],
    ['<input placeholder="p" value="v"> <input value="v" name="n"> <textarea></textarea>', '【p】 【v】 【…】'],
    ['<input type="hidden" name="h">a <input type="checkbox" checked>b <input type="radio">c', 'a ☑ b ☐ c'],
    ['<input placeholder="[a](dtmd://b)">', '【[a]\u200B(dtmd\u200B://b)】'],
    ['<a href="https://x.com"><b>a</b>[b]</a>', '[**a**\\[b\\]](https://x.com)'],
    ['<a href="https://x.com"><img src="https://x.com/a.png" alt="A"></a>', '![A](https://x.com/a.png)'],
    ['a&nbsp;b &lt; c &amp; d &#20013; &hellip;', 'a\u00A0b < c & d 中 …'],
  ])('degrades %j', (source, expected) => expect(card(source)).toBe(expected));

  it('keeps what only looks like a tag, without making one', () => {
    const text = 'a < b, List<String>, <your-key>, a <b and c, put it into <script> tags';
    expect(seen(card(text))).toBe(text);
    expect(card(text)).not.toMatch(/<[a-z/!]/i);
  });

  it.each([
    '<a atId=USERID>x</a>',
    '&lt;a atId=1&gt;x',
    '<a atId=1',
    '\\<a atId=1>',
    '&amp;lt;a atId=1>',
    '<<b></b>a atId=1>',
    '`<a atId=1>x</a>`',
  ])('lets nobody be mentioned by %j', (source) => {
    expect(card(source)).not.toMatch(/<a/i);
    expect(card(source)).not.toContain('&lt;');
  });

  it('leaves HTML in code alone', () => {
    expect(card('`<br>` and\n\n```html\n<b>&lt;</b>\n```')).toBe('`<br>` and\n\n```html\n<b>&lt;</b>\n```');
  });
});

describe('links', () => {
  it.each(['https://x.com/a?b=1', 'http://x.com', 'mailto:a@b.c', 'tel:+123'])('keeps %s', (href) => {
    expect(card(`[x](${href})`)).toBe(`[x](${href})`);
  });

  it.each([
    '[x](dtmd://dingtalkclient/sendMessage?content=hi)',
    '[x](DTMD://a)',
    '[x](dt&#109;d://a)',
    '[x](dtmd&colon;//a)',
    '[x](%64tmd://a)',
    '[x]( javascript:alert(1))',
    '[x](java\u0001script:alert(1))',
    '[x](<java script:alert(1)>)',
    '[x](data:text/html,a)',
    '[x](file:///etc/passwd)',
    '[x](//evil.com)',
    '[x](/files/1)',
    '[x][1]\n\n[1]: dingtalk://a',
    '<a href="dtmd://a">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
  ])('shows only the label of %s', (source) => expect(card(source)).toBe('x'));

  it.each([
    'dtmd://a',
    '<dtmd://a>',
    'dtmd&#58;//a',
    'dtmd\\://a',
    'dtmd:<b></b>//a',
    'DingTalk://a',
    '看dtmd://a',
    '`dtmd://a`',
    '```\n[x] dtmd://a\n```',
    '$$\ndtmd://a\n$$',
    '[x]<b></b>(dtmd://a)',
    '\u202Edtmd://a',
    'dt\u0000md://a',
  ])('keeps a client from making a link of %j', (source) => {
    expect(card(source)).not.toMatch(/dtmd:|dingtalk:|\]\(/i);
    expect(seen(card(source))).toMatch(/dtmd:\/\/a|dingtalk:\/\/a/i);
  });

  it('leaves bare addresses and e-mail addresses to the client', () => {
    expect(card('see https://x.com/a?b=1&copy=2 or a@b.com')).toBe('see https://x.com/a?b=1&copy=2 or a@b.com');
  });

  it('keeps markup out of the bare address before it', () => {
    expect(card('https://x.com`a`')).toBe('https://x.com `a`');
    expect(card('[a](https://x.com)[b](https://x.com)')).toBe('[a](https://x.com)[b](https://x.com)');
    expect(card('https://x.com，**重点**')).toBe('https://x.com， **重点**');
  });

  it('leaves no address that would open another app', () => {
    expect(card('alipays://pay git+ssh://a, 2https://b httpss://c https://d')).toBe(
      'alipays\u200B://pay git+ssh\u200B://a, 2https://b httpss\u200B://c https://d',
    );
  });

  it('makes forbidden schemes within an address inert', () => {
    expect(card('[x](https://x.com/?u=dtmd://a)')).toBe('[x](https://x.com/?u=dtmd%3A//a)');
  });

  it('has links after a paragraph that opened one and did not close it', () => {
    const address = '[https://x.com/\\_b\\_](https://x.com/_b_)';
    expect(card('<a href=x>a\n\nhttps://x.com/_b_ c')).toBe(`a\n\n${address} c`);
  });

  it('shows images that may be loaded, and words for the others', () => {
    expect(card('![a](https://x.com/a.png)')).toBe('![a](https://x.com/a.png)');
    expect(card('![](data:image/png;base64,AA) ![a](dtmd://b)')).toBe('【IMAGE】 【a】');
    expect(card('![a**b](https://x.com/a.png) ![a](tel:1)')).toBe('![a b](https://x.com/a.png) 【a】');
    expect(card('![a](tel:1?https://x.com) ![b](http://x.com/a.png)')).toBe('【a】 ![b](http://x.com/a.png)');
  });

  it('writes the words of a link in one line', () => {
    expect(card('[a\nb](https://x.com)')).toBe('[a b](https://x.com)');
  });

  it('makes no image of a link after an exclamation mark', () => {
    expect(card('\\![a](https://x.com)')).toBe('!\u200B[a](https://x.com)');
  });

  it('removes characters that change the direction of the text', () => {
    expect(card('a\u202Eb\u2066c')).toBe('abc');
  });
});

describe('single tags', () => {
  it('makes a link of an anchor and of a film, with the words that a reader sees', () => {
    expect(card('<a href="https://x.com/a">the words</a>')).toBe('[the words](https://x.com/a)');
    expect(card('<video src="https://x.com/v.mp4"></video>')).toBe('[MEDIA](https://x.com/v.mp4)');
  });

  it('shows nothing of a closing tag that closes nothing', () => {
    expect(card('a</b>c')).toBe('ac');
    expect(card('<i>a</b>c</i>')).toBe('*ac*');
  });

  const entities: [character: string, names: string][] = [
    ['©®™…—–·•', 'copy reg trade hellip mdash ndash middot bull'],
    ['×÷°±≤≥≠≈', 'times divide deg plusmn le ge ne asymp'],
    ['←→↑↓↔', 'larr rarr uarr darr harr'],
    ['“”‘’«»"', 'ldquo rdquo lsquo rsquo laquo raquo quot'],
    ["¥€£¢§¶∞✓'", 'yen euro pound cent sect para infin check apos'],
  ];
  it.each(entities)('reads the names of %s, in small and capital letters', (characters, names) => {
    for (const spelling of [names, names.toUpperCase()])
      expect(card(`x${spelling.replace(/\w+ ?/g, (name) => `&${name.trim()};`)}`)).toBe(`x${characters}`);
  });

  it('leaves what is the name of no character', () => {
    expect(seen(card('&hearts; &valueOf; &toString;'))).toBe('&hearts; &valueOf; &toString;');
    expect(card('&#xD800;&#xDFFF;&#x110000;&#xD7FF;')).toBe('\uFFFD\uFFFD\uFFFD\uD7FF');
  });
});

describe('maths', () => {
  it('shows the source of formulas as code', () => {
    expect(card('$$\nE=mc^2\n$$')).toBe('```latex\nE=mc^2\n```');
    expect(card('a\n\\[\nx_1 * y_1\n\\]\nb')).toBe('a\n\n```latex\nx_1 * y_1\n```\n\nb');
    expect(card('\\(a_1*b_1*c\\), $x^2$ and $n$')).toBe('`a_1*b_1*c`, `x^2` and `n`');
    expect(card('let \\(a\\) be \\[b\\] or $$c$$')).toBe('let `a` be `b` or `c`');
  });

  it.each(['$5 and $10', 'US$100=HK$780', '$HOME/bin:$PATH', 'from $1 to $2', 'from $6 to 7$ or so'])(
    'leaves %j alone',
    (text) => {
      expect(card(text)).toBe(text);
    },
  );
});

describe('charts', () => {
  it('makes a table of the data of an ECharts option', () => {
    const option = {
      title: { text: 'Sales' },
      xAxis: { type: 'category', data: ['Jan', 'Feb'] },
      yAxis: { type: 'value' },
      series: [
        { name: 'A', type: 'bar', data: [1, { value: 2 }] },
        { name: 'B|C', data: [3, null] },
      ],
    };
    expect(card(`\`\`\`echarts\n${JSON.stringify(option)}\n\`\`\``)).toBe(
      '**Sales**\n\n|  | A | B\\|C |\n| --- | --- | --- |\n| Jan | 1 | 3 |\n| Feb | 2 |  |',
    );
  });

  it('makes a table of a pie', () => {
    expect(card('```echarts\n{"series":[{"type":"pie","data":[{"name":"a","value":1}]}]}\n```')).toBe(
      '|  |  |\n| --- | --- |\n| a | 1 |',
    );
  });

  it.each(['{"series":[{"data":[1,2]}]}', '{ not JSON', '[]'])(
    'shows the source of %j under a word for it',
    (source) => {
      expect(card(`\`\`\`echarts\n${source}\n\`\`\``)).toBe(`CHART\n\n\`\`\`json\n${source}\n\`\`\``);
    },
  );

  it('lets no markup of the data through', () => {
    const option = { xAxis: { data: ['[x](dtmd://a)'] }, series: [{ name: '<a atId=1>', data: [1] }] };
    const rendered = card(`\`\`\`echarts\n${JSON.stringify(option)}\n\`\`\``);
    expect(rendered).toBe('|  |  |\n| --- | --- |\n| x | 1 |');
  });

  it('leaves diagrams in their fence', () => {
    expect(card('```mermaid\ngraph TD; A-->B\n```')).toBe('```mermaid\ngraph TD; A-->B\n```');
  });
});

describe('hostile input', () => {
  const pieces = [
    '[', '*', '<', '>', '`', '_', '~', '$', '\\[', '![', '[a](', '**a', 'a_', '_a', '*a ', '<a ', '<b>', '<!--', '<script>\n\n',
    '- ', '> - ', '1. ', '|a', '| a\n', '|a|b|\n|-|-|\n', '&', 'a@', 'http://', '[a]: x\n', 'x', '    a\n', 'a\n\n', '<pre>\n\n',
    '<details><summary>', '\n', ' ', '\\', '**：**a',
  ]; // prettier-ignore

  it.each(pieces)('renders 30,000 characters of %j in bounded time', (piece) => {
    const text = piece.repeat(Math.ceil(30_000 / piece.length)).slice(0, 30_000);
    // It takes below 0.1 s; super-linear work here took from 0.4 s to minutes before it was bounded.
    expect(computeMs(() => card(text))).toBeLessThan(1_000);
  });

  it.each([
    ['quotes', `${'> '.repeat(500)}x`],
    ['quotes without spaces', `${'>'.repeat(10_000)}x`],
    ['bullets on one line', `${'- '.repeat(5_000)}x`],
    ['indented bullets', Array.from({ length: 170 }, (_, depth) => `${' '.repeat(depth * 2)}- a`).join('\n')],
    ['emphasis', `${'*a '.repeat(5_000)}${'a* '.repeat(5_000)}`],
    ['elements', `${'<b>'.repeat(5_000)}x${'</b>'.repeat(3_000)}`],
  ])('bounds the nesting of %s', (_name, text) => {
    let shown = '';
    expect(computeMs(() => (shown = card(text)))).toBeLessThan(1_000);
    expect(shown).toMatch(/[ax]/);
    expect(shown).not.toMatch(/^(?:[ >]|- ){70}/m);
  });
});

it('reads every kind of line end', () => {
  for (const end of ['\r', '\r\n', '\n', '\u2028', '\u2029']) expect(card(`# a${end}b`)).toBe('# a\n\nb');
});

it('draws a rule in a card, and three hyphens in a message', () => {
  expect([card('a\n\n___\n\nb'), message('a\n\n___\n\nb')]).toEqual(['a\n\n***\n\nb', 'a\n\n---\n\nb']);
});
