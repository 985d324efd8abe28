// How the page looks: weight, first paint, narrow screens, and what it says of an app of one's own.
import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { usePage } from './page-tools.ts';

const MAX_BYTES = 300_000;

/** Pairs of texts that lie on each other, among labels of one line. */
const COLLISIONS = `(() => {
  const labels = [...document.querySelectorAll(
    '.topbar button, .topbar select, .tabs button, .chip-group, .chip, .composer-foot button, .composer-foot select, .axis span, .legend li, .export-bar a',
  )].filter((label) => label.checkVisibility() && label.textContent + label.ariaLabel !== '');
  const boxes = labels.map((label) => ({ label, box: label.getBoundingClientRect() }));
  const found = [];
  for (const [index, a] of boxes.entries()) for (const b of boxes.slice(index + 1)) {
    const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
    const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
    if (wide > 1 && high > 1) found.push(a.label.textContent + ' / ' + b.label.textContent);
  }
  const tabs = document.querySelector('.tabs');
  if (tabs.scrollWidth > tabs.clientWidth) found.push('tabs are cut');
  return found;
})()`;

describeWith('chromium', 'how the page looks', (executablePath) => {
  const { playground, open, id, ask, card } = usePage(executablePath);

  test('weighs less than 300 KB, with everything that it loads', async () => {
    const page = await open({});
    const loaded = await page.evaluate<number[]>(
      "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map((entry) => entry.decodedBodySize)",
    );
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MAX_BYTES);
  });

  test('shows nothing before its styles are there, and the dark at once', async () => {
    const page = await open({ colorScheme: 'light' });
    await page.evaluate("localStorage.setItem('playground.theme', 'dark')");
    await page.route('**/*.css', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await route.continue();
    });
    // The theme is read when the first frame is drawn: the module that draws the page has not run by then.
    await page.addInitScript(
      'requestAnimationFrame(() => (globalThis.firstTheme = document.documentElement.dataset.theme))',
    );
    await page.reload();
    await id('composer').waitFor();
    const [paint, styles] = await page.evaluate<[number, number]>(
      "[performance.getEntriesByName('first-contentful-paint')[0].startTime, Math.max(...performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.css')).map(({ responseEnd }) => responseEnd))]",
    );
    expect(paint).toBeGreaterThan(styles);
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    const order = await page.evaluate<string[]>(
      "[...document.head.querySelectorAll('script, link[rel=stylesheet]')].map((tag) => tag.src || tag.href)",
    );
    expect(order[0]).toMatch(/theme\.js$/);
    await page.unrouteAll({ behavior: 'wait' });
  });

  test.each([
    ['zh-CN', 768],
    ['en-GB', 768],
    ['en-GB', 1024],
    ['en-GB', 390],
  ])('no label lies on another: %s at %d px', async (locale, width) => {
    const page = await open({ locale, viewport: { width, height: 900 }, reducedMotion: 'reduce' });
    if (width < 760) await id('view-chats').click();
    await id('chat').nth(3).click();
    await ask(locale === 'zh-CN' ? '用表格回答' : 'show me a table');
    await card('finished');
    const table = page.locator('.card .table');
    // A table that is too wide says so: it has a bar of its own, and takes the arrow keys.
    if (await table.evaluate((node) => node.scrollWidth > node.clientWidth)) {
      await table.focus();
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => table.evaluate((node) => node.scrollLeft)).toBeGreaterThan(0);
    }
    expect(await page.evaluate<string[]>(COLLISIONS)).toEqual([]);
    if (width < 760) await id('view-panel').click();
    await id('bars').waitFor();
    expect(await page.evaluate<string[]>(COLLISIONS)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  test('with an app of one’s own there are commands alone, and its trouble is a sentence', async () => {
    const page = await open();
    const { setup } = await playground().snapshot();
    const own = {
      id: 'own',
      name: { zh: '我的应用', en: 'mine' },
      type: 'chatflow',
      real: true,
      samples: [],
      problem: { zh: '连不上 dify.test。', en: 'dify.test cannot be reached.' },
    };
    await page.route('**/playground/events', async (route) => {
      const snapshot = await playground().snapshot();
      const changed = { ...snapshot, setup: { ...setup, app: 'own', apps: [own, ...setup.apps] } };
      await route.fulfill({
        contentType: 'text/event-stream',
        body: `event: snapshot\ndata: ${JSON.stringify(changed)}\n\n`,
      });
    });
    await page.reload();
    await id('app-problem').waitFor();
    expect(await id('app-problem').textContent()).toBe('连不上 dify.test。');
    expect(await id('chip').allTextContents()).toEqual(['/new', '/help', '/stop', '/id']);
    expect(await id('app-choice').locator('option').first().textContent()).toContain('我的应用 · chatflow');
  });
});
