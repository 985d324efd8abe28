// node scripts/run.mjs scripts/screenshot.ts: draws docs/images anew, with Debian's Chromium and a CJK font.
import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { programPath } from '../test/support/programs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'docs/images');
/** Larger ones make the README slow to open. */
const MAX_BYTES = 300_000;

interface Shot {
  file: string;
  options: BrowserContextOptions;
  play: (page: Page) => Promise<void>;
}

const ask = async (page: Page, text: string) => {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('composer').press('Enter');
  await page.getByTestId('entry').filter({ hasText: text }).waitFor();
  // A card for a question, a message for a command.
  const answer = page.getByTestId('entry').last();
  await answer.locator('[data-phase=finished], [data-testid=robot-message]').waitFor({ timeout: 30_000 });
};

/** The suggested questions come some time after the answer. */
const suggestions = (page: Page) => page.getByTestId('card').last().getByTestId('button-ask').first().waitFor();

const desktop: BrowserContextOptions = { viewport: { width: 1440, height: 900 }, locale: 'zh-CN' };

const shots: Shot[] = [
  {
    file: 'playground.png',
    options: { ...desktop, colorScheme: 'light' },
    async play(page) {
      await page.getByTestId('chat').nth(1).click();
      await ask(page, '/new');
      await page.getByTestId('chat').nth(0).click();
      await ask(page, '一句话说明调休何时生效');
      await page.getByTestId('chat').nth(3).click();
      await ask(page, '差旅标准是多少？请用表格');
      await suggestions(page);
    },
  },
  {
    file: 'playground-dark.png',
    options: { ...desktop, colorScheme: 'dark' },
    async play(page) {
      await page.getByTestId('chat').nth(3).click();
      await page.getByTestId('composer').fill('导出上半年工单，再画一张图');
      await page.getByTestId('composer').press('Enter');
      await page.getByTestId('robot-file').nth(2).waitFor({ timeout: 30_000 });
      await suggestions(page);
    },
  },
  {
    file: 'playground-phone.png',
    options: {
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      hasTouch: true,
      locale: 'zh-CN',
      colorScheme: 'light',
    },
    async play(page) {
      await ask(page, '新员工入职清单');
      await suggestions(page);
      await page.getByTestId('button-like').last().click();
      await page.getByTestId('card-notice').last().waitFor();
    },
  },
];

/** The playground as a newcomer starts it, without the developer's own Dify app. */
async function startPlayground(): Promise<{ url: string; stop: () => void }> {
  const child = spawn(process.execPath, [join(root, 'playground/main.ts')], {
    env: { PATH: process.env['PATH'], PORT: '0', HOST: '', DIFY_API_KEY: '', REPLY_LANGUAGE: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const url = /http:\/\/localhost:\d+/.exec(output)?.[0];
    if (url) return { url, stop: () => void child.kill() };
  }
  throw new Error('the playground did not start');
}

async function take(browser: Browser, url: string, { file, options, play }: Shot): Promise<void> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  await page.getByTestId('composer').waitFor();
  await play(page);
  // The caret of the field, the focus ring and what appears under the mouse would only distract.
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur()');
  await page.waitForTimeout(400);
  const path = join(folder, file);
  await page.screenshot({ path });
  await context.close();
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
  console.log(`docs/images/${file} (${Math.round(size / 1000)} kB)`);
}

const executablePath = programPath('chromium');
if (executablePath === undefined) {
  console.error('Chromium is missing: apt-get install chromium fonts-noto-cjk');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
const playground = await startPlayground();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  for (const shot of shots) await take(browser, playground.url, shot);
} finally {
  await browser.close();
  playground.stop();
}
