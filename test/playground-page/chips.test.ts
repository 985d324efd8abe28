import { expect, test } from 'vitest';
import type { CardItem, ChatItem, MessageItem, QuestionItem } from '../../playground/server/protocol.ts';
import { describeWith } from '../support/require.ts';
import { usePage } from './page-tools.ts';

/** The chips of each app: all of them, but for what the app cannot do. */
const CHIPS = {
  answers: ['short', 'table', 'list', 'code', 'long', 'think', 'samples'],
  abilities: ['agent', 'workflow', 'echarts', 'suggestions', 'makeFiles'],
  forms: ['approval', 'claim', 'countersign', 'seal'],
  failures: ['error', 'modelBusy', 'cut', 'lost', 'moderation', 'empty', 'slow', 'queue'],
  load: ['steady', 'takesLong'],
  commands: ['new', 'help', 'stop', 'id'],
};
const FORMS = ['approval', 'claim', 'countersign', 'seal'];
const WITHOUT: Record<string, readonly string[]> = {
  chat: ['agent', 'workflow', ...FORMS],
  agent: ['workflow', ...FORMS],
  chatflow: ['agent', 'workflow'],
  workflow: ['agent', 'suggestions'],
  completion: ['agent', 'workflow', 'suggestions', ...FORMS],
};

/** What one chip brings about. */
interface Result {
  card: CardItem | undefined;
  messages: MessageItem[];
  app: string;
  isChinese: boolean;
}

const content = ({ card }: Result) => card?.content ?? '';
const says = (pattern: RegExp) => (result: Result) => result.card?.phase === 'finished' && pattern.test(content(result));
const fails = (pattern: RegExp) => (result: Result) => result.card?.phase === 'failed' && pattern.test(content(result));
const buttonsOf = ({ card }: Result) => Object.values(card?.buttons ?? {}).flat();
const hasForm = (result: Result) => says(/./s)(result) && buttonsOf(result).some(({ actionId }) => /form/.test(actionId));
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
  long: (result) => says(/./s)(result) && content(result).length > 2_500,
  think: says(/./s),
  samples: says(/\*\*.+\*\*(：|:)/),
  agent: says(/./s),
  workflow: says(/./s),
  echarts: says(/\|/),
  suggestions: (result) => says(/./s)(result) && buttonsOf(result).some(({ actionId }) => /ask/.test(actionId)),
  makeFiles: ({ messages }) => messages.filter(({ file }) => file !== null).length === 3,
  approval: hasForm,
  claim: hasForm,
  countersign: hasForm,
  seal: says(/legal@example\.com|邮件|e-mail/i),
  error: fails(/./s),
  modelBusy: fails(/./s),
  cut: (result) => says(/./s)(result) || fails(/./s)(result),
  lost: says(/./s),
  moderation: says(/./s),
  empty: (result) => result.card?.phase === 'finished' || result.card?.phase === 'failed',
  slow: says(/./s),
  queue: says(/./s),
  steady: (result) => content(result).length >= 600,
  takesLong: says(/40/),
};

describeWith('chromium', 'the chips of the playground', (executablePath) => {
  const { playground, open, id, atSpeed } = usePage(executablePath);

  const resultOf = (items: readonly ChatItem[], question: QuestionItem, app: string, isChinese: boolean): Result => ({
    card: items.find((item): item is CardItem => item.kind === 'card' && item.question === question.id),
    messages: items.filter((item): item is MessageItem => item.kind === 'message' && item.question === question.id),
    app,
    isChinese,
  });

  test.each(['zh-CN', 'en-GB'])('each one keeps its promise in every app: %s', async (locale) => {
    const page = await open({ locale, reducedMotion: 'reduce', viewport: { width: 1440, height: 900 } });
    atSpeed(100);
    const isChinese = locale === 'zh-CN';
    const broken: string[] = [];
    for (const [app, without] of Object.entries(WITHOUT)) {
      await id('app-choice').selectOption(app);
      await playground().until(({ setup }) => setup.app === app);
      const expected: string[] = [];
      const pressed: string[] = [];
      for (const [group, names] of Object.entries(CHIPS)) {
        const own = names.filter((name) => !without.includes(name));
        if (own.length === 0) continue;
        expected.push(...own);
        await page.locator(`[data-group=${group}]`).click();
        const shown = await page.evaluate<string[]>(
          "[...document.querySelectorAll('[data-testid=chip]')].map((chip) => chip.dataset.chip)",
        );
        for (const name of shown) {
          pressed.push(name);
          // One answer at a time in a chat: the chips take turns among three of them.
          await id('chat').nth(pressed.length % 3).click();
          await page.locator(`[data-chip=${name}]`).click();
        }
      }
      expect(pressed).toEqual(expected);
      const questionsOf = (items: readonly ChatItem[]) =>
        items.filter((item): item is QuestionItem => item.kind === 'question').slice(-pressed.length);
      const isOver = (items: readonly ChatItem[]) =>
        questionsOf(items).every((question, index) =>
          PROMISES[pressed[index] ?? '']?.(resultOf(items, question, app, isChinese)),
        );
      const { items } = await playground()
        .until(({ items: now }) => isOver(now))
        .catch(() => playground().snapshot());
      questionsOf(items).forEach((question, index) => {
        const name = pressed[index] ?? '';
        const result = resultOf(items, question, app, isChinese);
        if (!PROMISES[name]?.(result)) broken.push(`${app} ${name} “${question.text}”: ${JSON.stringify(result.card?.content ?? result.messages.map(({text})=>text))?.slice(0,150)} ${result.card?.phase}`);
      });
      await playground().post('reset', {});
    }
    expect(broken).toEqual([]);
  });
});
