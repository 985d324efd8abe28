// A run that waits for a person: its form is shown, answered by typing or by a button, and the run goes on in the chat.
import { describe, expect, test } from 'vitest';
import type { Pause } from '../../playground/dify/types.ts';
import { GROUP, withButtons, type BridgeOptions } from '../support/bridge.ts';
import { stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const approval: Pause = {
  kind: 'paused',
  title: '费用审批',
  formContent: '张三申请报销 **300 元**。\n\n{{#$output.reason#}}',
  inputs: [{ type: 'paragraph', name: 'reason' }],
  actions: [
    { id: 'approve', title: '同意', button_style: 'primary' },
    { id: 'reject', title: '拒绝', button_style: 'default' },
  ],
  onSubmit: ({ action, inputs }) => ({
    chunks: [
      { afterMs: 5, text: `${action}: ${inputs['reason'] as string}` },
      { afterMs: 5, text: ' 已处理。' },
    ],
  }),
};
const plain: Pause = {
  ...approval,
  formContent: '可以吗？',
  inputs: [],
  onSubmit: ({ action }) => words(`got ${action}`),
};

const app = (pause: Pause) => ({
  mode: 'advanced-chat' as const,
  script: ({ text }: { text: string }) =>
    text === 'apply' ? { chunks: [{ text: '已提交。' }], ending: pause } : words(`re ${text}`),
});
const begin = (pause: Pause, options: BridgeOptions = {}) => start({ app: app(pause), ...options });
const cards = () => bridge().cards();
const submitted = () =>
  bridge()
    .dify.requests.filter(({ api }) => api === 'submitForm')
    .map(({ body }) => body);

describe('a form', () => {
  test('is shown with what to type, and answered so; the run goes on on a card of its own', async () => {
    await begin(approval);
    await bridge().ask('apply');
    const [first] = cards();
    expect(first?.phase).toBe('finished');
    expect(first?.content).toContain('已提交。');
    expect(first?.content).toContain('费用审批');
    expect(first?.content).toContain('**300 元**');
    expect(first?.content).not.toContain('{{#');
    await bridge().ask('同意\n出差，有发票');
    expect(submitted()).toEqual([{ action: 'approve', inputs: { reason: '出差，有发票' }, user: 'staff-1' }]);
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'approve: 出差，有发票 已处理。' });
    expect(cards()[0]?.content).toBe(first?.content);
  });

  test.each(['1', '２', '同意', 'reject'])('without fields takes %s for an answer', async (typed) => {
    await begin(plain);
    await bridge().ask('apply');
    await bridge().ask(typed);
    expect(submitted()).toMatchObject([{ action: ['1', '同意'].includes(typed) ? 'approve' : 'reject' }]);
    expect(cards()[1]?.content).toMatch(/^got /u);
  });

  test('frees its conversation: anything else is a question as ever, and the form can still be answered', async () => {
    await begin(plain);
    await bridge().ask('apply');
    await bridge().ask('what is the weather?');
    expect(cards()[1]?.content).toBe('re what is the weather?');
    await bridge().ask('同意');
    expect(cards()[2]?.content).toBe('got approve');
    // Then it is over, and the word is a question.
    await bridge().ask('同意');
    expect(cards()[3]?.content).toBe('re 同意');
    expect(submitted()).toHaveLength(1);
  });

  test('in a single chat has links that send the words', async () => {
    await begin(plain);
    await bridge().ask('apply');
    const card = cards()[0];
    const [link = ''] = /dtmd:\S+?(?=\))/u.exec(card?.content ?? '') ?? [];
    const sent = bridge().dingtalk.tapLink(card?.conversationId ?? '', 'staff-1', link);
    expect(sent).toMatchObject({ text: '同意' });
    if (sent) await bridge().ask(sent);
    expect(cards()[1]?.content).toBe('got approve');
  });

  test('is not answered by somebody else in the group', async () => {
    await begin(plain, { env: { CONVERSATION_SCOPE: 'chat' } });
    await bridge().ask({ from: 'staff-1', text: 'apply', conversation: GROUP });
    await bridge().ask({ from: 'staff-2', text: '同意', conversation: GROUP });
    expect(submitted()).toEqual([]);
    await bridge().ask({ from: 'staff-1', text: '同意', conversation: GROUP });
    expect(submitted()).toHaveLength(1);
  });

  test('has buttons and fields where the template has them; a press is taken once', async () => {
    await begin(approval, withButtons);
    await bridge().ask({ from: 'staff-1', text: 'apply', conversation: GROUP });
    const { outTrackId = '' } = cards()[0] ?? {};
    const [approve] = bridge()
      .dingtalk.buttonsOf(outTrackId, 'staff-1')
      .filter(({ actionId }) => actionId === 'form');
    expect(approve).toMatchObject({ label: '同意', fields: [{ name: 'reason' }] });
    const press = (userId: string) =>
      bridge().dingtalk.tap({
        outTrackId,
        userId,
        actionId: 'form',
        params: { ...(approve?.params as object), form: { reason: '有发票' } },
      });
    const strange = await press('staff-2');
    expect(strange.update?.userPrivateData).toMatchObject({ notice: '只有提问的人可以操作这个按钮。' });
    await Promise.all([press('staff-1'), press('staff-1')]);
    await bridge().idle();
    expect(submitted()).toEqual([{ action: 'approve', inputs: { reason: '有发票' }, user: 'staff-1' }]);
    expect(cards()).toHaveLength(2);
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'approve: 有发票 已处理。' });
  });

  test('pressed by the button of the form component, which names no action, means the first', async () => {
    await begin({ ...approval, inputs: [{ type: 'select', name: 'level', options: ['高', '低'] }] }, withButtons);
    await bridge().ask('apply');
    const { outTrackId = '' } = cards()[0] ?? {};
    const params = { form: { level: { index: 1, value: '低' } } };
    await bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'form', params });
    await bridge().idle();
    expect(submitted()).toEqual([{ action: 'approve', inputs: { level: '低' }, user: 'staff-1' }]);
  });

  test('that was answered elsewhere says so', async () => {
    await begin(plain, withButtons);
    await bridge().ask('apply');
    const { outTrackId = '' } = cards()[0] ?? {};
    const tap = (action_id: string) =>
      bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'form', params: { action: 'form', action_id } });
    await tap('approve');
    await bridge().idle();
    await tap('reject');
    await bridge().idle();
    expect(submitted()).toHaveLength(2);
    expect(cards().at(-1)?.content).toContain('这张表单已经处理过了');
  });

  test('that was answered elsewhere says so to whoever types an answer, and is no question', async () => {
    await begin(plain);
    await bridge().ask('apply');
    const token = bridge().dify.runs[0]?.forms[0]?.token ?? '';
    await fetch(`${bridge().dify.url}/form/human_input/${token}`, {
      method: 'POST',
      headers: { authorization: 'Bearer app-key-1', 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'approve', inputs: {}, user: 'somebody' }),
    });
    await bridge().ask('2');
    expect(cards()[1]).toMatchObject({ phase: 'failed' });
    expect(cards()[1]?.content).toContain('这张表单已经处理过了');
    expect(bridge().dify.runs).toHaveLength(1);
    // Told once; then the conversation waits for nothing.
    await bridge().ask('2');
    expect(cards()[2]?.content).toBe('re 2');
  });

  test('that Dify failed to take can be answered again', async () => {
    await begin(plain);
    await bridge().ask('apply');
    bridge().dify.faults.inject({ api: 'submitForm', kind: 'http', name: 'internal-server-error' });
    await bridge().ask('同意');
    expect(cards()[1]).toMatchObject({ phase: 'failed' });
    await bridge().ask('同意');
    expect(cards()[2]?.content).toBe('got approve');
    expect(bridge().dify.runs).toHaveLength(1);
  });

  test('whose answer arrived without a word of that goes on all the same', async () => {
    await begin(plain);
    await bridge().ask('apply');
    bridge().dify.faults.inject({ api: 'submitForm', kind: 'lost-response' });
    await bridge().ask('同意');
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'got approve' });
    expect(bridge().dify.requests.filter(({ api }) => api === 'submitForm')).toHaveLength(1);
  });

  test('whose action is called like a command is answered by its button all the same', async () => {
    await begin({ ...plain, actions: [{ id: 'halt', title: '停止', button_style: 'default' }] }, withButtons);
    await bridge().ask('apply');
    const { outTrackId = '' } = cards()[0] ?? {};
    const params = { action: 'form', action_id: 'halt', title: '停止' };
    await bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'form', params });
    await bridge().idle();
    expect(submitted()).toMatchObject([{ action: 'halt' }]);
  });

  test('whose time is over says so to a press, and lets words be a question', async () => {
    await begin({ ...plain, expiresInS: 1 }, withButtons);
    await bridge().ask('apply');
    const { outTrackId = '' } = cards()[0] ?? {};
    await expect.poll(() => bridge().dify.runs[0]?.forms?.[0]?.status, { timeout: 5_000 }).toBe('expired');
    const params = { action: 'form', action_id: 'approve' };
    await bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'form', params });
    await bridge().idle();
    expect(cards().at(-1)).toMatchObject({ phase: 'failed' });
    expect(cards().at(-1)?.content).toContain('这张表单已过期');
    await bridge().ask('what is the weather?');
    expect(cards().at(-1)?.content).toBe('re what is the weather?');
    await bridge().ask('同意');
    expect(cards().at(-1)?.content).toBe('re 同意');
  });

  test('whose time is over takes no typed answer for a question', async () => {
    await begin({ ...plain, expiresInS: 1 });
    await bridge().ask('apply');
    await expect.poll(() => bridge().dify.runs[0]?.forms?.[0]?.status, { timeout: 5_000 }).toBe('expired');
    await bridge().ask('同意');
    expect(cards().at(-1)?.content).toContain('这张表单已过期');
    expect(bridge().dify.runs).toHaveLength(1);
  });

  test('that lacks something required is asked for it, and stays open', async () => {
    await begin({ ...approval, inputs: [{ type: 'select', name: 'level', options: ['高', '低'] }] });
    await bridge().ask('apply');
    await bridge().ask('同意');
    expect(cards()[1]).toMatchObject({ phase: 'failed' });
    expect(cards()[1]?.content).toContain('level');
    await bridge().ask('同意\nlevel：低');
    expect(submitted()).toMatchObject([{ inputs: { level: '低' } }]);
  });

  test('that only e-mail can answer says where', async () => {
    await begin({ ...plain, formToken: null });
    await bridge().ask('apply');
    expect(cards()[0]?.content).toContain('邮件');
    await bridge().ask('同意');
    expect(cards()[1]?.content).toBe('re 同意');
  });

  test('may be followed by another', async () => {
    await begin({
      ...plain,
      onSubmit: () => ({ chunks: [{ text: 'one more' }], ending: { ...plain, title: '复核' } }),
    });
    await bridge().ask('apply');
    await bridge().ask('同意');
    expect(cards()[1]?.content).toContain('one more');
    expect(cards()[1]?.content).toContain('复核');
    await bridge().ask('拒绝');
    expect(submitted()).toMatchObject([{ action: 'approve' }, { action: 'reject' }]);
    expect(cards()[2]?.content).toBe('got reject');
  });

  test('of a workflow goes on the same way', async () => {
    await start({
      app: {
        mode: 'workflow',
        script: ({ text }) => (text === 'apply' ? { chunks: [], ending: plain } : words('other')),
      },
    });
    await bridge().ask('apply');
    await bridge().ask('同意');
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'got approve' });
  });

  test('whose run cannot be followed is answered all the same, and its end looked for', async () => {
    await begin(plain);
    await bridge().ask('apply');
    bridge().dify.faults.inject({ api: 'runEvents', kind: 'reset' });
    await bridge().ask('同意');
    expect(submitted()).toHaveLength(1);
    expect(cards()[1]?.phase).toBe('finished');
    expect(cards()[1]?.content).toContain('got approve');
  });
});
