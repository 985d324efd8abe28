import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** What is not asked for below `/page/`. */
const ADDRESSES: Record<string, string> = {
  '/': 'index.html',
  '/gallery': 'gallery.html',
  '/favicon.ico': 'icon.svg',
};

/** Answers come from a model: whatever they hold, the page runs and loads nothing but its own. Images are shown. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' https: data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const extension = (path: string) => path.slice(path.lastIndexOf('.') + 1);

/** The files of the page. Only what is in its folder now can be asked for; there is nothing to climb out of. */
export function createPages(): (path: string) => Promise<Response | null> {
  const folder = fileURLToPath(new URL('../page/', import.meta.url));
  const files = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => Object.hasOwn(TYPES, extension(path))),
  );
  return async (path) => {
    const file = ADDRESSES[path] ?? path.replace(/^\/page\//, '');
    if (!files.has(file) || path === `/${file}`) return null;
    return new Response(await readFile(`${folder}${file}`), {
      headers: {
        'content-type': TYPES[extension(file)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      },
    });
  };
}
