import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { usePage } from './page-tools.ts';
import { PIXEL } from './playground.ts';

/** What a browser does with a file from the clipboard, or with one that is let go over the page. */
const giveFile = (page: Page, event: 'paste' | 'drop', target: string, name: string) =>
  page.evaluate(`(() => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(PIXEL.toString('base64'))}), (sign) => sign.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], ${JSON.stringify(name)}, { type: 'image/png' }));
    const options = { bubbles: true, cancelable: true };
    const given = ${event === 'paste'}
      ? new ClipboardEvent('paste', { ...options, clipboardData: transfer })
      : new DragEvent('drop', { ...options, dataTransfer: transfer });
    document.querySelector(${JSON.stringify(target)}).dispatchEvent(given);
  })()`);

const isReady = '[data-state=ready]';
/** Waits for the picture in there; fails when it is none. */
const loaded = async (page: Page, testId: string) => {
  await page.getByTestId(testId).locator('img').waitFor({ state: 'attached' });
  await page.evaluate(`document.querySelector('[data-testid=${testId}] img').decode()`);
};
const DOWNLOADS =
  "[...document.querySelectorAll('[data-testid=robot-file] [download]')].map(({ download }) => download)";

describeWith('chromium', 'files in the page of the playground', (executablePath) => {
  const { open, id, ask, openChat, card, playground } = usePage(executablePath);

  const kindsDelivered = async () => {
    const { items } = await playground().snapshot();
    return items.flatMap((item) =>
      item.kind === 'question' ? [item.files.map(({ kind }) => kind).join() || 'text'] : [],
    );
  };

  test('a pasted picture goes with the words, and the app sees both', async () => {
    const page = await open();
    await giveFile(page, 'paste', '#message', 'image.png');
    await page.locator(isReady).waitFor();
    expect(await id('attachment').textContent()).toContain('image.png');
    await ask('看图，这是什么？');
    expect(await id('attachment').count()).toBe(0);
    await loaded(page, 'sent-files');
    expect(await (await card('finished')).textContent()).toMatch(/1 个文件.*image/);
    const { calls } = await playground().snapshot();
    const names = calls.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['messageFiles/download', '/files/upload', '/chat-messages']));
    expect(await id('bars').textContent()).toContain('messageFiles/download');
  });

  test('a dropped picture is a message by itself; what was taken away is not sent', async () => {
    const page = await open();
    await giveFile(page, 'drop', '.timeline', 'first.png');
    await giveFile(page, 'drop', '.timeline', 'second.png');
    await page.locator(isReady).nth(1).waitFor();
    await id('remove-attachment').first().click();
    await page.getByText('first.png').waitFor({ state: 'detached' });
    await id('send').click();
    await id('robot-message').filter({ hasText: '收到 1 张图片。' }).waitFor();
    expect(await id('card').count()).toBe(0);
    expect(await kindsDelivered()).toEqual(['picture']);
    await page.locator('.send-link', { hasText: '看看这个' }).click();
    expect(await (await card('finished')).textContent()).toContain('1 个文件');
    expect(await kindsDelivered()).toEqual(['picture', 'text']);
  });

  test('a file is a message of its own, before the words, and goes to the app with them', async () => {
    const page = await open();
    const pdf = { name: '报销制度 2026.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') };
    await id('input-file').setInputFiles(pdf);
    await page.locator(isReady).waitFor();
    await id('send').click();
    const chip = id('file');
    await chip.waitFor();
    expect(await chip.textContent()).toContain('报销制度 2026.pdf');
    expect(await chip.getAttribute('download')).toBe('报销制度 2026.pdf');
    const [download] = await Promise.all([page.waitForEvent('download'), chip.click()]);
    // Its name on the disk depends on the locale of the machine, its bytes on nothing.
    expect(readFileSync(await download.path())).toEqual(pdf.buffer);
    await id('robot-message').filter({ hasText: '收到 1 个文件。' }).waitFor();
    await ask('里面写了什么？');
    expect(await (await card('finished')).textContent()).toContain('报销制度 2026.pdf');
  });

  test('a voice is what DingTalk understood of it, else what the app transcribes', async () => {
    await open();
    await id('attach-voice').click();
    await id('voice-zh').click();
    expect(await id('entry').first().textContent()).toContain('钉钉识别：“年假怎么申请”');
    expect(await (await card('finished')).textContent()).toContain('工作台');
    await id('attach-voice').press('Enter');
    await id('voice-unclear').press('Enter');
    await playground().until(({ calls }) => calls.some(({ name, ms }) => name === '/audio-to-text' && ms !== null));
    await playground().until(
      ({ items }) => items.filter((item) => item.kind === 'card' && item.phase === 'finished').length === 2,
    );
    expect(await (await card('finished')).textContent()).toContain('工作台');
  });

  test('in a group only pictures go to the robot, and the page says so', async () => {
    const page = await open();
    await openChat('group');
    expect(await id('composer-hint').textContent()).toContain('群里只能发文字和图片');
    for (const name of ['attach-file', 'attach-video', 'attach-voice']) {
      expect(await id(name).getAttribute('aria-disabled')).toBe('true');
    }
    // Not `disabled`: who cannot see the hint is told on the press.
    await id('attach-file').focus();
    await page.keyboard.press('Enter');
    expect(await id('composer-problem').textContent()).toContain('单聊');
    await giveFile(page, 'drop', '.timeline', 'notes.txt');
    expect(await id('attachment').count()).toBe(0);
    await giveFile(page, 'paste', '#message', 'image.png');
    await page.locator(isReady).waitFor();
    await ask('看图');
    await card('finished');
    expect(await kindsDelivered()).toEqual(['picture']);
  });

  test('what the app makes is shown: a picture to look at, files to keep', async () => {
    const page = await open();
    await ask('导出上半年工单，再画一张图');
    await card('finished');
    await id('robot-file').nth(2).waitFor();
    await loaded(page, 'robot-file');
    const names = await page.evaluate<string[]>(DOWNLOADS);
    // A table as text is nothing that DingTalk takes; it is packed.
    expect(names.toSorted()).toEqual(['月度工单.pdf', '月度工单.zip']);
    const { calls } = await playground().snapshot();
    expect(calls.filter(({ name }) => name === 'media/upload')).toHaveLength(3);
    expect(calls.filter(({ name }) => name === 'oToMessages/batchSend')).toHaveLength(3);
    await page.reload();
    await id('robot-file').nth(2).waitFor();
  });

  test('a quoted message is above the reply, and goes to the app', async () => {
    const page = await open();
    await ask('一句话说明调休何时生效');
    await card('finished');
    await id('quote').last().click();
    expect(await id('quote-bar').textContent()).toContain('次日');
    // What the panel is opened for leaves the focus where it is.
    await id('details').last().focus();
    await id('details').last().press('Enter');
    expect(await page.evaluate('document.activeElement?.dataset.testid')).toBe('details');
    await ask('一句话：这是什么意思？');
    await id('quoted').waitFor();
    expect(await id('quoted').textContent()).toContain('云杉小助手: 可以的，**次日**生效。');
    await id('quote-bar').waitFor({ state: 'hidden' });
    const { calls } = await playground().until(
      ({ calls: now }) => now.filter(({ name }) => name === '/chat-messages').length === 2,
    );
    expect(calls.filter(({ name }) => name === '/chat-messages')[1]?.request).toContain('次日');
  });

  test('what was said is forwarded as a record, and asked about', async () => {
    await open();
    await id('forward-record').click();
    expect(await id('composer-problem').textContent()).toContain('还没有可以转发的内容');
    await ask('一句话说明调休何时生效');
    await card('finished');
    await id('forward-record').click();
    await id('record').waitFor();
    expect(await id('record').textContent()).toContain('一句话说明调休何时生效');
    await expect.poll(() => id('about').textContent()).toBe('“聊天记录”');
    const { calls } = await playground().until(
      ({ calls: now }) => now.filter(({ name }) => name === '/chat-messages').length === 2,
    );
    expect(calls.filter(({ name }) => name === '/chat-messages')[1]?.request).toContain('请看这段聊天记录');
  });

  test('nothing is lost of a message that cannot be sent, wherever one is when that shows', async () => {
    const page = await open();
    await ask('/help');
    await id('robot-message').waitFor();
    await id('quote').last().click();
    await id('input-file').setInputFiles({ name: 'a.pdf', mimeType: 'application/pdf', buffer: PIXEL });
    await page.locator(isReady).waitFor();
    const held = Promise.withResolvers<void>();
    // What the page makes of a server that is away.
    await page.route('**/playground/send', (route) => held.promise.then(() => route.fulfill({ json: null })));
    await ask('总结一下');
    await openChat('colleague');
    await id('composer').fill('另一句');
    held.resolve();
    await id('composer-problem').filter({ hasText: '没有发出去' }).waitFor();
    expect(await id('composer').inputValue()).toBe('另一句');
    await openChat('own');
    const kept = async () => [await id('composer').inputValue(), await id('attachment').count()];
    expect(await kept()).toEqual(['总结一下', 1]);
    expect(await id('quote-bar').isVisible()).toBe(true);
    await id('chip').first().click();
    await id('composer-problem').filter({ hasText: '没有发出去' }).waitFor({ timeout: 5_000 });
    await id('language').click();
    expect(await kept()).toEqual(['总结一下', 1]);
    await page.unroute('**/playground/send');
    await id('send').click();
    await id('quoted').waitFor();
    expect(await kept()).toEqual(['', 0]);
    expect(await id('quote-bar').isVisible()).toBe(false);
    expect(await kindsDelivered()).toEqual(['text', 'file', 'text']);
  });

  test('what is too large is refused before it is sent', async () => {
    const page = await open();
    await page.evaluate(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(26 * 1024 * 1024)], 'large.zip'));
      document.querySelector('.timeline').dispatchEvent(new DragEvent('drop', { bubbles: true, dataTransfer: transfer }));
    })()`);
    expect(await id('composer-problem').textContent()).toContain('large.zip 超过 25 MB');
    const address = `${playground().url}/playground/upload?name=large.zip`;
    const body = new Uint8Array(25 * 1024 * 1024 + 1);
    const refused = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });
    expect(refused.status).toBe(413);
  });
});
