import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { SLOW, usePage } from './page-tools.ts';

/** Draws a message with a link that sends a text, below the others. */
const FOREIGN_LINK = `import('/page/markdown/render.js').then(({ renderMarkdown }) => {
  const bubble = document.createElement('div');
  bubble.className = 'bubble markdown';
  const address = 'dtmd://dingtalkclient/sendMessage?content=' + encodeURIComponent('我的年假还剩几天？');
  bubble.append(renderMarkdown('[查余额](' + address + ')', 'message'));
  const line = document.createElement('li');
  line.append(bubble);
  document.querySelector('[data-testid=timeline]').append(line);
})`;

describeWith('chromium', 'the buttons of cards in the page of the playground', (executablePath) => {
  const { open, id, ask, openChat, card, chooseApp, playground, atSpeed, reconnect } = usePage(executablePath);

  const cards = (count: number) =>
    playground().until(({ items }) => items.filter((item) => item.kind === 'card').length >= count);

  test('an answer is stopped while it is written', async () => {
    await open();
    atSpeed(SLOW);
    await ask('跑一个长任务');
    await card('typing');
    // The greeting has come by now; it is not the end of the answer.
    await id('robot-message').waitFor();
    expect(await id('tile-end').locator('.value').textContent()).toBe('—');
    await id('button-stop').click();
    const stopped = await card('finished');
    expect(await stopped.textContent()).toMatch(/已停止.*继续/s);
    expect(await id('button-stop').count()).toBe(0);
    await id('tap')
      .and(id('tap').page().locator('[data-action=stop]'))
      .filter({ hasText: /\d+ ms/ })
      .waitFor();
    const { calls } = await playground().snapshot();
    const callback = calls.find(({ name }) => name === 'card callback');
    expect(callback).toMatchObject({ status: 200, code: 'ok' });
    expect(callback?.ms).toBeLessThan(2_000);
  });

  test('an answer is rated, rated otherwise, and not at all', async () => {
    const page = await open();
    await ask('一句话说明调休何时生效');
    await card('finished');
    await id('button-like').click();
    await page.getByText('已评价：有用').waitFor();
    await page.getByText('感谢你的评价').waitFor();
    await id('button-dislike').first().click();
    await page.getByText('已评价：没用').waitFor();
    await page.getByText('已评价：有用').waitFor({ state: 'hidden' });
    await id('button-dislike').first().click();
    await page.getByText('已评价：没用').waitFor({ state: 'hidden' });
    await page.getByText('已取消评价').waitFor();
    const { calls } = await playground().until(
      ({ calls: now }) => now.filter(({ name, ms }) => name.endsWith('/feedbacks') && ms !== null).length === 3,
    );
    const ratings = calls.filter(({ name }) => name.endsWith('/feedbacks')).map(({ request }) => request);
    expect(ratings.map((text) => (JSON.parse(text ?? '') as { rating: unknown }).rating)).toEqual([
      'like',
      'dislike',
      null,
    ]);
    expect(await id('bars').textContent()).toContain('card callback');
  });

  test('a dislike asks why, and either way of saying it reaches Dify, without a call of DingTalk', async () => {
    const page = await open();
    await ask('一句话说明调休何时生效');
    await card('finished');
    await id('button-dislike').click();
    await page.getByRole('button', { name: '过时了' }).click();
    await id('card-notice').filter({ hasText: '已记下原因' }).waitFor();
    expect(await id('field-input').count()).toBe(0);
    await id('button-dislike').click();
    await page.getByText('已取消评价').waitFor();
    await id('button-dislike').click();
    await id('field-input').fill('没说半天怎么算');
    await id('form-submit').click();
    await page.getByText('已评价：没用').waitFor();
    const { calls } = await playground().until(
      ({ calls: now }) => now.filter(({ name, ms }) => name.endsWith('/feedbacks') && ms !== null).length === 5,
    );
    const told = calls.filter(({ name }) => name.endsWith('/feedbacks')).map(({ request }) => request ?? '');
    expect(told.flatMap((text) => (JSON.parse(text) as { content?: string }).content ?? [])).toEqual([
      '过时了',
      '没说半天怎么算',
    ]);
    expect(calls.filter(({ request }) => request?.includes('privateData'))).toEqual([]);
  });

  test.each([
    ['actionId', '{"actionId":"like"'],
    ['actionData', '{"actionData":{"cardPrivateData":{"actionIds":["like"]'],
  ])('a press may stand in %s', async (shape, body) => {
    const page = await open();
    await id('tab-trouble').click();
    await id('setting-press').selectOption(shape);
    await playground().until(({ setup }) => setup.press === shape);
    await ask('一句话说明调休何时生效');
    await card('finished');
    await id('button-like').click();
    await page.getByText('已评价：有用').waitFor();
    await page.getByText('感谢你的评价').waitFor();
    const { calls } = await playground().until(({ calls: now }) =>
      now.some(({ name, ms }) => name.endsWith('/feedbacks') && ms !== null),
    );
    const press = calls.find(({ name }) => name === 'card callback');
    expect(press?.request?.startsWith(body)).toBe(true);
    expect(press?.responseBytes).toBe(Buffer.byteLength(press?.response ?? ''));
  });

  test('a card in a group says whose question it is and which app answers, is wide, and can be copied', async () => {
    const page = await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await openChat('group');
    await ask('一句话说明调休何时生效');
    const shown = await card('finished');
    expect(await id('card-question').textContent()).toBe('张晓雯：一句话说明调休何时生效');
    await id('card-app').filter({ hasText: '聊天助手' }).waitFor();
    expect(await shown.getAttribute('class')).toContain('wide');
    await id('button-copy').click();
    await page.getByText('已复制').waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    const { items } = await playground().snapshot();
    expect(items.find((item) => item.kind === 'card')).toMatchObject({ content: copied });
    // What changes beside it leaves the button as it is.
    await id('button-like').click();
    await page.getByText('已评价：有用').waitFor();
    expect(await id('button-copy').textContent()).toBe('已复制');
  });

  test('a browser that does not allow copying says so', async () => {
    const page = await open();
    await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))");
    await openChat('group');
    await ask('一句话说明调休何时生效');
    await card('finished');
    await id('button-copy').click();
    await id('card-notice').filter({ hasText: '请选中文字后复制' }).waitFor();
    expect(await id('button-copy').textContent()).toBe('复制');
  });

  test('a form that waits says for whom, and offers no opinions', async () => {
    await open();
    await chooseApp('chatflow');
    await ask('提交一个审批');
    await card('finished');
    await id('card-waiting_for').filter({ hasText: '等待 张晓雯 处理' }).waitFor();
    await id('button-form').first().waitFor();
    expect(await id('button-like').count()).toBe(0);
  });

  test('a suggested question is asked by whoever taps it', async () => {
    await open();
    await ask('给我推荐问题');
    await card('finished');
    await id('button-ask').first().click();
    await cards(2);
    expect(await (await card('finished')).textContent()).toContain('工作台');
  });

  test('a form on the card is filled in and answered', async () => {
    await open();
    await chooseApp('chatflow');
    await ask('提交一个审批');
    await card('finished');
    await id('field-comment').fill('同意，走今年的预算');
    const typed = () => id('field-comment').inputValue();
    await reconnect();
    expect(await typed()).toBe('同意，走今年的预算');
    await openChat('group');
    await openChat('own');
    expect(await typed()).toBe('同意，走今年的预算');
    await id('form-submit').click();
    await playground().until(({ items }) =>
      items.some((item) => item.kind === 'card' && item.content.includes('走今年的预算')),
    );
    expect(await (await card('finished')).textContent()).toContain('已同意');
    const { calls } = await playground().snapshot();
    expect(calls.map(({ name }) => name).join('\n')).toContain('/form/human_input/');
  });

  test('of two forms that wait a bare word names none, and a tap on the choice names one', async () => {
    await open();
    await chooseApp('chatflow');
    await ask('提交一个审批');
    await card('finished');
    await ask('提问：填表');
    await cards(2);
    await ask('提问：合同用印');
    await cards(3);
    await ask('同意');
    await cards(4);
    await playground().until(({ items }) =>
      items.some((item) => item.kind === 'card' && item.content.includes('有几张表单在等你处理')),
    );
    const shown = (await playground().snapshot()).items.flatMap((item) => (item.kind === 'card' ? item.content : []));
    expect(shown[1]).toContain('可选：A 交通，B 住宿，C 餐饮');
    expect(shown[2]).toContain('只能在邮件中处理');
    await id('button-ask').filter({ hasText: '同意 #1' }).click();
    await playground().until(({ items }) =>
      items.some((item) => item.kind === 'card' && item.content.includes('已同意')),
    );
  });

  test('a failed answer can be asked for again', async () => {
    await open();
    await playground().post('trouble', { name: 'difyError', on: true });
    await ask('年假怎么申请');
    await card('failed');
    await playground().post('trouble', { name: 'difyError', on: false });
    await id('button-retry').click();
    await cards(2);
    expect(await (await card('finished')).textContent()).toContain('工作台');
  });

  test('a tap that nobody answers in time says so', async () => {
    const page = await open();
    await ask('一句话');
    await card('finished');
    // What the server says when nothing came within the 2 s that DingTalk waits.
    await page.route('**/playground/tap', (route) => route.fulfill({ json: { id: 'tap-0', status: 0 } }));
    await id('button-like').click();
    await id('card-notice').filter({ hasText: '没有' }).waitFor();
    expect(await id('button-like').getAttribute('aria-busy')).toBeNull();
  });

  test('a new chat is begun', async () => {
    await open();
    await ask('一句话');
    await card('finished');
    await id('button-new').click();
    await id('robot-message').filter({ hasText: '已开始新会话' }).waitFor();
    const { items } = await playground().snapshot();
    const tap = items.find(({ kind }) => kind === 'tap');
    expect(items.find((item) => item.kind === 'message' && item.text.includes('已开始新会话'))).toMatchObject({
      question: tap?.id,
    });
  });

  test('what is the asker’s is not done for somebody else, who alone is told', async () => {
    await open();
    atSpeed(SLOW);
    await openChat('group');
    await ask('跑一个长任务');
    await card('typing');
    await id('speaker').selectOption('staff-0002');
    await id('button-stop').click();
    await id('card-notice').filter({ hasText: '只有提问的人' }).waitFor();
    expect(await (await card('typing')).isVisible()).toBe(true);
    await id('speaker').selectOption('staff-0001');
    await id('card-notice').filter({ hasText: '只有提问的人' }).waitFor({ state: 'hidden' });
    await id('button-stop').click();
    await card('finished');
  });

  test('a link that sends a text does so in single chats; in groups it says what to type', async () => {
    const page = await open();
    await playground().post('config', { buttons: false });
    await ask('给我推荐问题');
    await card('finished');
    const link = id('card').last().locator('.send-link');
    await link.first().click();
    await id('entry')
      .filter({ hasText: '年假怎么申请' })
      .and(id('entry').page().locator('[data-kind=question]'))
      .waitFor();
    await cards(2);
    await openChat('group');
    await ask('给我推荐问题');
    await card('finished');
    // The function writes no such link there; somebody else's message may have one.
    expect(await id('card').last().locator('.send-link').count()).toBe(0);
    await page.evaluate(FOREIGN_LINK);
    await page.getByRole('button', { name: '查余额' }).click();
    expect(await id('type-this').textContent()).toContain('@云杉小助手 我的年假还剩几天？');
    const { items } = await playground().snapshot();
    expect(items.filter((item) => item.kind === 'question').map(({ text }) => text)).not.toContain(
      '我的年假还剩几天？',
    );
  });

  test('without buttons in the template there are none', async () => {
    const page = await open();
    await id('tab-trouble').click();
    await id('setting-buttons').click();
    await id('setting-buttons').and(id('setting-buttons').page().locator('[aria-checked=false]')).waitFor();
    await ask('一句话');
    const plain = await card('finished');
    // What could be asked next stands in the text.
    await plain.locator('.send-link').first().waitFor();
    expect(await plain.getByRole('button').and(page.locator(':not(.send-link)')).count()).toBe(0);
    expect(await id('card-question').count()).toBe(0);
    expect(await plain.getAttribute('class')).not.toContain('wide');
  });
});
