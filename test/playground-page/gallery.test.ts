import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { GALLERY_SAMPLES } from '../../playground/server/gallery-samples.ts';
import { usePage } from './page-tools.ts';

describeWith('chromium', 'the gallery of the playground', (executablePath) => {
  const { open, id } = usePage(executablePath, { pictures: true });

  const shown = (sample: string) => id(`gallery-${sample}`).getByTestId('gallery-card');

  test('shows every construct as it was written, on a card and in a message', async () => {
    const page = await open();
    await id('gallery').click();
    await id('gallery-headings').waitFor();
    for (const { id: sample } of GALLERY_SAMPLES) {
      expect(await shown(sample).textContent()).not.toBe('');
      expect(await id(`gallery-${sample}`).getByTestId('gallery-message').textContent()).not.toBe('');
    }
    expect(await shown('table').getByRole('columnheader').count()).toBe(7);
    expect(await shown('table').getByRole('row').count()).toBe(4);
    expect(await shown('think').locator('blockquote').count()).toBe(1);
    expect(await shown('citations').textContent()).toContain('员工手册 2026.pdf');
    expect(await shown('echarts').getByRole('cell').count()).toBe(9);
    await id('back').click();
    await id('composer').waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
  });

  test('nothing hostile is left to click on', async () => {
    const page = await open(undefined, '/gallery');
    await shown('hostile').waitFor();
    expect(await shown('hostile').locator('a, button, img').count()).toBe(0);
    expect(await page.locator('.samples script').count()).toBe(0);
    expect(await page.locator('[href^="javascript:" i], [href^="data:" i]').count()).toBe(0);
    expect(await shown('hostile').locator('.mention').count()).toBe(0);
  });

  test('fits a phone, speaks English, and goes dark', async () => {
    const page = await open(
      { viewport: { width: 360, height: 740 }, locale: 'en-GB', colorScheme: 'dark' },
      '/gallery',
    );
    await id('gallery-table').waitFor();
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await id('gallery-table').locator('h2').textContent()).toBe('A wide table, with pipes in cells');
    expect(await shown('citations').textContent()).toContain('Sources');
    await id('language').click();
    await shown('citations').filter({ hasText: '引用：' }).waitFor({ timeout: 5_000 });
    expect(await id('gallery-table').locator('h2').textContent()).toBe('宽表格，单元格里有竖线');
    await id('theme').click();
    expect(await page.evaluate<string>('document.documentElement.dataset.theme')).toBe('light');
  });
});
