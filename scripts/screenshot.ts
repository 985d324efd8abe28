// node scripts/run.mjs scripts/screenshot.ts: draws docs/images anew, with Debian's Chromium, a CJK font and one of emoji.
import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { programPath } from '../test/support/programs.ts';
import { movingPicture, type Still } from './moving-picture.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'docs/images');
/** Larger ones make the documents slow to open. */
const MAX_BYTES = 300_000;
const MAX_MOVING_BYTES = 1_000_000;
/** Between two looks at the page. */
const STILL_MS = 400;
/** How long the end stays before the picture begins again. */
const LAST_STILL_MS = 4_000;

interface Shot {
  file: string;
  options: BrowserContextOptions;
  play: (page: Page) => Promise<void>;
  /** The part of the page; without it all of it. */
  area?: { x: number; y: number; width: number; height: number };
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
      await page.getByTestId('card-notice').filter({ hasText: '感谢' }).waitFor();
    },
  },
  {
    file: 'busy-group.png',
    options: { viewport: { width: 1100, height: 2800 }, locale: 'zh-CN', colorScheme: 'light' },
    area: { x: 72, y: 56, width: 648, height: 1935 },
    async play(page) {
      await page.getByTestId('app-choice').selectOption('chatflow');
      await page.getByTestId('chat').nth(3).click();
      const asked = [
        ['staff-0001', '合同在哪里下载？'],
        ['staff-0002', '提交一个采购审批'],
        ['union-0003', '发票抬头写什么？'],
      ] as const;
      for (const [speaker, text] of asked) {
        await page.getByTestId('speaker').selectOption(speaker);
        await page.getByTestId('composer').fill(text);
        await page.getByTestId('composer').press('Enter');
      }
      await page.locator('[data-phase=finished]').nth(2).waitFor({ timeout: 30_000 });
      await page.getByTestId('card').nth(2).getByTestId('button-ask').first().waitFor();
      // The asker of the form decides it; what comes of the press stands below all of this.
      await page.getByTestId('speaker').selectOption('staff-0002');
      await page.getByTestId('button-form').first().click();
      await page.getByTestId('card').filter({ hasText: '李哲 选择了' }).waitFor();
      await page.locator('[data-phase=finished]').nth(3).waitFor({ timeout: 30_000 });
    },
  },
];

/** The picture at the top of the README: a question, and its answer as it grows. */
const moving = [
  { file: 'playground.en.png', language: 'en', locale: 'en-US', question: 'Show the travel allowances in a table' },
  { file: 'playground.zh-CN.png', language: 'zh-CN', locale: 'zh-CN', question: '差旅标准是多少？请用表格' },
];

/** The playground as a newcomer starts it, without the developer's own Dify app. */
async function startPlayground(language = ''): Promise<{ url: string; stop: () => void }> {
  const child = spawn(process.execPath, [join(root, 'playground/main.ts')], {
    env: { PATH: process.env['PATH'], PORT: '0', HOST: '', DIFY_API_KEY: '', REPLY_LANGUAGE: language },
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

async function take(browser: Browser, url: string, { file, options, play, area }: Shot): Promise<void> {
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
  await page.screenshot({ path, ...(area ? { clip: area } : {}) });
  await context.close();
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
  console.log(`docs/images/${file} (${Math.round(size / 1000)} kB)`);
}

async function record(browser: Browser, { file, language, locale, question }: (typeof moving)[number]): Promise<void> {
  const { url, stop } = await startPlayground(language);
  const context = await browser.newContext({ viewport: { width: 1024, height: 640 }, locale, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByTestId('chat').nth(3).click();
  const stills: Still[] = [];
  const ending = new AbortController();
  const look = async () => {
    while (!ending.signal.aborted) {
      const startedAt = performance.now();
      const png = await page.screenshot();
      await page.waitForTimeout(STILL_MS);
      stills.push({ png, ms: Math.round(performance.now() - startedAt) });
    }
  };
  const looking = look();
  await page.getByTestId('composer').pressSequentially(question, { delay: 60 });
  await page.getByTestId('composer').press('Enter');
  await page.getByTestId('entry').last().locator('[data-phase=finished]').waitFor({ timeout: 30_000 });
  await suggestions(page);
  await page.waitForTimeout(LAST_STILL_MS);
  ending.abort();
  await looking;
  await context.close();
  stop();
  const picture = movingPicture(stills);
  if (picture.length > MAX_MOVING_BYTES) throw new Error(`${file} has ${picture.length} bytes`);
  writeFileSync(join(folder, file), picture);
  console.log(`docs/images/${file} (${Math.round(picture.length / 1000)} kB)`);
}

const executablePath = programPath('chromium');
if (executablePath === undefined) {
  console.error('Chromium is missing: apt-get install chromium fonts-noto-cjk fonts-noto-color-emoji');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
const playground = await startPlayground();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  for (const shot of shots) await take(browser, playground.url, shot);
  for (const shot of moving) await record(browser, shot);
} finally {
  await browser.close();
  playground.stop();
}
