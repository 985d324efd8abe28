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
  const { playground, open, id, ask, openChat, card } = usePage(executablePath);

  test('weighs less than 300 KB, and shows nothing before its styles are there', async () => {
    const page = await open({ colorScheme: 'light' });
    const loaded = await page.evaluate<number[]>(
      "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map((entry) => entry.decodedBodySize)",
    );
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MAX_BYTES);
    await page.evaluate("localStorage.setItem('playground.theme', 'dark')");
    await page.route('**/*.css', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await route.continue();
    });
    await page.reload();
    await id('composer').waitFor();
    const [paint, styles] = await page.evaluate<[number, number]>(
      "[performance.getEntriesByName('first-contentful-paint')[0].startTime, Math.max(...performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.css')).map(({ responseEnd }) => responseEnd))]",
    );
    expect(paint).toBeGreaterThan(styles);
    // The theme that was chosen is set by a script that runs before anything is drawn.
    const [first] = await page.evaluate<string[]>(
      "[...document.head.querySelectorAll('script, link[rel=stylesheet]')].map((tag) => (tag.type || 'script') + ' ' + (tag.src || tag.href))",
    );
    expect(first).toMatch(/^script .*theme\.js$/);
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await page.unrouteAll({ behavior: 'wait' });
  });

  test('no label lies on another at 1,024, 768 and 390 px, and a table that is too wide can be scrolled', async () => {
    const page = await open({ locale: 'en-GB', viewport: { width: 1024, height: 900 }, reducedMotion: 'reduce' });
    await openChat('group');
    await ask('show me a table');
    await card('finished');
    await id('bars').waitFor();
    expect(await page.evaluate<string[]>(COLLISIONS)).toEqual([]);
    await page.setViewportSize({ width: 768, height: 900 });
    expect(await page.evaluate<string[]>(COLLISIONS)).toEqual([]);
    const table = page.locator('.card .table');
    expect(await table.evaluate((node) => node.scrollWidth > node.clientWidth)).toBe(true);
    await table.focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => table.evaluate((node) => node.scrollLeft)).toBeGreaterThan(0);
    await page.setViewportSize({ width: 390, height: 844 });
    for (const view of ['chats', 'chat', 'panel']) {
      await id(`view-${view}`).click();
      expect(await page.evaluate<string[]>(COLLISIONS)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    }
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
