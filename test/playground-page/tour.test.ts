import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFixture } from '../../playground/server/fixture.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifySimulator } from '../../playground/dify/types.ts';
import { describeWith } from '../support/require.ts';
import { usePage } from './page-tools.ts';
import { openPlayground, type Playground } from './playground.ts';

const STEPS = ['ack', 'open', 'frames', 'typing', 'final', 'store', 'reference', 'death'];

interface Fixture {
  version: number;
  language: string;
  robot: Record<string, unknown>;
  omitted: number;
  messages: { id: string; kind: string; headers?: Record<string, string>; body?: Record<string, unknown> }[];
  dify: { message: string; path: string; request: { user?: string } | null; response: string | null }[];
  cards: { message: string; phase: string; frames: { content: string; final: boolean }[] }[];
}

describeWith('chromium', 'the tour of one message', (executablePath) => {
  const { open, id, ask, openChat, card, playground } = usePage(executablePath);
  const at = (step: string) =>
    id('tour')
      .and(id('tour').page().locator(`[data-step=${step}]`))
      .waitFor();
  const titles = () => id('tour-title').textContent();
  const values = () => id('tour-number').locator('dd').allTextContents();
  /** All numbers of the step have come; then the value of each. */
  const numbers = async (page: Page) => {
    await page.locator('.tour-numbers:has(> [data-known]):not(:has(> :not([data-known])))').waitFor();
    return values();
  };
  const focused = (page: Page) => page.evaluate<string | undefined>('document.activeElement?.dataset.testid');
  /** Whether the ring is around the question. */
  const isInSight = (page: Page) => page.locator('[data-testid=tour-ring]:visible').isVisible();
  const fits = (page: Page) =>
    page.evaluate<boolean>(`(({ left, top, right, bottom }) =>
      left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight)(
      document.querySelector('.tour-card').getBoundingClientRect())`);

  test('asks by itself, and each step tells the numbers of this question', async () => {
    const page = await open();
    await id('tour-offer').click();
    for (const [index, step] of STEPS.entries()) {
      await at(step);
      expect(await id('tour-progress').textContent()).toBe(`导览 · ${index + 1} / ${STEPS.length}`);
      for (const value of await numbers(page)) expect(value).toMatch(/\d/);
      await id('tour-ring').waitFor();
      expect(await focused(page)).toBe('tour');
      await expect.poll(() => fits(page)).toBe(true);
      if (step !== 'death') await id('tour-next').click();
    }
    // The card names the switch that it points at.
    expect(await id('tour').textContent()).toContain('故障开关：终止函数');
    await id('trouble-functionKilled').waitFor();
    await id('tour-back').click();
    await at('reference');
    const { items, logs, calls } = await playground().snapshot();
    const asked = items.filter(({ kind }) => kind === 'question');
    expect(asked).toHaveLength(1);
    const own = logs.filter(({ question }) => question === asked[0]?.id);
    expect((await values()).slice(0, 2)).toEqual([String(own[0]?.fields['turn']), String(own.length)]);
    await id('tour-back').click();
    await at('store');
    const stored = calls.filter(({ question, service }) => question === asked[0]?.id && service === 'store');
    expect((await values())[0]).toBe(String(stored.length));
    await id('tour-close').click();
    await id('tour').waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('tour-open');
  });

  test('keeps in sight what the first step points at while the answer grows', async () => {
    const page = await open();
    await id('tour-offer').click();
    await at('ack');
    await card('finished');
    // The greeting, the answer and what follows it are taller than the window by now.
    await page.getByTestId('button-ask').first().waitFor();
    await expect.poll(() => isInSight(page)).toBe(true);
    await page.mouse.move(400, 400);
    await page.mouse.wheel(0, 5_000);
    // Whoever scrolls is left alone.
    await id('tour-ring').waitFor({ state: 'hidden' });
    await page.waitForTimeout(300);
    expect(await isInSight(page)).toBe(false);
  });

  test('obeys the keyboard, and goes on in the other language', async () => {
    const page = await open();
    const held = Promise.withResolvers<void>();
    await page.route('**/playground/send', (route) => held.promise.then(() => route.continue()));
    await id('tour-open').press('Enter');
    // The tour is about the chat in which it asks.
    await openChat('group');
    held.resolve();
    await at('ack');
    expect(await id('chat').first().getAttribute('aria-current')).toBe('true');
    await page.keyboard.press('ArrowLeft');
    await at('ack');
    await page.keyboard.press('ArrowRight');
    await at('open');
    await page.keyboard.press('ArrowRight');
    await at('frames');
    await page.keyboard.press('ArrowLeft');
    await at('open');
    const chinese = await titles();
    await id('language').click();
    await at('open');
    expect(await titles()).toBe('The card opens while Dify is asked');
    expect(await titles()).not.toBe(chinese);
    expect(await id('tour-progress').textContent()).toBe('Tour · 2 / 8');
    // The arrows belong to the card of the tour, not to whoever types.
    await id('composer').fill('ab');
    await id('composer').press('ArrowLeft');
    await at('open');
    await page.keyboard.press('Escape');
    await id('tour').waitFor({ state: 'hidden' });
    expect((await playground().snapshot()).items.filter(({ kind }) => kind === 'question')).toHaveLength(1);
  });

  test('fits a phone, without motion, and says when there was no card', async () => {
    await playground().post('trouble', { name: 'noTemplate', on: true });
    const page = await open({
      viewport: { width: 360, height: 740 },
      locale: 'en-GB',
      colorScheme: 'dark',
      reducedMotion: 'reduce',
    });
    await id('tour-open').click();
    for (const step of STEPS) {
      await at(step);
      await expect.poll(() => fits(page)).toBe(true);
      if (step === 'frames') await id('tour').getByText('No card was used').waitFor();
      if (step !== 'death') await page.keyboard.press('ArrowRight');
    }
    const motion = `getComputedStyle(document.querySelector('.tour-ring')).transitionDuration`;
    expect(await page.evaluate<string>(motion)).toBe('0s');
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await id('tour-next').click();
    await id('tour').waitFor({ state: 'hidden' });
  });

  test('what happened can be downloaded, one answer or all', async () => {
    const page = await open();
    await ask('一句话');
    await card('finished');
    const first = (await playground().snapshot()).items.find(({ kind }) => kind === 'question')?.id;
    await ask('差旅标准是多少？请用表格');
    await id('card').nth(1).and(page.locator('[data-phase=finished]')).waitFor();
    const fetched = async (link: string) => {
      const waiting = page.waitForEvent('download');
      await id(link).click();
      const download = await waiting;
      expect(download.suggestedFilename()).toBe('playground-fixture.json');
      return JSON.parse(await readFile(await download.path(), 'utf8')) as Fixture;
    };
    const one = await fetched('export-one');
    expect(one.messages.map(({ body }) => body?.['text'])).toEqual([{ content: '差旅标准是多少？请用表格' }]);
    const all = await fetched('export-all');
    expect(all.messages.map(({ id: message }) => message)).toEqual([first, one.messages[0]?.id]);
    expect(all.cards.map(({ phase }) => phase)).toEqual(['finished', 'finished']);
  });
});

const MARKED = {
  key: 'app-marked-real-key-7f3e',
  input: 'marked-input-token-"19ab',
};

describe('the export of a session', () => {
  let dify: DifySimulator;
  let playground: Playground;
  beforeAll(async () => {
    dify = await createDifySimulator({ apps: { [MARKED.key]: { mode: 'advanced-chat', name: 'mine' } } });
    playground = await openPlayground({
      DIFY_API_URL: dify.url,
      DIFY_API_KEY: MARKED.key,
      DIFY_INPUTS: JSON.stringify({ crmToken: MARKED.input, staff: '{{staffId}}', nick: '{{nick}}' }),
    });
  });
  afterAll(async () => {
    await playground.close();
    await dify.close();
  });
  const exported = (query = '') => fetch(`${playground.url}/playground/export${query}`);

  test('has the callback, the whole stream and the frames; no secret and nobody’s id', async () => {
    const { chats, people } = await playground.snapshot();
    const single = chats[0]?.id ?? '';
    const group = chats.find(({ kind }) => kind === 'group')?.id ?? '';
    const text = `压测：600 字匀速回答 ${MARKED.key} 张晓雯`;
    const long = await playground.ask({ chat: single, from: 'staff-0001', text });
    await playground.ask({ chat: group, from: 'union-0003', text: '一句话' });
    const whole = await (await exported()).text();
    const fixture = JSON.parse(whole) as Fixture;
    expect(fixture).toMatchObject({ version: 1, language: 'zh-CN', omitted: 0 });
    expect(fixture.robot).toMatchObject({ isSample: false, streaming: 'balanced', troubles: [] });
    const [message] = fixture.messages;
    expect(Object.keys(message?.headers ?? {}).toSorted()).toEqual(['content-type', 'timestamp']);
    expect(message?.body).toMatchObject({
      msgtype: 'text',
      text: { content: '压测：600 字匀速回答 removed Person 1' },
      senderStaffId: 'person-1',
      senderId: 'person-1',
      senderNick: 'Person 1',
      conversationId: 'chat-1',
    });
    const run = fixture.dify.find((each) => each.message === long && each.path.endsWith('/chat-messages'));
    expect(run?.request).toMatchObject({
      user: 'person-1',
      inputs: { crmToken: 'removed', staff: 'person-1', nick: 'Person 1' },
    });
    // What the panel shows of it is cut.
    expect(run?.response?.length).toBeGreaterThan(8_000);
    expect(run?.response).toMatch(/^(?:data|event): .*"event": ?"message_end".*\n\n$/s);
    const card = fixture.cards.find((each) => each.message === long);
    expect(card?.frames.at(-1)).toMatchObject({ final: true });
    expect(card?.frames.at(-1)?.content.length).toBe(600);

    const { items } = await playground.snapshot();
    expect(JSON.stringify(items)).toContain(MARKED.key);
    expect(dify.runs[0]?.inputs).toMatchObject({ crmToken: MARKED.input });
    // Nor does the panel have the secret that taps are signed with.
    expect(JSON.stringify((await playground.snapshot()).calls)).toMatch(/apiSecret(?:\\+":\\+")removed/);
    expect(JSON.stringify((await playground.snapshot()).calls)).not.toMatch(/apiSecret(?:\\+":\\+")(?!removed)/);
    const ids = people.flatMap(({ id, name, staffId }) => [id, name, staffId ?? id]);
    for (const gone of [MARKED.key, 'marked-input', 'playground-client-secret', ...ids, ...chats.map(({ id }) => id)]) {
      expect(whole).not.toContain(gone);
    }
    // Encrypted ids, union ids in them, addresses that answer, signatures.
    expect(whole).not.toMatch(/LWCP|union-|dW5pb24|session=(?!removed)|"sign"/);
    // The same names for the same people in another export.
    const again = (await (await exported(`?question=${encodeURIComponent(long)}`)).json()) as Fixture;
    expect(again.messages).toEqual([message]);
    expect(again.dify.every((each) => each.message === long)).toBe(true);
  });

  test('is refused to other sites and for a message that is gone; after a reset there is nothing', async () => {
    const other = await fetch(`${playground.url}/playground/export`, { headers: { origin: 'http://evil.test' } });
    expect(other.status).toBe(403);
    expect((await exported('?question=gone')).status).toBe(404);
    await playground.post('reset', {});
    expect(((await (await exported()).json()) as Fixture).messages).toEqual([]);
  });

  test('leaves out the oldest where it would be too much, and is refused where one alone is', async () => {
    const { setup } = await playground.snapshot();
    const recording = (question: string, chars: number) => ({
      question,
      at: 0,
      setup,
      input: { kind: 'tap' as const, tap: { outTrackId: 'card', userId: 'staff-0001', actionId: 'like', params: {} } },
      exchanges: [
        {
          method: 'POST',
          path: '/v1/chat-messages',
          request: null,
          status: 200,
          contentType: 'text/event-stream',
          response: 'x'.repeat(chars),
          isCut: false,
        },
      ],
    });
    const write = (...sizes: number[]) =>
      writeFixture({
        recordings: sizes.map((chars, index) => recording(`q${index}`, chars)),
        items: [],
        frames: [],
        people: [],
        chats: [],
        secrets: [],
        setup,
      });
    const kept = JSON.parse(write(4_000_000, 2_000_000, 2_000_000) ?? '') as Fixture;
    expect(kept.omitted).toBe(1);
    expect(kept.messages.map(({ id }) => id)).toEqual(['q1', 'q2']);
    expect(write(1, 6_000_000)).toBeNull();
  });
});
