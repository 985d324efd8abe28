import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CardItem, ChatItem, MessageItem, QuestionItem, Snapshot } from '../../playground/server/protocol.ts';
import { describeWith } from '../support/require.ts';
import { createSteppingClock } from '../support/virtual-clock.ts';
import { chipWords, openPlayground, type ChipWords, type Playground } from './playground.ts';

/** All chips, in the order in which they are pressed. */
const CHIPS = {
  commands: ['new', 'help', 'stop', 'id'],
  answers: ['short', 'table', 'list', 'code', 'long', 'think', 'samples'],
  abilities: ['agent', 'workflow', 'echarts', 'suggestions', 'makeFiles'],
  failures: ['error', 'modelBusy', 'cut', 'lost', 'moderation', 'empty', 'slow', 'queue'],
  load: ['steady', 'takesLong'],
  // Last: a form that waits would be looked at with the next words.
  forms: ['approval', 'claim', 'countersign', 'seal'],
};
const FORMS = ['approval', 'claim', 'countersign', 'seal'];
/** What an app cannot do. */
const WITHOUT: Record<string, readonly string[]> = {
  chat: ['agent', 'workflow', ...FORMS],
  agent: ['workflow', ...FORMS],
  chatflow: ['agent', 'workflow'],
  workflow: ['agent', 'suggestions'],
  completion: ['agent', 'workflow', 'suggestions', ...FORMS],
};

type FastPlayground = Awaited<ReturnType<typeof openPlayground>>;

/** What one chip brings about. */
interface Result {
  card: CardItem | undefined;
  messages: MessageItem[];
}

const content = ({ card }: Result) => card?.content ?? '';
const says = (pattern: RegExp) => (result: Result) =>
  result.card?.phase === 'finished' && pattern.test(content(result));
const fails = (pattern: RegExp) => (result: Result) => result.card?.phase === 'failed' && pattern.test(content(result));
const drawnOf = ({ card }: Result) => Object.values(card?.drawn ?? {}).flat();
const buttonsOf = (result: Result) => drawnOf(result).flatMap((part) => (part.kind === 'buttons' ? part.buttons : []));
const hasForm = (result: Result) =>
  says(/./s)(result) &&
  (drawnOf(result).some(({ kind }) => kind === 'form') ||
    buttonsOf(result).some(({ actionId }) => /form/.test(actionId)));
const tells = (pattern: RegExp) => (result: Result) =>
  result.card === undefined && result.messages.some(({ text }) => pattern.test(text));

/** The kind of result that each chip promises. */
const PROMISES: Record<string, (result: Result) => boolean> = {
  new: tells(/新会话|new/i),
  help: tells(/\/stop/),
  stop: tells(/./),
  id: tells(/staff-000\d|union-0003/),
  short: (result) => says(/./s)(result) && content(result).length < 200,
  table: says(/\n\|.*\|\n\|[-: |]+\|\n/),
  list: says(/^ *[-*] .*\n +[-*\d]/m),
  code: says(/```\w+\n/),
  long: (result) => says(/./s)(result) && content(result).length > 2_000,
  think: says(/./s),
  samples: says(/\*\*.+\*\*(?:：|: )/),
  agent: says(/./s),
  workflow: says(/./s),
  echarts: says(/\|/),
  suggestions: (result) => says(/./s)(result) && buttonsOf(result).some(({ actionId }) => /ask/.test(actionId)),
  makeFiles: ({ messages }) => messages.some(({ file }) => file !== null),
  approval: hasForm,
  claim: hasForm,
  countersign: hasForm,
  seal: says(/legal@example\.com|邮件|e-mail/i),
  error: fails(/./s),
  modelBusy: fails(/./s),
  cut: (result) => says(/./s)(result) || fails(/./s)(result),
  lost: (result) => says(/./s)(result) || fails(/可能不完整|incomplete/)(result),
  moderation: says(/./s),
  empty: (result) => result.card?.phase === 'finished' || result.card?.phase === 'failed',
  slow: says(/./s),
  queue: says(/./s),
  steady: (result) => content(result).length >= 600,
  takesLong: (result) => buttonsOf(result).some(({ actionId }) => /stop/.test(actionId)) || says(/40/)(result),
};

const resultOf = (items: readonly ChatItem[], question: QuestionItem): Result => ({
  card: items.find((item): item is CardItem => item.kind === 'card' && item.question === question.id),
  messages: items.filter((item): item is MessageItem => item.kind === 'message' && item.question === question.id),
});

/** Some of these are pressed before the ones before them are answered. */
const ROUNDS: (keyof typeof CHIPS)[][] = [['commands'], ['answers', 'abilities'], ['failures', 'load'], ['forms']];

/** A long task keeps its chat busy to the end; a form that waits makes the robot ask about the next words. */
const chatsFor = (group: string) => (group === 'load' ? [2] : [0, 1, 3, 4]);

/** In the page, which is quicker, and which shows another chat in the end: drawing costs. One answer at a time in a chat, so the chips take turns among chats of colleagues. */
const pressIn = (
  chats: readonly number[],
) => `[...document.querySelectorAll('[data-testid=chip]')].map((chip, index) => {
  document.querySelectorAll('[data-testid=chat]')[${JSON.stringify(chats)}[index % ${chats.length}]].click();
  chip.click();
  return chip.dataset.chip;
}).concat(document.querySelectorAll('[data-testid=chat]')[2].click() ?? [])`;

/**
 * Drawing every answer takes the page longer than all the rest, and here the answers are looked at in the snapshot: the
 * page is told how the playground begins, and nothing of what happens then.
 */
async function knowsOnlyTheBeginning(page: Page, playground: Playground): Promise<void> {
  const body = `retry: 3600000\nevent: snapshot\ndata: ${JSON.stringify(await playground.snapshot())}\n\n`;
  await page.route('**/playground/events', (route) => route.fulfill({ contentType: 'text/event-stream', body }));
}

const FAST = 25;
/** By the playground's clock, which waits for the machine. The longest of the chips takes 80 s. */
const PATIENCE_MS = 400_000;
/** For all apps at once, on a machine that is busy. */
const TIMEOUT_MS = 240_000;

describeWith('chromium', 'the chips of the playground', (executablePath) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  /** Presses every chip of the page as it is; returns what did not keep its promise. */
  async function pressAll(page: Page, playground: FastPlayground, without: readonly string[], chips: ChipWords) {
    const broken: string[] = [];
    for (const round of ROUNDS) {
      const pressed: string[] = [];
      for (const group of round) {
        const expected = CHIPS[group].filter((name) => !without.includes(name));
        if (expected.length === 0) continue;
        await page.locator(`[data-group=${group}]`).click();
        expect(await page.evaluate<string[]>(pressIn(chatsFor(group)))).toEqual(expected);
        pressed.push(...expected);
      }
      const problemsIn = ({ items }: Pick<Snapshot, 'items'>) =>
        pressed.flatMap((name) => {
          const [, text] = chips[name] ?? [];
          const question = items.find((item): item is QuestionItem => item.kind === 'question' && item.text === text);
          const result = question && resultOf(items, question);
          return result && PROMISES[name]?.(result) ? [] : `${name}: ${JSON.stringify(result)}`;
        });
      const deadline = playground.clock.now() + PATIENCE_MS;
      let problems: string[];
      do {
        // A snapshot holds every frame and call: it is asked for seldom.
        await sleep(400);
        problems = problemsIn(await playground.snapshot());
      } while (problems.length > 0 && playground.clock.now() < deadline);
      broken.push(...problems);
    }
    return broken;
  }

  test.concurrent.each(Object.entries(WITHOUT))(
    'each one of %s keeps its promise, in both languages',
    async (app, without) => {
      const playground = await openPlayground({}, createSteppingClock(FAST));
      await playground.post('config', { app });
      const page = await browser.newPage({ locale: 'zh-CN', reducedMotion: 'reduce' });
      page.setDefaultTimeout(TIMEOUT_MS);
      await knowsOnlyTheBeginning(page, playground);
      await page.goto(playground.url);
      const chinese = await pressAll(page, playground, without, chipWords.zh);
      await playground.post('reset', {});
      await page.getByTestId('language').click();
      await playground.until(({ setup }) => setup.replyLanguage === 'en');
      const english = await pressAll(page, playground, without, chipWords.en);
      await page.close();
      await playground.close();
      expect([...chinese, ...english]).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
