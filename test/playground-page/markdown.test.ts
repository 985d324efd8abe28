import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import { describeWith } from '../support/require.ts';

/** What DingTalk makes of a text, as the page's module draws it. Facts: section 4.6 of the wire notes. */
const CARD: [what: string, text: string, html: string][] = [
  ['a newline is a space', 'a\nb', '<p>a b</p>'],
  ['<br> is a line break', 'a<br>b', '<p>a<br>b</p>'],
  ['a blank line makes a paragraph', 'a\n\nb', '<p>a</p><p>b</p>'],
  ['bold, italic, code', '**a** *b* `c*`', '<p><strong>a</strong> <em>b</em> <code>c*</code></p>'],
  ['three stars', '***a***', '<p><em><strong>a</strong></em></p>'],
  ['bold in bold', '*a **b** c*', '<p><em>a <strong>b</strong> c</em></p>'],
  ['bold that CommonMark does not close', '**“a”**b', '<p>**“a”**b</p>'],
  ['bold without an end', '**a', '<p>**a</p>'],
  ['escaped stars', String.raw`\*a\*`, '<p>*a*</p>'],
  ['strikethrough, which is not listed', '~~a~~', '<p>~~a~~</p>'],
  ['unknown HTML is dropped', 'a<button onclick="x()">b</button><div>c</div>', '<p>abc</p>'],
  ['a script is only text', '<script>alert(1)</script>', '<p>alert(1)</p>'],
  ['less than is not a tag', '1 < 2 <3', '<p>1 &lt; 2 &lt;3</p>'],
  ['a coloured word', '<font sizeToken=x colorTokenV2=common_red1_color>a</font>', '<p><span class="font-red">a</span></p>'],
  ['a mention', '<a atId=u1>Wang</a> hi', '<p><span class="mention">@Wang</span> hi</p>'],
  ['a rule', 'a\n\n***\n\nb', '<p>a</p><hr><p>b</p>'],
  ['nested quotes', '> a\n> > b', '<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>'],
  ['nested bullets', '- a\n  - b\n- c', '<ul><li><span>a</span><ul><li><span>b</span></li></ul></li><li><span>c</span></li></ul>'],
  ['numbers begin at one', '3. a\n4. b', '<ol><li><span>a</span></li><li><span>b</span></li></ol>'],
  ['bullets in numbers', '1. a\n   - b', '<ol><li><span>a</span><ul><li><span>b</span></li></ul></li></ol>'],
  ['numbers in numbers are text', '1. a\n   1. b', '<ol><li><span>a 1. b</span></li></ol>'],
  ['a table needs a blank line', 'a\n| b |\n| - |', '<p>a | b | | - |</p>'],
  ['a sixth level is no heading', '###### a', '<p>###### a</p>'],
  ['an unclosed fence goes to the end', '```js\na < b', '<pre tabindex="0" data-language="js"><code>a &lt; b</code></pre>'],
  ['a longer fence holds a shorter one', '````\n```\n````', '<pre tabindex="0"><code>```</code></pre>'],
]; // prettier-ignore

const MESSAGE: [what: string, text: string, html: string][] = [
  ['two spaces break a line', 'a  \nb\nc', '<p>a<br>b c</p>'],
  ['a sixth level is a heading', '###### a', '<div class="heading h6" role="heading" aria-level="6">a</div>'],
  ['a mention is shown by name', '@u1  \n\nhi', '<p><span class="mention">@Wang</span></p><p>hi</p>'],
];

const HOST_PAGE = `<!doctype html><script type="module">
  import { renderMarkdown } from '/page/markdown/render.js';
  globalThis.draw = (text, dialect) => {
    const target = document.createElement('div');
    target.append(renderMarkdown(text, dialect, new Map([['u1', 'Wang']])));
    return target.innerHTML;
  };
</script>`;

describeWith('chromium', 'the mirror of DingTalk’s markdown', (executablePath) => {
  let browser: Browser;
  let page: Page;
  let server: Server;

  beforeAll(async () => {
    // The modules alone: nothing else of the playground is needed to draw.
    server = createServer(({ url = '' }, response) => {
      const isModule = url.endsWith('.js');
      response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html');
      response.end(isModule ? readFileSync(join(repositoryRoot, 'playground', url)) : HOST_PAGE);
    }).listen(0, '127.0.0.1');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  const draw = (text: string, dialect: 'card' | 'message') =>
    page.evaluate<string>(`draw(${JSON.stringify(text)}, ${JSON.stringify(dialect)})`);

  test.each(CARD)('on a card: %s', async (_, text, html) => {
    expect(await draw(text, 'card')).toBe(html);
  });

  test.each(MESSAGE)('in a message: %s', async (_, text, html) => {
    expect(await draw(text, 'message')).toBe(html);
  });

  test('a table has its cells and their alignment', async () => {
    const html = await draw('a\n\n| b | c\\|d |\n| :-: | --: |\n| **1** | 2 |', 'card');
    expect(html).toContain('<th class="center">b</th><th class="right">c|d</th>');
    expect(html).toContain('<td class="center"><strong>1</strong></td><td class="right">2</td>');
  });

  test('only web addresses can be opened', async () => {
    expect(await draw('[a](https://example.com/?q=1)', 'card')).toContain('href="https://example.com/?q=1"');
    for (const address of ['javascript:alert(1)', 'dtmd://dingtalkclient/sendMessage?content=x', 'data:text/html,x']) {
      const drawn = await draw(`[a](${address}) ![a](${address})`, 'card');
      expect(drawn).not.toMatch(/href|<img/);
    }
  });

  test('hostile text takes no time', async () => {
    const hostile = [
      '**a '.repeat(5000),
      '['.repeat(20_000),
      '> '.repeat(8000),
      '`'.repeat(20_000),
      '<a '.repeat(7000),
    ];
    const slow: string[] = [];
    for (const text of hostile) {
      const before = Date.now();
      await draw(text, 'card');
      if (Date.now() - before > 2_000) slow.push(text.slice(0, 4));
    }
    expect(slow).toEqual([]);
  });
});
