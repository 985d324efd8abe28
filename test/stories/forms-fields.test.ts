// What a form asks for: fields, choices and files, forms by e-mail, forms that were found again, and what comes of them.
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { CallbackInput } from '../../playground/dingtalk/types.ts';
import type { Pause } from '../../playground/dify/types.ts';
import { GROUP, withButtons, type BridgeOptions } from '../support/bridge.ts';
import { pdf, png } from '../support/files.ts';
import { actorIn, answersIn, asking, formApp } from '../support/forms.ts';
import { stage, words } from '../support/stage.ts';

const { start, bridge } = stage();
const me = actorIn(bridge);
const inputs = () => answersIn(bridge()).map(({ inputs: given }) => given);
const form = (more: Partial<Pause>, options: BridgeOptions = {}) =>
  start({ app: formApp((title) => asking(title, more)), ...options });

/** The approval of a real app: a text with a constant default, and one whose default is a variable. */
const expense: Partial<Pause> = {
  inputs: [
    { type: 'paragraph', name: 'comment' },
    { type: 'paragraph', name: 'amount', variable: ['sys', 'query'] },
  ],
  defaults: { comment: '没有意见', amount: '差旅费 300 元' },
};

describe('the button of an action', () => {
  test('without values takes the defaults, and nothing for a text that has none', async () => {
    await form({ ...expense, inputs: [...(expense.inputs ?? []), { type: 'paragraph', name: 'why' }] }, withButtons);
    await me.say('申请甲');
    await me.press('reject');
    expect(inputs()).toEqual([{ comment: '没有意见', amount: '差旅费 300 元', why: '' }]);
    expect(me.last()).toContain('甲 reject');
  });

  test('takes what was filled in before the defaults', async () => {
    await form(expense, withButtons);
    await me.say('申请甲');
    await me.press('approve', { form: { amount: '200' } });
    expect(inputs()).toEqual([{ comment: '没有意见', amount: '200' }]);
  });

  test('asks only for what has no value', async () => {
    const level = { type: 'select', name: 'level', options: ['高', '低'] } as const;
    await form({ ...expense, inputs: [...(expense.inputs ?? []), level] }, withButtons);
    await me.say('申请甲');
    await me.press('reject');
    expect(me.last()).toContain('表单还缺少：level。');
    await me.press('reject', { card: 0, form: { level: '低' } });
    expect(inputs()).toEqual([{ comment: '没有意见', amount: '差旅费 300 元', level: '低' }]);
  });
});

describe('a form by e-mail only', () => {
  test.each([
    ['told by the event', {}],
    ['told by nothing', { formToken: null }],
  ])('is said to be one, is not offered, and takes no words (%s)', async (_, more) => {
    await form({ byMailOnly: true, ...more }, { dify: { version: '1.14' } });
    await me.say('申请甲');
    expect(me.last()).toContain('只能在邮件中处理');
    expect(me.links()).toEqual([]);
    await me.say('同意');
    expect(me.last()).toBe('re 同意');
    expect(bridge().dify.requests.filter(({ api }) => api === 'form' || api === 'submitForm')).toEqual([]);
  });

  test('names whom it went to, where Dify does', async () => {
    await form({ byMailOnly: true, mailedTo: ['boss@example.com'] }, { dify: { version: 'modern' } });
    await me.say('申请甲');
    expect(me.last()).toContain('发给 boss@example.com');
  });

  test('is asked about once where only the pause tells of it', async () => {
    await form({ byMailOnly: true }, { dify: { version: '1.14' }, ...durable() });
    bridge().dify.faults.inject({ api: 'chat', kind: 'cut', afterBytes: 700 });
    await me.say('申请甲');
    expect(me.last()).toContain('只能在邮件中处理');
  });
});

/** A store that outlives the function, and a sweep. */
const durable = () => ({
  state: { ...createMemoryState(systemClock), isDurable: true },
  env: { CRON_SECRET: 'cron-secret' },
});
const sweep = async () => {
  await fetch(`${bridge().url}?sweep`, { headers: { authorization: 'Bearer cron-secret' } });
  await bridge().idle();
};

describe('choices', () => {
  const level: Partial<Pause> = { inputs: [{ type: 'select', name: 'level', options: ['高', '低'] }] };

  test('are lettered, and a number is an action, which lacks its choice', async () => {
    await form(level);
    await me.say('申请甲');
    expect(me.last()).toContain('可选：A 高，B 低');
    // A link could not work: it has no choice.
    expect(me.links()).toEqual([]);
    await me.say('2');
    expect(inputs()).toEqual([]);
    expect(me.last()).toContain('表单还缺少：level');
    expect(me.last()).not.toContain('再试一次');
    await me.say('同意\nlevel：B');
    expect(inputs()).toEqual([{ level: '低' }]);
  });

  test('that are not offered are told with those that are', async () => {
    await form(level);
    await me.say('申请甲');
    await me.say('同意\nlevel：中');
    expect(inputs()).toEqual([]);
    expect(me.last()).toContain('“level”没有这个选项，可选：高、低。');
    await me.say('同意\n高');
    expect(inputs()).toEqual([{ level: '高' }]);
  });

  test('alone are asked about: with which action', async () => {
    await form(level);
    await me.say('申请甲');
    await me.say('b');
    expect(me.links()).toEqual(['同意 #1：b', '驳回 #1：b', '提问：b']);
    await me.tap('驳回 #1：b');
    expect(inputs()).toEqual([{ level: '低' }]);
  });

  test('that a variable holds are said to be unknown, and are typed', async () => {
    await form({ inputs: [{ type: 'select', name: 'who', options: ['丁'], variable: ['conversation', 'list'] }] });
    await me.say('申请甲');
    expect(me.last()).toContain('选项由流程决定');
    await me.say('同意\nwho：丁');
    expect(inputs()).toEqual([{ who: '丁' }]);
  });
});

describe.each(['main', 'modern'] as const)('files of a form of %s', (version) => {
  const receipt: Partial<Pause> = {
    inputs: [
      { type: 'file', name: '凭证', allowedTypes: ['document'] },
      { type: 'paragraph', name: 'why' },
    ],
  };
  const doc: CallbackInput = { from: 'staff-1', kind: 'file', file: { name: '发票.pdf', bytes: pdf() } };
  const picture: CallbackInput = { from: 'staff-1', kind: 'picture', file: { name: 'a.png', bytes: png() } };
  const wire = { type: 'document', transfer_method: 'local_file', upload_file_id: expect.any(String) as unknown };

  test('are sent to the chat, and submitted with the action', async () => {
    await form(receipt, { dify: { version } });
    await me.say('申请甲');
    expect(me.last()).toContain('凭证（必填；请直接发送文件：文档）');
    expect(me.last()).not.toContain('这里无法提交');
    expect(me.links()).toEqual([]);
    await me.say('同意');
    expect(me.last()).toContain('表单还缺少文件：凭证。');
    await bridge().ask(doc);
    expect(me.last()).toContain('已收到 1 个文件，将随 「甲」 #1 一起提交。请选择操作：');
    expect(bridge().dify.runs).toHaveLength(1);
    await me.tap('同意 #1');
    expect(inputs()).toEqual([{ 凭证: wire, why: '' }]);
    expect(me.last()).toContain('甲 approve');
  });

  test('of another class are refused, and the form stays open', async () => {
    await form(receipt, { dify: { version } });
    await me.say('申请甲');
    await bridge().ask(picture);
    expect(me.last()).toContain('表单的“凭证”只接受：文档。');
    expect(bridge().dify.uploads.size).toBe(0);
    await bridge().ask(doc);
    await me.say('驳回\nwhy：太贵');
    expect(inputs()).toEqual([{ 凭证: wire, why: '太贵' }]);
  });

  test('fill a list up to its number, also from a press', async () => {
    const list = { inputs: [{ type: 'file-list', name: '附件', allowedTypes: ['image'], limit: 2 }] } as const;
    await form(list, { dify: { version }, ...withButtons });
    await bridge().ask({ from: 'staff-1', text: '申请甲', conversation: GROUP });
    const pictures = [1, 2, 3].map((index) => ({ name: `${index}.png`, bytes: png() }));
    const send = (files: typeof pictures) =>
      bridge().ask({ from: 'staff-1', conversation: GROUP, kind: 'richText', pictures: files });
    await send(pictures);
    expect(me.last()).toContain('一次最多接受 2 个文件');
    await send(pictures.slice(0, 1));
    await send(pictures.slice(0, 1));
    await me.press('approve', { card: 0 });
    const image = { ...wire, type: 'image' };
    expect(inputs()).toEqual([{ 附件: [image, image] }]);
  });
});

test('a form that was found again is shown as its reader should see it, not as its template', async () => {
  await form(
    { formContent: '请批准 300 元', formTemplate: '请批准 {{#start.query#}}' },
    { dify: { version: '1.14' }, ...durable() },
  );
  bridge().dify.faults.inject({ api: 'chat', kind: 'cut', afterBytes: 700 });
  await me.say('申请甲');
  expect(me.last()).toContain('请批准 300 元');
  expect(me.last()).not.toContain('{{#');
  expect(bridge().dify.requests.filter(({ api }) => api === 'form')).toHaveLength(1);
  await me.say('同意');
  expect(me.last()).toBe('甲 approve {}');
});

describe('when the time of a form is over', () => {
  const late = (more: Partial<Pause> = {}): Partial<Pause> => ({
    expiresInS: 1,
    onTimeout: words('已自动驳回。'),
    ...more,
  });
  const over = () => expect.poll(() => bridge().dify.runs[0]?.forms[0]?.status).toBe('expired');

  test.each(['a sweep', 'a question'])('%s says so on its card, and shows what the run did then', async (what) => {
    await form(late(), { ...durable() });
    await me.say('申请甲');
    await over();
    if (what === 'a sweep') await sweep();
    else await me.say('提问：别的');
    const [card] = me.contents();
    expect(card).toContain('（表单「甲」没有在限定时间内处理，已经过期。）');
    expect(card).toContain('已提交。');
    expect(card).not.toContain('dtmd:');
    const after = me.contents().find((content) => content.includes('已自动驳回。'));
    expect(after).toBe('（表单「甲」没有在限定时间内处理，已经过期。）\n\n已自动驳回。');
    // It is told once.
    const cards = me.contents().length;
    await sweep();
    await sweep();
    expect(me.contents()).toHaveLength(cards);
    await me.say('同意');
    expect(me.last()).toBe('re 同意');
  });

  test('and the run fails of it, the time is said and not the failure', async () => {
    await form({ expiresInS: 1 }, durable());
    await me.say('申请甲');
    await over();
    await sweep();
    expect(me.last()).toBe('（表单「甲」没有在限定时间内处理，已经过期。）');
  });

  test('and the run asks again, the next form can be answered', async () => {
    const next = asking('复核');
    await form(late({ onTimeout: { chunks: [{ text: '请复核。' }], ending: next } }), durable());
    await me.say('申请甲');
    await over();
    await sweep();
    expect(me.last()).toContain('复核 #2');
    await me.tap('同意 #2');
    expect(me.last()).toBe('复核 approve {}');
  });

  test('its buttons are taken away', async () => {
    await form(late(), { ...durable(), ...withButtons, env: { ...withButtons.env, CRON_SECRET: 'cron-secret' } });
    await me.say('申请甲');
    const { outTrackId = '' } = bridge().cards()[0] ?? {};
    const buttons = () =>
      bridge()
        .dingtalk.buttonsOf(outTrackId, 'staff-1')
        .filter(({ actionId }) => actionId === 'form');
    expect(buttons()).toHaveLength(2);
    await over();
    await sweep();
    expect(buttons()).toEqual([]);
  });

  test('nothing is said of one that was answered elsewhere', async () => {
    await form({ expiresInS: 2 }, durable());
    await me.say('申请甲');
    const token = bridge().dify.runs[0]?.forms[0]?.token ?? '';
    await fetch(`${bridge().dify.url}/form/human_input/${token}`, {
      method: 'POST',
      headers: { authorization: 'Bearer app-key-1', 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'approve', inputs: {}, user: 'somebody' }),
    });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await sweep();
    expect(me.contents()).toHaveLength(1);
  });
});

test('two forms at once are answered one after the other', async () => {
  const pair = (title: string) => asking(title, { beside: [asking('主管')] });
  await start({ app: formApp(pair) });
  await me.say('申请财务');
  expect(me.last()).toContain('财务');
  await me.say('同意');
  expect(me.last()).toContain('财务 approve');
  expect(me.last()).toContain('主管 #2');
  await me.tap('驳回 #2');
  expect(me.last()).toBe('主管 reject {}');
  expect(bridge().dify.runs[0]?.status).toBe('succeeded');
});
