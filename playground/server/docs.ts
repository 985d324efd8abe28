import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Marked } from 'marked';

/** The documents of the repository as pages, so that a failure's code leads to what it means. */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Answers of a model never get here; even so, nothing runs and nothing but the page's own style is loaded. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const IMAGE_TYPES: Record<string, string> = { png: 'image/png', gif: 'image/gif', svg: 'image/svg+xml' };

function documentPaths(): Set<string> {
  const isShown = (path: string) => /\.md$|^docs\/images\/.+\.(?:png|gif|svg)$/.test(path);
  const docs = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).map(
    (path) => `docs/${path.replaceAll('\\', '/')}`,
  );
  return new Set([...readdirSync(root), ...docs].filter(isShown));
}

/** As GitHub makes anchors of headings. */
const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function render(source: string, path: string, isKnown: (path: string) => boolean): string {
  const base = `http://docs/${path}`;
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${escape(slugOf(text))}">${this.parser.parseInline(tokens)}</h${depth}>`;
      },
      link({ href, tokens }) {
        const words = this.parser.parseInline(tokens);
        const url = URL.parse(href, base);
        // Files of the source are not served here.
        const isShown = url?.host !== 'docs' || isKnown(url.pathname.slice(1));
        return isShown && url && /^https?:$/.test(url.protocol) ? `<a href="${escape(href)}">${words}</a>` : words;
      },
      table(token) {
        const row = (cells: typeof token.header, tag: 'th' | 'td') =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('');
        return `<div class="table" tabindex="0"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>`;
      },
      html: ({ text }) => escape(text),
    },
  });
  return marked.parse(source, { async: false });
}

const pageOf = (title: string, language: string, content: string) => `<!doctype html>
<html lang="${language}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${escape(title)}</title>
    <link rel="icon" href="/page/icon.svg" type="image/svg+xml" />
    <script src="/page/theme.js"></script>
    <link rel="stylesheet" href="/page/styles/base.css" />
    <link rel="stylesheet" href="/page/styles/card.css" />
    <link rel="stylesheet" href="/page/styles/docs.css" />
  </head>
  <body class="docs-page"><main class="markdown">${content}</main></body>
</html>
`;

/** The response to a path such as `/docs/operations.md`; null for what is no document. */
export function createDocs(): (path: string) => Promise<Response | null> {
  const known = documentPaths();
  return async (address) => {
    const path = address.slice(1);
    if (!known.has(path)) return null;
    const headers = {
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    };
    const type = IMAGE_TYPES[path.slice(path.lastIndexOf('.') + 1)];
    if (type) return new Response(await readFile(`${root}${path}`), { headers: { ...headers, 'content-type': type } });
    const source = await readFile(`${root}${path}`, 'utf8');
    const title = /^# (.+)$/m.exec(source)?.[1] ?? path;
    const language = path.endsWith('.zh-CN.md') ? 'zh-CN' : 'en';
    const text = pageOf(
      title,
      language,
      render(source, path, (each) => known.has(each)),
    );
    return new Response(text, { headers: { ...headers, 'content-type': 'text/html; charset=utf-8' } });
  };
}
