// A run that waits for a person: its form is shown, answered by typing or by a button, and the run goes on in the chat.
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
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

  test('frees its conversation: anything else can be asked, and the form can still be answered', async () => {
    await begin(plain);
    await bridge().ask('apply');
    await bridge().ask('提问：what is the weather?');
    expect(cards()[1]?.content).toBe('re what is the weather?');
    await bridge().ask('同意');
    expect(cards()[2]?.content).toBe('got approve');
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
    const { outTrackId = '', variables } = cards()[0] ?? {};
    expect(variables).toMatchObject({ waiting_for: expect.stringMatching(/./u) as string });
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
    expect(cards()[1]).toMatchObject({ phase: 'finished' });
    expect(cards()[1]?.content).toContain('这张表单已经处理过了');
    expect(cards()[1]?.content).not.toContain('再试一次');
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
    await expect.poll(() => bridge().dify.runs[0]?.forms?.[0]?.status).toBe('expired');
    const params = { action: 'form', action_id: 'approve' };
    await bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'form', params });
    await bridge().idle();
    expect(cards().map(({ content }) => content)).toContainEqual(expect.stringContaining('这张表单已过期'));
    await bridge().ask('what is the weather?');
    expect(cards().at(-1)?.content).toBe('re what is the weather?');
    await bridge().ask('同意');
    expect(cards().at(-1)?.content).toBe('re 同意');
  });

  test('whose time is over takes no typed answer for a question', async () => {
    await begin({ ...plain, expiresInS: 1 });
    await bridge().ask('apply');
    await expect.poll(() => bridge().dify.runs[0]?.forms?.[0]?.status).toBe('expired');
    await bridge().ask('同意');
    expect(cards().map(({ content }) => content)).toContainEqual(expect.stringContaining('这张表单已过期'));
    expect(bridge().dify.runs).toHaveLength(1);
  });

  test('that lacks something required is asked for it, and stays open', async () => {
    await begin({ ...approval, inputs: [{ type: 'select', name: 'level', options: ['高', '低'] }] });
    await bridge().ask('apply');
    await bridge().ask('同意');
    expect(cards()[1]).toMatchObject({ phase: 'finished' });
    expect(cards()[1]?.content).toContain('level');
    expect(cards()[1]?.content).not.toContain('再试一次');
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
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'got approve' });
  });
});

/** Presses the first action of a form; of the newest card, unless another one is named. */
const press = async (userId = 'staff-1', card = -1) => {
  const { outTrackId = '' } = cards().at(card) ?? {};
  const params = { action: 'form', action_id: 'approve', title: '同意' };
  return bridge().dingtalk.tap({ outTrackId, userId, actionId: 'form', params }, { url: bridge().callbackUrl });
};
const usersOf = (...apis: string[]) =>
  bridge()
    .dify.requests.filter(({ api }) => apis.includes(api))
    .map(({ api, user, status }) => [api, user, status]);

describe('a form of another person that an administrator answers', () => {
  const suggesting = {
    parameters: { suggested_questions_after_answer: { enabled: true } },
    suggest: ['接下来呢？'],
  };
  const asAdmin = async (pause = plain) => {
    await start({
      app: { ...app(pause), ...suggesting },
      dingtalk: withButtons.dingtalk,
      env: { ...withButtons.env, ADMIN_USERS: 'staff-2' },
    });
    await bridge().ask({ from: 'staff-1', text: 'apply', conversation: GROUP });
  };

  test('goes on as the run of the person who asked: its events and suggestions are theirs', async () => {
    await asAdmin();
    await press('staff-2');
    await bridge().idle();
    expect(submitted()).toMatchObject([{ action: 'approve', user: 'staff-1' }]);
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'got approve' });
    expect(usersOf('runEvents', 'suggested')).toEqual([
      ['runEvents', 'staff-1', 200],
      ['suggested', 'staff-1', 200],
    ]);
  });

  test('is found again as theirs when its stream breaks', async () => {
    await asAdmin();
    bridge().dify.faults.inject({ api: 'runEvents', kind: 'cut', afterBytes: 900 });
    await press('staff-2');
    await bridge().idle();
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'got approve' });
    expect(usersOf('runEvents').map(([, user]) => user)).toEqual(['staff-1', 'staff-1']);
  });

  test('is followed by another, whose answer they type: the run is that of the person who asked all the same', async () => {
    const next = { ...plain, onSubmit: () => ({ chunks: [{ text: 'more.' }], ending: plain }) };
    await asAdmin(next);
    await press('staff-2');
    await bridge().idle();
    bridge().dify.faults.inject({ api: 'runEvents', kind: 'cut', afterBytes: 900 });
    await bridge().ask({ from: 'staff-2', text: '同意', conversation: GROUP });
    expect(cards()[2]).toMatchObject({ phase: 'finished', content: 'got approve' });
    expect(usersOf('runEvents', 'submitForm', 'suggested').map(([, user]) => user)).toEqual(
      Array.from({ length: 6 }, () => 'staff-1'),
    );
  });

  test('leaves them in their own conversation', async () => {
    await asAdmin();
    const ask = () => bridge().ask({ from: 'staff-2', text: 'question', conversation: GROUP });
    await ask();
    await press('staff-2', 0);
    await bridge().idle();
    await ask();
    const [, before, after] = bridge().dify.runs;
    expect(after).toMatchObject({ user: 'staff-2', conversationId: before?.conversationId, turn: 2 });
  });
});

test('a form of a conversation that began anew since does not bring the old one back', async () => {
  await begin(plain, withButtons);
  await bridge().ask('apply');
  await bridge().ask('/new');
  await press();
  await bridge().idle();
  expect(cards()[1]).toMatchObject({ phase: 'finished', content: 'got approve' });
  await bridge().ask('question');
  const [old, fresh] = bridge().dify.runs;
  expect(fresh).toMatchObject({ turn: 1 });
  expect(fresh?.conversationId).not.toBe(old?.conversationId);
});

describe.each(['typed', 'pressed'] as const)(
  'the answer to a form that was %s, when it has to be found again,',
  (how) => {
    const second: Pause = {
      ...plain,
      title: '复核',
      onSubmit: () => ({ chunks: [{ text: 'second' }, { afterMs: 150, text: ' words' }, { afterMs: 150, text: '!' }] }),
    };
    const first: Pause = {
      ...plain,
      onSubmit: () => ({
        chunks: [{ text: 'first' }, { afterMs: 150, text: ' words.' }, { afterMs: 150, text: ' And?' }],
        ending: second,
      }),
    };
    const cron = { authorization: 'Bearer cron-secret' };
    const leaseTiming = { leaseMs: 600, renewMs: 200 };
    let records: State;
    const open = (adapt: (state: State) => State = (own) => own) => {
      records = adapt({ ...createMemoryState(systemClock), isDurable: true });
      const env = { ...withButtons.env, CRON_SECRET: 'cron-secret' };
      return begin(first, { dingtalk: withButtons.dingtalk, env, state: records, leaseTiming });
    };
    /** Answers the form, until some of what comes then is shown. */
    const answer = async () => {
      const before = cards().length;
      await (how === 'typed' ? bridge().send('同意') : press());
      await expect.poll(() => cards()[before]?.content ?? '').toMatch(/^(first|second)/u);
    };
    const breakOff = async () => {
      bridge().dify.faults.inject({ api: 'runEvents', kind: 'cut', afterBytes: 4_000 });
      await answer();
      await bridge().idle();
    };
    const die = async () => {
      await answer();
      const recorded = async () => (await records.peek(cards().at(-1)?.outTrackId ?? '')).progress;
      await expect.poll(recorded).toMatch(/"hasCard":true.*"text":"(first|second)/u);
      await bridge().kill();
      await new Promise((resolve) => setTimeout(resolve, leaseTiming.leaseMs));
      await fetch(`${bridge().url}?sweep`, { headers: cron });
      await bridge().idle();
    };
    const shown = () => cards().map(({ phase, content }) => [phase, content.split('\n')[0]]);
    const found = () => bridge().logs.filter(({ event }) => event === 'turn_recovered');

    test.each([
      ['its stream broke', breakOff],
      ['its function was killed', die],
    ])('because %s, begins after the form', async (_, disturb) => {
      await open();
      await bridge().ask('apply');
      await disturb();
      await disturb();
      expect(shown()).toEqual([
        ['finished', '已提交。'],
        ['finished', 'first words. And?'],
        ['finished', 'second words!'],
      ]);
      expect(found()).toHaveLength(2);
      expect(bridge().dify.runs).toHaveLength(1);
    });

    test('repeats the text before a form that an older version put on record, and loses none', async () => {
      const older = (text: string) => text.replaceAll(/,"shownChars":\d+/gu, '');
      await open((state) => ({
        ...state,
        accept: (request) => state.accept({ ...request, payload: older(request.payload) }),
        finish: ({ form, ...request }) =>
          state.finish({
            ...request,
            receipt: older(request.receipt),
            form: form.kind === 'change' ? { kind: 'change', newest: older(form.newest ?? ''), all: null } : form,
          }),
      }));
      await bridge().ask('apply');
      await breakOff();
      expect(shown()[1]).toEqual(['finished', '已提交。first words. And?']);
      expect(found()).toHaveLength(1);
    });
  },
);
