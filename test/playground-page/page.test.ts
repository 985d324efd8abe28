import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Snapshot } from '../../playground/server/protocol.ts';
import { describeWith } from '../support/require.ts';
import { SLOW, usePage } from './page-tools.ts';

/** Controls that a screen reader could only call "button". */
const NAMELESS_CONTROLS = `[...document.querySelectorAll('button, select, textarea')]
  .filter((control) => !(control.getAttribute('aria-label') ?? control.textContent).trim() && !control.labels?.length)
  .map((control) => control.outerHTML)`;
const AT_END = `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 4)(document.querySelector('.timeline'))`;
/** The first state lasts no longer than a call to DingTalk, too short to be waited for. */
const RECORD_PHASES = `globalThis.phases = [];
  new MutationObserver(() => {
    const phase = document.querySelector('.card')?.dataset.phase;
    if (phase && phase !== phases.at(-1)) phases.push(phase);
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-phase'] })`;
/** How much is to be read, at each step of the typing. */
const RECORD_LENGTHS = `globalThis.lengths = [];
  new MutationObserver(() => {
    const text = document.querySelector('[data-phase=typing] [data-testid=card-text]')?.textContent;
    if (text) lengths.push(text.length);
  }).observe(document.body, { subtree: true, childList: true, characterData: true })`;
/** Draws a list of fields, then one whose first field is another; the last has the focus. Whether it still has it. */
const FOCUS_STAYS = `import('/page/dom.js').then(({ h, reconcile }) => {
  const list = h('div', null);
  document.body.append(list);
  const show = (keys) => reconcile(list, keys, { key: (key) => key, create: () => h('input', null) });
  show(['first', 'last']);
  list.lastElementChild.focus();
  show(['another', 'last']);
  return document.activeElement === list.lastElementChild && list.children.length === 2;
})`;
const PANEL_FITS = `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('.tab-body'))`;

describeWith('chromium', 'the page of the playground', (executablePath) => {
  const { playground, open, id, ask, openChat, card: lastCard, atSpeed, reconnect } = usePage(executablePath);
  const switchOn = async (page: Page, name: string) => {
    await id('tab-trouble').click();
    await id(`trouble-${name}`).click();
    await id(`trouble-${name}`).and(page.locator('[aria-checked=true]')).waitFor();
  };

  test('a question streams into a card: processing, typing, finished, with a real table', async () => {
    const page = await open({ reducedMotion: 'no-preference' });
    atSpeed(1);
    await page.evaluate(RECORD_PHASES);
    await page.evaluate(RECORD_LENGTHS);
    await ask('差旅标准是多少？请用表格');
    const card = await lastCard('typing');
    expect(await id('card-processing').textContent()).toContain('正在处理');
    await lastCard('finished');
    const lengths = await page.evaluate<number[]>('lengths');
    // Typed in many more steps than there are frames, and never backwards, but for a row's bars that become a table.
    expect(new Set(lengths).size).toBeGreaterThan(12);
    const fallen = lengths.map((length, index) => Math.max(0, ...lengths.slice(0, index)) - length);
    expect(Math.max(...fallen)).toBeLessThanOrEqual(12);
    expect(await page.evaluate<string[]>('phases')).toEqual(['processing', 'typing', 'finished']);
    expect(await card.getByRole('columnheader').count()).toBe(4);
    expect(await card.getByRole('cell').count()).toBe(12);
    expect(await id('card-footer').textContent()).toContain('AI 生成');
    expect(await id('chat-line').first().textContent()).toContain('差旅住宿');
    expect(await page.getByRole('status').textContent()).toContain('回答完成');
  });

  test('in a group the question mentions the robot, and the card its asker', async () => {
    await open();
    await openChat('group');
    await id('speaker').selectOption('staff-0002');
    await ask('一句话');
    const card = await lastCard('finished');
    expect(await id('card-mentions').textContent()).toBe('@李哲');
    expect(await id('entry').first().textContent()).toContain('@云杉小助手 一句话');
    expect(await card.locator('strong').textContent()).toBe('次日');
  });

  test('600 characters cost at most 8 calls, and the panel says what that means', async () => {
    const page = await open();
    await ask('压测：600 字匀速回答');
    await lastCard('finished');
    const asked = (await playground().snapshot()).items.find(({ kind }) => kind === 'question')?.id;
    // Beside the answer: the suggested questions. The callback's address is registered once for an instance.
    const besideIn = ({ calls: now }: Snapshot) =>
      now.filter(({ question, name }) => question === asked && name === 'card/instances');
    const seen = await playground().until((now) =>
      besideIn(now).some(({ name, ms }) => name === 'card/instances' && ms !== null),
    );
    const beside = besideIn(seen).length;
    await id('bars').getByText('card/instances').waitFor();
    const calls = Number(await id('tile-calls').locator('.value').textContent());
    expect(calls - beside).toBeGreaterThanOrEqual(3);
    expect(calls - beside).toBeLessThanOrEqual(8);
    expect(await id('tile-calls').textContent()).toContain(`约 ${Math.floor(5000 / calls)} 个回答`);
    // What the panel counts is what the log counts.
    for (const [tile, field] of [
      ['calls', 'calls'],
      ['store', 'storeRequests'],
    ] as const) {
      const shown = await id(`tile-${tile}`).locator('.value').textContent();
      expect(await id(`logged-${field}`).textContent()).toBe(`日志 ${field}：${shown}`);
    }
    expect(await id('tile-ack').textContent()).toMatch(/\d m?s/);
    await id('tab-calls').click();
    // The callback comes first, and can be copied.
    const callback = id('call').first();
    expect(await callback.getAttribute('data-service')).toBe('callback');
    await callback.locator('summary').click();
    await callback.getByTestId('copy-curl').click();
    await callback.getByTestId('curl-text').waitFor();
    expect(await callback.getByTestId('curl-text').textContent()).toContain(
      'curl -sS -X POST "$PUBLIC_URL/api/dingtalk"',
    );
    await callback.locator('summary').click();
    await id('call').filter({ hasText: 'createAndDeliver' }).locator('summary').click();
    await page.getByText('"outTrackId"').first().waitFor();
    await id('tab-frames').click();
    expect(await id('frame').count()).toBe(calls - beside - 1);
    await id('frame').first().click();
    const first = await id('frame-text').textContent();
    await id('frame').last().click();
    expect((await id('frame-text').textContent())?.length).toBeGreaterThan(first?.length ?? 0);
    expect(await id('frame-seen').textContent()).toBe(await id('card-text').textContent());
    await id('tab-log').click();
    expect(await id('log-line').last().textContent()).toContain('turn_finished');
  });

  test('commands are answered by messages, and a redelivery changes nothing', async () => {
    const page = await open();
    await page.locator('[data-group=commands]').click();
    await id('chip').filter({ hasText: '/new' }).click();
    await id('robot-message').waitFor();
    expect(await id('robot-message').textContent()).toContain('新会话');
    await id('chip').filter({ hasText: '/id' }).click();
    await id('robot-message').nth(1).waitFor();
    expect(await id('robot-message').nth(1).textContent()).toContain('staff-0001');
    await id('redeliver').first().click();
    await page.getByText('又投递了 1 次').waitFor();
    expect(await id('robot-message').count()).toBe(2);
  });

  test('a refused card becomes a message that mentions its asker', async () => {
    const page = await open();
    await openChat('group');
    await switchOn(page, 'cardRefused');
    expect(await id('trouble-badge').textContent()).toContain('1 个故障');
    expect(await id('you-are').textContent()).toBe('你是 张晓雯（行政经理），群里还有 李哲、周一航、云杉小助手');
    await ask('差旅标准是多少？请用表格');
    await id('robot-message').waitFor();
    expect(await id('robot-message').textContent()).toContain('@张晓雯');
    expect(await id('robot-message').getByRole('table').count()).toBe(1);
    expect(await id('card').count()).toBe(0);
    await id('tab-calls').click();
    expect(await id('call').filter({ hasText: 'createAndDeliver' }).textContent()).toContain('400 templateUnpublished');
  });

  test('without a template no card is tried', async () => {
    const page = await open();
    await switchOn(page, 'noTemplate');
    await ask('一句话');
    await id('robot-message').waitFor();
    await id('tab-answer').click();
    expect(await id('tile-calls').locator('.value').textContent()).toBe('0');
  });

  test('an error of Dify ends in a failed card with a sentence and a reference', async () => {
    const page = await open();
    await switchOn(page, 'difyError');
    await ask('年假怎么申请');
    const card = await lastCard('failed');
    expect(await card.textContent()).toMatch(/模型调用失败.*编号 [0-9a-f]{8}.*出错了/);
    expect(await card.textContent()).not.toContain('openai');
    await id('tab-answer').click();
    const link = await id('tile-store').getByTestId('doc-link').elementHandle();
    // Longer than the panel's clock: a press on it that has begun is not lost.
    await page.waitForTimeout(600);
    expect(await link?.evaluate(({ isConnected }) => isConnected)).toBe(true);
    await id('tab-log').click();
    await page.locator('[data-testid=log-line] [data-testid=doc-link]').waitFor();
    const address = await id('doc-link').first().getAttribute('href');
    expect(address).toBe('/docs/operations.zh-CN.md#dify_model_failed');
    const shown = await fetch(new URL(address ?? '', playground().url));
    expect(await shown.text()).toContain('id="dify_model_failed"');
  });

  test('without a store there is still an answer', async () => {
    const page = await open();
    await switchOn(page, 'storeDown');
    await ask('一句话');
    expect(await (await lastCard('finished')).textContent()).toContain('次日');
  });

  test('everything is there again after a reload, and gone after a reset', async () => {
    const page = await open();
    await ask('一句话');
    await lastCard('finished');
    await page.reload();
    await lastCard('finished');
    expect(await id('card-text').textContent()).toBe('可以的，次日生效。');
    // The bin asks first; Escape keeps everything.
    await id('reset').click();
    await id('reset-keep').waitFor();
    await page.keyboard.press('Escape');
    expect(await id('card').count()).toBe(1);
    await id('reset').click();
    await id('reset-yes').click();
    await page.getByText('问点什么吧').waitFor();
    expect(await id('entry').count()).toBe(0);
  });

  test('stays at the end as messages come, unless one scrolls up', async () => {
    const page = await open({ viewport: { width: 1440, height: 500 } });
    const isAtEnd = () => page.evaluate<boolean>(AT_END);
    for (let count = 1; count <= 4; count += 1) {
      await ask('/help');
      await id('robot-message')
        .nth(count - 1)
        .waitFor();
      await expect.poll(isAtEnd).toBe(true);
    }
    await id('timeline').hover();
    await page.mouse.wheel(0, -400);
    await expect.poll(isAtEnd).toBe(false);
    await playground().post('redeliver', { id: (await playground().snapshot()).items[0]?.id });
    await page.getByText('又投递了 1 次').waitFor({ state: 'attached' });
    expect(await isAtEnd()).toBe(false);
    await reconnect();
    expect(await isAtEnd()).toBe(false);
    await page.getByText('回到最新').click();
    await expect.poll(isAtEnd).toBe(true);
    await id('timeline').hover();
    await page.mouse.wheel(0, -4000);
    await page.getByText('回到最新').waitFor();
    await playground().post('reset', {});
    await page.getByText('问点什么吧').waitFor();
    await page.getByText('回到最新').waitFor({ state: 'hidden', timeout: 5_000 });
  });

  test('stays at the end where the layout moves it, and no person', async () => {
    const page = await open({ viewport: { width: 1440, height: 500 } });
    for (const index of [0, 1]) {
      await ask('/help');
      await id('robot-message').nth(index).waitFor();
    }
    const isAtEnd = () => page.evaluate<boolean>(AT_END);
    await expect.poll(isAtEnd).toBe(true);
    // As when the field for the question becomes smaller while a message comes.
    await page.evaluate(`((timeline) => {
      timeline.scrollTop -= 5;
      const message = [...timeline.querySelectorAll('[data-testid=robot-message]')].at(-1);
      message.style.paddingBottom = '300px';
    })(document.querySelector('.timeline'))`);
    await page.waitForTimeout(200);
    expect(await isAtEnd()).toBe(true);
  });

  test('what stays of a list is not moved when something before it goes', async () => {
    const page = await open();
    expect(await page.evaluate(FOCUS_STAYS)).toBe(true);
  });

  test('works by keyboard alone', async () => {
    const page = await open();
    const active = () => page.evaluate<string>("document.activeElement?.getAttribute('data-testid') ?? ''");
    expect(await active()).toBe('composer');
    const seen = new Set<string>();
    for (let step = 0; step < 40 && !seen.has('app-choice'); step += 1) {
      await page.keyboard.press('Shift+Tab');
      seen.add(await active());
    }
    expect([...seen]).toEqual(expect.arrayContaining(['app-choice', 'theme', 'language', 'chat', 'chip']));
    // A group of chips is opened, and what asks first is answered, without a pointer.
    await page.locator('[data-group=commands]').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-chip=help]').focus();
    await page.keyboard.press('Space');
    await id('robot-message').waitFor();
    await id('reset').focus();
    await page.keyboard.press('Enter');
    await id('reset-keep').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('问点什么吧').waitFor();
    expect(await active()).toBe('reset');
    await id('composer').focus();
    await page.keyboard.type('第一行');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('一句话');
    await page.keyboard.press('Enter');
    await lastCard('finished');
    expect(await id('entry').first().textContent()).toContain('第一行\n一句话');
    await id('tab-answer').focus();
    await page.keyboard.press('ArrowRight');
    expect(await id('tab-calls').getAttribute('aria-selected')).toBe('true');
    const nameless = await page.evaluate<string[]>(NAMELESS_CONTROLS);
    expect(nameless).toEqual([]);
  });

  test('fits a phone without scrolling sideways', async () => {
    const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true });
    const fits = () => page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
    await id('view-chats').click();
    await openChat('smallGroup');
    await ask('差旅标准是多少？请用表格');
    await lastCard('finished');
    expect(await fits()).toBe(true);
    await id('details').last().click();
    await id('tile-calls').waitFor();
    const tooWide: string[] = [];
    for (const tab of ['answer', 'calls', 'frames', 'log', 'trouble']) {
      await id(`tab-${tab}`).click();
      if (!(await fits()) || !(await page.evaluate<boolean>(PANEL_FITS))) tooWide.push(tab);
    }
    expect(tooWide).toEqual([]);
    expect(await id('composer').isVisible()).toBe(false);
    await id('view-chats').click();
    expect(await fits()).toBe(true);
  });

  test('follows the system into the dark, and can be told otherwise', async () => {
    const page = await open({ colorScheme: 'dark' });
    const background = () =>
      page.evaluate<string>("getComputedStyle(document.querySelector('.panel')).backgroundColor");
    expect(await background()).toBe('rgb(27, 30, 35)');
    await id('theme').click();
    expect(await background()).toBe('rgb(255, 255, 255)');
    await page.reload();
    await id('composer').waitFor();
    expect(await background()).toBe('rgb(255, 255, 255)');
  });

  test('speaks the language of the browser, and the other one on request', async () => {
    const page = await open({ locale: 'en-GB' });
    await id('composer').fill('half a question');
    expect(await id('tab-calls').textContent()).toBe('Calls');
    expect(await id('you-are').textContent()).toContain('You are Zhang Xiaowen');
    expect((await playground().snapshot()).setup.replyLanguage).toBe('en');
    // A server that was started again has forgotten it.
    await playground().post('config', { replyLanguage: 'zh-CN' });
    await reconnect();
    await playground().until(({ setup }) => setup.replyLanguage === 'en');
    await id('language').click();
    await playground().until(({ setup }) => setup.replyLanguage === 'zh-CN');
    expect(await id('tab-calls').textContent()).toBe('调用');
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    expect(await id('composer').inputValue()).toBe('half a question');
  });

  test('does not type for people who want less motion', async () => {
    await open({ reducedMotion: 'reduce' });
    atSpeed(SLOW);
    await ask('差旅标准是多少？请用表格');
    const card = await lastCard('typing');
    expect(await card.locator('.caret').count()).toBeLessThanOrEqual(1);
    await lastCard('finished');
    expect(await card.getByRole('cell').count()).toBe(12);
  });
});
