// What people can see of an answer while it comes and once it has come, as the page of the playground shows it.
import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { CHATS, SLOW, usePage } from './page-tools.ts';
import { PIXEL, SPEED } from './playground.ts';

const SLOW_QUESTION = '查去年的采购记录，慢一点没关系';

describeWith('chromium', 'what the page of the playground shows of an answer', (executablePath) => {
  const { open, id, ask, openChat, card, chooseApp, playground, atSpeed } = usePage(executablePath);
  const switchOn = (name: string) => playground().post('trouble', { name, on: true });
  const lineOf = (chat: keyof typeof CHATS) => id('chat-line').nth(CHATS[chat]);

  test('the chat list says what is being answered, and follows the answer then', async () => {
    await open();
    atSpeed(SLOW);
    await openChat('group');
    await ask(SLOW_QUESTION);
    await lineOf('group')
      .filter({ hasText: `云杉小助手：正在回答：${SLOW_QUESTION}` })
      .waitFor();
    expect(await lineOf('smallGroup').textContent()).toBe('还没有消息');
    atSpeed(SPEED);
    const answer = (await (await card('finished')).getByTestId('card-text').textContent()) ?? '';
    await lineOf('group').filter({ hasNotText: '正在回答' }).waitFor();
    expect(await lineOf('group').textContent()).toContain(`云杉小助手：${answer.slice(0, 12)}`);
  });

  test('the bar of a frame is as long as its text, whatever its characters are made of', async () => {
    const page = await open();
    await ask('😀'.repeat(90));
    await card('finished');
    await id('tab-frames').click();
    await id('frame').last().waitFor();
    expect(await page.evaluate("[...document.querySelectorAll('.frame-fill')].at(-1).style.inlineSize")).toBe('100%');
  });

  test('a DingTalk that refuses the newer fields gets a card without them', async () => {
    await open();
    await id('tab-trouble').click();
    await id('trouble-fieldsRefused').click();
    await playground().until(({ setup }) => setup.trouble.fieldsRefused);
    await openChat('group');
    await ask('一句话');
    const shown = await card('finished');
    expect(await shown.getAttribute('class')).not.toContain('wide');
    expect(await id('card-question').count()).toBe(0);
    expect(await lineOf('group').textContent()).toBe('云杉小助手：正在回答：一句话');
    const { logs, calls } = await playground().snapshot();
    expect(logs.filter(({ fields }) => fields['event'] === 'card_extras_refused')).toHaveLength(1);
    expect(calls.filter(({ name }) => name.endsWith('createAndDeliver')).map(({ status }) => status)).toEqual([
      400, 200,
    ]);
  });

  test('that Dify has not begun is said after 10 s, and goes with the first event', async () => {
    const page = await open();
    await chooseApp('chatflow');
    await page.locator('[data-group=failures]').click();
    await page.locator('[data-chip=queue]').click();
    await playground().until(({ items }) => items.some((item) => item.kind === 'card' && item.content !== ''));
    atSpeed(1);
    await id('card-text').filter({ hasText: 'Dify 正忙，问题在排队' }).waitFor();
    atSpeed(SPEED);
    const ended = await card('finished');
    expect(await ended.textContent()).toContain('次日');
    expect(await ended.textContent()).not.toContain('正忙');
  });

  test('a question that waits says so, and quotes what it answers where the template shows no question', async () => {
    await open();
    await playground().post('config', { buttons: false });
    atSpeed(SLOW);
    await ask(SLOW_QUESTION);
    await ask('一句话');
    await id('card').nth(1).filter({ hasText: '前面还有 1 个问题' }).waitFor();
    atSpeed(SPEED);
    await id('card').nth(1).filter({ hasText: '次日' }).waitFor();
    expect(await (await card('finished')).locator('blockquote').textContent()).toBe('一句话');
  });

  test('a form that was answered says who chose what, to everybody, and a second press changes nothing', async () => {
    const page = await open();
    await chooseApp('chatflow');
    await openChat('group');
    await ask('提交一个审批');
    const form = id('card').first();
    await form.filter({ hasText: '等待处理' }).waitFor();
    const { items } = await playground().until(({ items: now }) =>
      now.some((item) => item.kind === 'card' && item.phase === 'finished'),
    );
    await form.getByTestId('button-form').first().click();
    await form.filter({ hasText: /张晓雯 选择了「同意」（.+）/ }).waitFor();
    expect(await form.getByTestId('button-form').count()).toBe(0);
    await id('card').nth(1).and(page.locator('[data-phase=finished]')).waitFor();
    await id('speaker').selectOption('staff-0002');
    await form.filter({ hasText: /选择了「同意」/ }).waitFor();
    // The press of a person whose client has not drawn the end yet.
    const late = { card: items.find(({ kind }) => kind === 'card')?.id, from: 'staff-0001', actionId: 'form' };
    await playground().post('tap', { ...late, params: { action: 'form', action_id: 'reject', form: {} }, label: '' });
    await playground().until(({ calls }) => calls.every(({ ms }) => ms !== null));
    expect(await id('card').count()).toBe(2);
    expect(await form.textContent()).toContain('选择了「同意」');
  });

  test('a broken answer says that it may be incomplete and can be asked again; a file of a wrong type cannot', async () => {
    const page = await open();
    await switchOn('cutStream');
    await ask('压测：600 字匀速回答');
    expect(await (await card('failed')).textContent()).toMatch(/可能不完整.*编号 [0-9a-f]{8}/s);
    await id('button-retry').waitFor();
    await playground().post('trouble', { name: 'cutStream', on: false });
    await id('input-file').setInputFiles({ name: '报表.pdf', mimeType: 'application/pdf', buffer: PIXEL });
    await page.locator('[data-testid=attachment][data-state=ready]').waitFor();
    await ask('总结一下');
    const refused = id('card').nth(1);
    await refused.filter({ hasText: '文件的内容与它的类型不符' }).waitFor();
    await refused.and(page.locator('[data-phase=finished]')).waitFor();
    expect(await refused.getByTestId('button-retry').count()).toBe(0);
  });

  test('an answer of more than a minute in a group ends with a message that mentions its asker', async () => {
    await open();
    await openChat('group');
    await ask('跑一个长任务，我要试试停止');
    await id('robot-message').filter({ hasText: '已回答，请看上面的卡片' }).waitFor();
    expect(await id('robot-message').locator('.mention').textContent()).toBe('@张晓雯');
    expect(await (await card('finished')).textContent()).toContain('40');
  });

  test('without a template a message says after 8 s that the question is being worked on; the answer has the label', async () => {
    await open();
    await switchOn('noTemplate');
    await ask('排队等空闲的工作进程');
    const working = id('robot-message').filter({ hasText: '正在处理“排队等空闲的工作进程”' });
    await working.waitFor();
    const answer = id('robot-message').filter({ hasText: '次日' });
    expect(await answer.textContent()).toMatch(/内容由 AI 生成$/);
    expect(await working.textContent()).not.toContain('AI 生成');
    await ask('/help');
    await id('robot-message').filter({ hasText: '/stop' }).waitFor();
    expect(await id('robot-message').last().textContent()).not.toContain('AI 生成');
    expect(await id('card').count()).toBe(0);
  });
});
