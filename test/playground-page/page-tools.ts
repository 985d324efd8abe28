// A browser with the page of a playground of its own, for the tests of what one can do in it.
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { openPlayground, PIXEL, SPEED, type Playground } from './playground.ts';

/** The machine that runs this may be slow and busy; nothing here waits longer than it has to. */
const PATIENCE_MS = 45_000;

const VIEWPORT = { width: 1440, height: 900 };

/** Slow enough for a page on a busy machine to be in time for what an answer in the making offers. */
export const SLOW = 4;

/** The chats of the page, from the top. */
export const CHATS = { own: 0, colleague: 1, group: 3, smallGroup: 4 } as const;

/** Keeps the page's connection at hand; for the next time that the page is loaded. */
const KEEP_EVENTS = `globalThis.EventSource = class extends EventSource {
  constructor(address) {
    super(address);
    globalThis.events = this;
  }
}`;
/** What the page gets when it has its connection again: everything there is. */
const RECONNECT = `fetch('/playground/snapshot')
  .then((response) => response.text())
  .then((data) => events.dispatchEvent(new MessageEvent('snapshot', { data })))`;

export interface PageTools {
  playground: () => Playground;
  open: (options?: BrowserContextOptions, address?: string) => Promise<Page>;
  id: (name: string) => Locator;
  ask: (text: string) => Promise<void>;
  openChat: (chat: keyof typeof CHATS) => Promise<void>;
  /** The card that comes latest, once it is in this state. */
  card: (phase: string) => Promise<Locator>;
  chooseApp: (app: string) => Promise<void>;
  /** The connection to the server was lost and is there again. */
  reconnect: () => Promise<void>;
  /** How much faster than in reality everything but the page is, from here to the end of the test. */
  atSpeed: (speed: number) => void;
}

/**
 * To be called in a suite; everything is started and ended with it. Tests that ask for nothing special share one page,
 * which begins afresh: a page of its own costs a test more than all the rest that it does. Nothing moves in it, unless a
 * test asks for that: what moves is drawn sixty times a second, and that costs more than the answer itself.
 */
export function usePage(executablePath: string, { pictures = false } = {}): PageTools {
  let playground: Awaited<ReturnType<typeof openPlayground>>;
  let browser: Browser;
  let shared: Page;
  let page: Page;
  let problems: string[] = [];

  const newPage = async (options: BrowserContextOptions) => {
    const context = await browser.newContext({ locale: 'zh-CN', ...options });
    const made = await context.newPage();
    await made.addInitScript(KEEP_EVENTS);
    made.setDefaultTimeout(PATIENCE_MS);
    made.on('pageerror', (error) => problems.push(error.message));
    made.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    // Pictures of other sites: the network has nothing to do with these tests.
    if (pictures) await context.route(/^https:/, (route) => route.fulfill({ contentType: 'image/png', body: PIXEL }));
    return made;
  };

  beforeAll(async () => {
    playground = await openPlayground();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    shared = await newPage({});
  });
  afterAll(async () => {
    await browser.close();
    await playground.close();
  });
  afterEach(async () => {
    if (page === shared) {
      await page.evaluate('localStorage.clear()');
      await page.unrouteAll();
      await page.mouse.move(0, 0);
      await page.goto('about:blank');
    } else {
      await page.context().close();
    }
    const { setup } = await playground.snapshot();
    for (const [name, on] of Object.entries(setup.trouble)) {
      if (on) await playground.post('trouble', { name, on: false });
    }
    playground.clock.speed = SPEED;
    await playground.post('config', { app: 'chat', buttons: true, press: 'cardPrivateData' });
    await playground.post('config', { followsPage: true, replyLanguage: 'zh-CN' });
    await playground.post('reset', {});
    expect(problems).toEqual([]);
  });

  const id = (name: string) => page.getByTestId(name);
  return {
    playground: () => playground,
    id,
    async open(
      { viewport = VIEWPORT, colorScheme = 'light', reducedMotion = 'reduce', ...options } = {},
      address = '/',
    ) {
      page = Object.keys(options).length > 0 ? await newPage(options) : shared;
      problems = [];
      if (viewport) await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion });
      await page.goto(`${playground.url}${address}`);
      if (address === '/') await id('composer').waitFor();
      return page;
    },
    async ask(text) {
      await id('composer').fill(text);
      await id('composer').press('Enter');
    },
    openChat: (chat) => id('chat').nth(CHATS[chat]).click(),
    async card(phase) {
      const card = id('card').last();
      await card.and(page.locator(`[data-phase=${phase}]`)).waitFor();
      return card;
    },
    reconnect: () => page.evaluate(RECONNECT),
    atSpeed(speed) {
      playground.clock.speed = speed;
    },
    async chooseApp(app) {
      await id('app-choice').selectOption(app);
      await playground.until(({ setup }) => setup.app === app);
    },
  };
}
