// Which form words answer: none that was not shown when they were sent, and none that they do not name where several wait.
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { withButtons } from '../support/bridge.ts';
import { actorIn, answersIn, asking, formApp, type Place } from '../support/forms.ts';
import { heldAnswer, stage, words } from '../support/stage.ts';
import type { Violation } from '../../playground/dingtalk/types.ts';

const { start, bridge } = stage();
const answers = () => answersIn(bridge()).map(({ action }) => action);
const runs = () => bridge().dify.runs.length;
const places: Place[] = ['single chat', 'group'];

describe.each(places)('in a %s, words that were sent before a form was shown', (place) => {
  const me = actorIn(bridge, place);

  test('do not answer the second step, which nobody had seen', async () => {
    const second = asking('第二步', { inputs: [{ type: 'paragraph', name: 'why' }] });
    const first = asking('第一步', { onSubmit: () => ({ chunks: [{ text: '好。' }], ending: second }) });
    await start({ app: formApp(() => first) });
    await me.say('申请');
    await Promise.all([me.send('同意'), me.send('同意')]);
    await bridge().idle();
    expect(answers()).toEqual(['approve']);
    expect(me.last()).toContain('这张表单当时还没有出现');
    expect(me.last()).toContain('「第二步」 #2');
    expect(runs()).toBe(1);
    // Once it can have been read, the same word answers it.
    await me.say('同意');
    expect(answers()).toEqual(['approve', 'approve']);
  });

  test('do not answer the form that their question leads to', async () => {
    const held = heldAnswer();
    const app = formApp();
    await start({
      app: {
        ...app,
        script: (question) => ({ ...app.script(question), chunks: held.script('').chunks }),
      },
    });
    await me.send('申请甲');
    await me.send('1');
    held.goOn();
    await bridge().idle();
    expect(answers()).toEqual([]);
    expect(me.last()).toContain('这张表单当时还没有出现');
    expect(runs()).toBe(1);
  });

  test('are a question where they are no action of the form', async () => {
    const held = heldAnswer();
    const app = formApp();
    await start({
      app: {
        ...app,
        script: (question) =>
          question.text === '申请甲' ? { ...app.script(question), chunks: held.script('').chunks } : words('二'),
      },
    });
    await me.send('申请甲');
    await me.send('还有一个问题');
    held.goOn();
    await bridge().idle();
    expect(me.last()).toMatch(/^> .*还有一个问题\n\n二$/u);
  });
});

describe('with two forms that wait', () => {
  const me = actorIn(bridge);
  const begin = async () => {
    await start({ app: formApp() });
    await me.say('申请甲');
    await me.say('提问：申请乙');
  };

  test('the links of the second one name it', async () => {
    await begin();
    expect(me.links(0)).toEqual(['同意', '驳回']);
    expect(me.links(1)).toEqual(['同意 #2', '驳回 #2']);
    expect(me.contents()[1]).toContain('乙 #2');
    await me.tap('同意 #2', 1);
    expect(me.last()).toBe('乙 approve {}');
    // Now the first one is the only one.
    await me.tap('驳回', 0);
    expect(me.last()).toBe('甲 reject {}');
  });

  test('a bare action is answered with the choice, and one tap answers the form that is meant', async () => {
    await begin();
    await me.tap('同意', 0);
    expect(answers()).toEqual([]);
    expect(me.last()).toContain('有几张表单在等你处理');
    expect(me.links()).toEqual(['同意 #1', '同意 #2']);
    await me.tap('同意 #1');
    expect(me.last()).toBe('甲 approve {}');
    expect(runs()).toBe(2);
  });

  test.each(['同意＃２', '1 #2', 'approve #2'])('%s names the second one', async (typed) => {
    await begin();
    await me.say(typed);
    expect(me.last()).toBe('乙 approve {}');
  });

  test('a reply to a card names its form', async () => {
    await begin();
    await me.reply('驳回', 0);
    expect(me.last()).toBe('甲 reject {}');
    // A reply to the card of a form that was answered does not answer the other one.
    await me.reply('同意', 0);
    expect(me.last()).toContain('「甲」 #1 刚刚已经处理过了');
    await me.say('提问：别的');
    await me.reply('同意', -1);
    expect(me.last()).toContain('请选择是哪一张');
    expect(me.links()).toEqual(['同意 #2']);
    await me.reply('为什么？', 1);
    expect(me.last()).toContain('「乙」 #2 在等你处理');
    await me.reply('为什么？', 0);
    expect(me.last()).toContain('为什么？');
    expect(answers()).toEqual(['reject']);
  });

  test('each can be answered by its button', async () => {
    await start({ app: formApp(), ...withButtons });
    await me.say('申请甲');
    await me.say('提问：申请乙');
    await me.press('reject', { card: 0 });
    expect(me.last()).toBe('甲 reject {}');
    await me.press('approve', { card: 1 });
    expect(me.last()).toBe('乙 approve {}');
  });

  test('the choice is buttons where the template has them', async () => {
    await start({ app: formApp(), ...withButtons });
    await me.say('申请甲');
    await me.say('提问：申请乙');
    await me.say('同意');
    const { outTrackId = '' } = bridge().cards().at(-1) ?? {};
    const choice = bridge()
      .dingtalk.buttonsOf(outTrackId, 'staff-1')
      .find(({ label }) => label === '同意 #2');
    await bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'ask', params: choice?.params ?? {} });
    await bridge().idle();
    expect(me.last()).toBe('乙 approve {}');
  });

  test('one that was answered elsewhere is not offered, and the other one is the only one', async () => {
    await begin();
    const token = bridge().dify.runs[0]?.forms[0]?.token ?? '';
    await fetch(`${bridge().dify.url}/form/human_input/${token}`, {
      method: 'POST',
      headers: { authorization: 'Bearer app-key-1', 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'approve', inputs: {}, user: 'somebody' }),
    });
    await me.say('驳回');
    expect(me.last()).toBe('乙 reject {}');
  });

  test('after /new none is answered by a bare word, and the links that name one still work', async () => {
    await begin();
    await me.say('/new');
    await me.say('同意');
    expect(answers()).toEqual([]);
    expect(me.last()).toBe('re 同意');
    await me.tap('同意 #2', 1);
    expect(me.last()).toBe('乙 approve {}');
    // The numbers of old cards are not given again.
    await me.say('申请丙');
    expect(me.links()).toEqual(['同意 #3', '驳回 #3']);
  });

  test('at most ten wait for words', async () => {
    await start({ app: formApp() });
    await me.say('申请0');
    for (let index = 1; index <= 10; index += 1) await me.say(`提问：申请${index}`);
    await me.say('同意');
    expect(me.links()).toEqual(Array.from({ length: 10 }, (_, index) => `同意 #${index + 2}`));
  });
});

describe('after the answer', () => {
  const me = actorIn(bridge);

  test('the same word says what was chosen and when, and is no question', async () => {
    await start({ app: formApp() });
    await me.say('申请甲');
    await me.say('驳回');
    await me.say('同意');
    expect(me.last()).toContain('「甲」 #1 刚刚已经处理过了，选择的是：驳回');
    expect(runs()).toBe(1);
    expect(answers()).toEqual(['reject']);
  });

  test('of a button, another press says so as well', async () => {
    await start({ app: formApp(), ...withButtons });
    await me.say('申请甲');
    await me.press('reject', { card: 0 });
    const shown = me.contents();
    expect(shown[0]?.split('\n').at(-1)).toMatch(/^✅ .*「驳回」（\d+月\d+日 \d\d:\d\d）$/u);
    const again = await me.press('approve', { card: 0 });
    expect(again.update?.userPrivateData?.['notice']).toBe(shown[0]?.split('\n').at(-1));
    expect(me.contents()).toEqual(shown);
    expect(answers()).toEqual(['reject']);
  });

  test('an answer without a text says what was submitted', async () => {
    await start({ app: formApp((title) => asking(title, { onSubmit: () => ({ chunks: [] }) })) });
    await me.say('申请甲');
    await me.say('驳回');
    expect(me.last()).toBe('已提交：驳回。');
  });
});

describe.each(places)('in a %s, words that are no action while a form waits', (place) => {
  const me = actorIn(bridge, place);
  /** The choice of a link, or of a line to type. */
  const choices = () =>
    place === 'group' ? [...me.last().matchAll(/^- (.+)$/gmu)].map(([, text = '']) => text) : me.links();
  const choose = (text: string) => (place === 'group' ? me.say(text) : me.tap(text));
  const oneText = (title: string) => asking(title, { inputs: [{ type: 'paragraph', name: '原因' }] });

  test('are asked about, and become the value of the only text', async () => {
    await start({ app: formApp(oneText) });
    await me.say('申请甲');
    await me.say('出差，有发票');
    expect(runs()).toBe(1);
    expect(me.last()).toContain('要填入“原因”，还是新问题？');
    expect(choices()).toEqual(['同意 #1：出差，有发票', '驳回 #1：出差，有发票', '提问：出差，有发票']);
    await choose('驳回 #1：出差，有发票');
    expect(me.last()).toBe('甲 reject {"原因":"出差，有发票"}');
  });

  test('are a new question after one tap', async () => {
    await start({ app: formApp(oneText) });
    await me.say('申请甲');
    await me.say('年假几天？');
    await choose('提问：年假几天？');
    expect(me.last()).toBe('re 年假几天？');
    await me.say('同意');
    expect(answers()).toEqual(['approve']);
  });

  test('are only asked about where the form has no field for them', async () => {
    await start({ app: formApp() });
    await me.say('申请甲');
    await me.say('年假几天？');
    expect(choices()).toEqual(['提问：年假几天？']);
  });

  test('that are long cannot stand in a link', async () => {
    await start({ app: formApp(oneText) });
    await me.say('申请甲');
    await me.say('长'.repeat(400));
    expect(choices()).toEqual([]);
    expect(me.last()).toContain('“提问：”');
  });
});

describe('another person', () => {
  const me = actorIn(bridge, 'group');

  test.each(['user-in-chat', 'chat', 'user'])(
    'who administers and types the action is told who answers it (%s)',
    async (scope) => {
      const env = { ...withButtons.env, ADMIN_USERS: 'staff-2', CONVERSATION_SCOPE: scope };
      await start({ app: formApp(), dingtalk: withButtons.dingtalk, env });
      await me.say('申请甲');
      await me.say('同意', 'staff-2');
      expect(me.last()).toContain('「甲」 #1 没有提交：请由提问的人回复，或由你点击卡片上的按钮处理。');
      expect(runs()).toBe(1);
      expect(answers()).toEqual([]);
      await me.press('approve', { card: 0, userId: 'staff-2' });
      expect(answers()).toEqual(['approve']);
      // It does not wait any more.
      await me.say('同意', 'staff-2');
      expect(me.last()).toMatch(/^re 同意|已经处理过了/u);
    },
  );

  test('who presses after the answer reads who chose what and when, as everybody does on the card', async () => {
    await start({ app: formApp(), ...withButtons });
    await me.say('申请甲');
    const { outTrackId = '', content = '' } = bridge().cards()[0] ?? {};
    expect(content.split('\n').at(-1)).toMatch(/^⏳ 等待处理/u);
    const like = { outTrackId, userId: 'staff-2', actionId: 'like', params: { action: 'like' } };
    const liked = await bridge().dingtalk.tap(like, { url: bridge().url });
    expect(liked.update?.userPrivateData?.['notice']).toBe('回答还没有完成。');
    const calls = bridge().dingtalk.calls.length;
    const pressed = await me.press('approve', { card: 0 });
    expect(pressed.update?.userPrivateData?.['notice']).toBe('⏳ 已选择「同意」，正在提交。');
    const state = me.contents()[0]?.split('\n').at(-1);
    expect(state).toMatch(/^✅ 王小明 选择了「同意」（\d+月\d+日 \d\d:\d\d）$/u);
    const amended = bridge()
      .dingtalk.calls.slice(calls)
      .filter(({ api }) => api === 'updateCard');
    expect(amended).toHaveLength(1);
    // Nobody reads any more that the choice is being submitted.
    expect(bridge().dingtalk.cards.get(outTrackId)?.privateVariables).toMatchObject({ 'staff-1': { notice: '' } });
    const shown = me.contents();
    for (const userId of ['staff-1', 'staff-2']) {
      const again = await me.press('reject', { card: 0, userId });
      expect(again.update?.userPrivateData?.['notice']).toBe(state);
      expect(again.update?.cardData).toMatchObject({ form_actions: '[]' });
    }
    expect(me.contents()).toEqual(shown);
    expect(answers()).toEqual(['approve']);
  });

  test('in a group with one context is told so, too', async () => {
    await start({ app: formApp(), env: { CONVERSATION_SCOPE: 'chat' } });
    await me.say('申请甲');
    await me.say('同意', 'staff-2');
    expect(me.last()).toContain('请由提问的人回复。');
    expect(answers()).toEqual([]);
  });
});

describe('across a kill of the function', () => {
  const me = actorIn(bridge);
  const open = (app = formApp()) =>
    start({
      app,
      env: { CRON_SECRET: 'cron-secret' },
      state: { ...createMemoryState(systemClock), isDurable: true },
      leaseTiming: { leaseMs: 600, renewMs: 200 },
    });
  const sweep = async () => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    await fetch(`${bridge().url}?sweep`, { headers: { authorization: 'Bearer cron-secret' } });
    await bridge().idle();
  };

  test('between the form and its answer, both forms are known', async () => {
    await open();
    await me.say('申请甲');
    await me.say('提问：申请乙');
    await bridge().kill();
    await me.say('同意');
    expect(me.links()).toEqual(['同意 #1', '同意 #2']);
    await me.tap('同意 #1');
    expect(me.last()).toBe('甲 approve {}');
  });

  test('between the answer and the text after it, it is answered once and known as answered', async () => {
    const slow = asking('甲', {
      onSubmit: ({ action }) => ({ chunks: [{ text: `got ${action}` }, { afterMs: 1_500, text: '!' }] }),
    });
    await open(formApp(() => slow));
    await me.say('申请甲');
    await me.send('同意');
    await expect.poll(() => me.last()).toContain('got approve');
    await bridge().kill();
    await sweep();
    expect(me.last()).toBe('got approve!');
    expect(answers()).toEqual(['approve']);
    await me.say('驳回');
    expect(me.last()).toContain('选择的是：同意');
    expect(answers()).toEqual(['approve']);
    // The killed function may not have put on record that the card was there: DingTalk then tells the other one so.
    const told = (bridge().dingtalk.violations as Violation[]).splice(0);
    expect(told.filter(({ code }) => code !== 'param.cardAlreadyExist')).toEqual([]);
  });
});
