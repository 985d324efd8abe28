// What people press on a card: every press has its answer within DingTalk's 2 s, and its effect where it should.
import { describe, expect, test } from 'vitest';
import { sleep, systemClock } from '../../lib/runtime/clock.ts';
import type { SimulatedCard, Tap, TapOverrides } from '../../playground/dingtalk/types.ts';
import { GROUP, TEMPLATE, withButtons, type BridgeOptions } from '../support/bridge.ts';
import { door, heldAnswer, overHttp, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const NOTICE = { zh: { stopping: '已收到停止请求。', notYours: '只有提问的人可以操作这个按钮。' } } as const;

const begin = (options: BridgeOptions = {}) =>
  start({
    ...options,
    dingtalk: { ...withButtons.dingtalk, ...options.dingtalk },
    env: { ...withButtons.env, ...options.env },
  });

const cards = () => bridge().cards();
const newest = (): SimulatedCard => {
  const card = cards().at(-1);
  if (!card) throw new Error('no card');
  return card;
};
const tap = (
  actionId: string,
  params: Record<string, unknown> = {},
  { userId = 'staff-1', card = newest(), ...overrides }: TapOverrides & { userId?: string; card?: SimulatedCard } = {},
): Promise<Tap> =>
  bridge().dingtalk.tap(
    { outTrackId: card.outTrackId, userId, actionId, params: { action: actionId, ...params } },
    overrides,
  );
const noticeOf = ({ update }: Tap) => update?.userPrivateData?.['notice'];
const calls = (api: string) => bridge().dingtalk.calls.filter((call) => call.api === api);
const asked = (api: string) => bridge().dify.requests.filter((request) => request.api === api);

/** An answer that takes about this long. */
const long = (seconds: number) => ({
  chunks: Array.from({ length: seconds * 10 }, (_, index) => ({ afterMs: 100, text: `w${index + 1} ` })),
});

describe('the address for buttons', () => {
  test('cards name the way back: the Stream connection, or the address that was registered', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    expect(bridge().dingtalk.callbackUrl(newest().outTrackId)).toBe(bridge().callbackUrl);
    expect(newest().isOfStream).toBe(door === 'stream');
    expect(calls('registerCallback')).toHaveLength(door === 'stream' ? 0 : 1);
  });

  overHttp('is registered once, under a key and a secret of its own, before the first card', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    await bridge().ask('two');
    expect(calls('registerCallback')).toHaveLength(1);
    const [first] = calls('registerCallback');
    const { callbackRouteKey, callbackUrl, apiSecret } = (first?.request ?? {}) as Record<string, string>;
    expect(callbackUrl).toBe(bridge().url);
    expect(apiSecret).toMatch(/^[0-9a-f]{64}$/u);
    expect(cards().map((card) => card.callbackRouteKey)).toEqual([callbackRouteKey, callbackRouteKey]);
    expect(calls('createAndDeliver')[0]?.at).toBeGreaterThanOrEqual(first?.at ?? Infinity);
  });

  overHttp('that is refused leaves cards without buttons, and says why', async () => {
    await begin({ app: { script: words('yes') } });
    bridge().dingtalk.faults.inject({ api: 'registerCallback', kind: 'busy' });
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'yes', callbackRouteKey: null });
    expect(bridge().logs).toContainEqual(
      expect.objectContaining({ event: 'callback_not_registered', code: 'dingtalk_callback_unregistered' }),
    );
  });
});

describe('stop', () => {
  test('ends the answer with its text so far, although Dify notices only after 2 s', async () => {
    await begin({ app: { script: long(20) }, dify: { behaviour: { stopNoticeMs: 2_000 } } });
    await bridge().send('long');
    await expect.poll(() => cards().at(-1)?.phase).toBe('typing');
    const tappedAt = Date.now();
    const pressed = await tap('stop');
    expect(pressed).toMatchObject({ status: 200 });
    expect(noticeOf(pressed)).toBe(NOTICE.zh.stopping);
    await bridge().idle();
    const { content, phase, endedAt } = bridge().card();
    expect(phase).toBe('finished');
    expect(content).toMatch(/^w1 w2 .*\n\n（已停止）[^\n]*继续[^\n]*$/su);
    expect((endedAt ?? Infinity) - tappedAt).toBeLessThanOrEqual(5_000);
    const [stop] = asked('stop');
    expect(stop?.body).toEqual({ user: 'staff-1' });
    expect(stop?.taskId).toBe(bridge().dify.runs[0]?.taskId);
    expect((stop?.at ?? Infinity) - tappedAt).toBeLessThanOrEqual(1_000);
    expect(bridge().dify.runs).toMatchObject([{ status: 'stopped' }]);
    // A second press finds nothing to stop.
    expect(noticeOf(await tap('stop'))).toBe('现在没有正在生成的回答。');
    expect(asked('stop')).toHaveLength(1);
  });

  test.each([
    ['at the top', { content: undefined, actionId: 'stop', params: { action: 'stop' } }],
    ['in actionData', { content: undefined, actionData: { cardPrivateData: { actionIds: ['stop'] } } }],
  ])('of a button whose press stands %s', async (_where, body) => {
    await begin({ app: { script: long(20) }, dify: { behaviour: { stopNoticeMs: 200 } } });
    await bridge().send('long');
    await expect.poll(() => cards().at(-1)?.phase).toBe('typing');
    const pressed = await tap('stop', {}, { body });
    expect(pressed).toMatchObject({ status: 200 });
    expect(noticeOf(pressed)).toBe(NOTICE.zh.stopping);
    await bridge().idle();
    expect(bridge().card().content).toContain('（已停止）');
  });

  test('does not wait for a Dify that never notices', async () => {
    await begin({ app: { script: long(20) }, dify: { behaviour: { stopNoticeMs: 60_000 } } });
    await bridge().send('long');
    await expect.poll(() => cards().at(-1)?.phase).toBe('typing');
    const tappedAt = Date.now();
    await tap('stop');
    await bridge().idle();
    expect(bridge().card()).toMatchObject({
      phase: 'finished',
      content: expect.stringContaining('（已停止）') as string,
    });
    expect((bridge().card().endedAt ?? Infinity) - tappedAt).toBeLessThanOrEqual(5_000);
    expect(bridge().dify.openStreams).toEqual([]);
  });

  test('of a workflow uses its own endpoint', async () => {
    await begin({
      app: { mode: 'workflow', script: long(20) },
      dify: { behaviour: { stopNoticeMs: 200 } },
    });
    await bridge().send('long');
    await expect.poll(() => cards().at(-1)?.phase).toBe('typing');
    await tap('stop');
    await bridge().idle();
    expect(asked('stop')).toMatchObject([{ path: `/v1/workflows/tasks/${bridge().dify.runs[0]?.taskId}/stop` }]);
    expect(bridge().card().content).toContain('（已停止）');
  });

  test('of a question that waits drops it, and leaves the answer before it alone', async () => {
    const { goOn, script: held } = heldAnswer();
    await begin({ app: { script: ({ text }) => (text === 'long' ? held('and so on') : words('never')) } });
    await bridge().send('long');
    await bridge().send('waiting');
    await expect.poll(() => cards().length).toBe(2);
    await expect.poll(() => cards().at(-1)?.content).toContain('前面还有');
    await tap('stop');
    goOn();
    await bridge().idle();
    expect(cards()[0]?.content).toBe('well, and so on');
    expect(cards()[1]).toMatchObject({ phase: 'finished', content: '（已停止）' });
    expect(bridge().dify.runs.map(({ query }) => query)).toEqual(['long']);
  });
});

describe('who presses', () => {
  test('a stop of somebody else is refused with a sentence, an administrator may', async () => {
    await begin({ app: { script: long(20) }, env: { ADMIN_USERS: 'staff-2' } });
    await bridge().send({ from: 'staff-1', text: 'long', conversation: GROUP });
    await expect.poll(() => cards().at(-1)?.phase).toBe('typing');
    const strange = await tap('stop', {}, { userId: 'staff-9' });
    expect(noticeOf(strange)).toBe(NOTICE.zh.notYours);
    expect(asked('stop')).toEqual([]);
    expect(cards().at(-1)?.phase).toBe('typing');
    await tap('stop', {}, { userId: 'staff-2' });
    await bridge().idle();
    expect(bridge().card().content).toContain('（已停止）');
  });

  overHttp('nobody gets past the signature', async () => {
    await begin({ app: { script: long(2) } });
    await bridge().send('long');
    await expect.poll(() => cards().at(-1)?.phase).toBe('typing');
    const forged = { 'x-ddpaas-signature': Buffer.alloc(32).toString('base64') };
    expect(await tap('stop', {}, { headers: forged })).toMatchObject({ status: 401 });
    expect(await tap('stop', {}, { headers: { 'x-ddpaas-signature-timestamp': undefined } })).toMatchObject({
      status: 401,
    });
    expect(await tap('stop', {}, { at: Date.now() - 3_700_000 })).toMatchObject({ status: 401 });
    expect(await tap('stop', {}, { body: { content: 'no JSON' } })).toMatchObject({ status: 400 });
    await bridge().idle();
    expect(asked('stop')).toEqual([]);
    expect(bridge().card().content).toMatch(/w20$/u);
  });

  test('a card that nobody knows, and a button without a meaning, are told so', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    expect(noticeOf(await tap('dance'))).toContain('请联系管理员检查卡片模板');
    const unknown = await tap('stop', {}, { body: { outTrackId: 'another' } });
    expect(noticeOf(unknown)).toBe('这张卡片太旧了，请重新提问。');
  });

  test('the id that a builder has lengthened is understood', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    const pressed = await bridge().dingtalk.tap({
      outTrackId: newest().outTrackId,
      userId: 'staff-1',
      actionId: 'like_12',
      params: {},
    });
    expect(pressed.update?.userPrivateData).toMatchObject({ like_status: 'like' });
  });

  test('people who may not ask may not press either', async () => {
    await begin({ app: { script: words('yes') }, env: { ALLOWED_USERS: 'staff-1' } });
    await bridge().ask({ from: 'staff-1', text: 'one', conversation: GROUP });
    expect(noticeOf(await tap('ask', { question: 'two' }, { userId: 'staff-2' }))).toContain(
      '没有使用这个机器人的权限',
    );
    await bridge().idle();
    expect(bridge().dify.runs).toHaveLength(1);
  });
});

describe('like and dislike', () => {
  test('reach Dify, are shown as chosen, and can be taken back', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    const run = () => bridge().dify.runs[0];
    const chosen = () => newest().privateVariables['staff-1']?.['like_status'];
    await tap('like');
    await bridge().idle();
    expect([run()?.rating, chosen()]).toEqual(['like', 'like']);
    await tap('dislike');
    await bridge().idle();
    expect([run()?.rating, chosen()]).toEqual(['dislike', 'dislike']);
    await tap('dislike');
    await bridge().idle();
    expect([run()?.rating, chosen()]).toEqual([null, '']);
    expect(asked('feedback').map(({ body }) => body)).toEqual([
      { rating: 'like', user: 'staff-1' },
      { rating: 'dislike', user: 'staff-1' },
      { rating: null, user: 'staff-1' },
    ]);
  });

  test('a reason goes to Dify with the dislike, costs no call of DingTalk, and takes nothing back', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    await bridge().idle();
    const counted = bridge().dingtalk.countedCalls();
    const offered = await tap('dislike');
    expect(offered.update?.userPrivateData).toMatchObject({ like_status: 'dislike', ask_reason: 'true' });
    expect((await tap('dislike', { reason: 'incomplete' })).update?.userPrivateData).toMatchObject({ ask_reason: '' });
    await bridge().idle();
    expect(bridge().dify.runs[0]).toMatchObject({ rating: 'dislike', ratingContent: '不完整' });
    const { outTrackId } = newest();
    const input = { input: '没说加班怎么算' };
    await bridge().dingtalk.tap({ outTrackId, userId: 'staff-1', actionId: 'dislike', params: input });
    await bridge().idle();
    expect(bridge().dify.runs[0]).toMatchObject({ rating: 'dislike', ratingContent: input.input });
    expect(newest().privateVariables['staff-1']).toMatchObject({ like_status: 'dislike', ask_reason: '' });
    expect(bridge().dingtalk.countedCalls()).toBe(counted);
  });

  test('that Dify does not take are taken back on the card', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    bridge().dify.faults.inject({ api: 'feedback', kind: 'reset' });
    await tap('like');
    await bridge().idle();
    const own = newest().privateVariables['staff-1'];
    expect(own).toMatchObject({ like_status: '', notice: expect.stringContaining('没有提交成功') as string });
  });

  test('of somebody else in the group count, as the opinion of the answer', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask({ from: 'staff-1', text: 'one', conversation: GROUP });
    await tap('like', {}, { userId: 'staff-2' });
    await bridge().idle();
    expect(bridge().dify.runs[0]?.rating).toBe('like');
    expect(newest().privateVariables['staff-2']).toMatchObject({ like_status: 'like' });
    expect(newest().privateVariables['staff-1']).toBeUndefined();
  });

  test('of a workflow are refused in words: Dify has no ratings for it', async () => {
    await begin({ app: { mode: 'workflow', script: words('yes') } });
    await bridge().ask('one');
    expect(noticeOf(await tap('like'))).toBe('这个 AI 应用不支持评价。');
  });
});

const suggesting = {
  parameters: { suggested_questions_after_answer: { enabled: true } },
  suggest: ['接下来呢？', '还有(别的)吗？'],
};

describe('suggested questions', () => {
  test('are on the card, and one tap asks, once however often it comes', async () => {
    await begin({ app: { script: ({ text }) => words(`re ${text}`), ...suggesting } });
    await bridge().ask({ from: 'staff-1', text: 'one', conversation: GROUP });
    const card = newest();
    const questions = bridge()
      .dingtalk.buttonsOf(card.outTrackId, 'staff-1')
      .filter(({ actionId }) => actionId === 'ask');
    expect(questions.map(({ label }) => label)).toEqual(suggesting.suggest);
    expect(card.content).toBe('re one');
    const [question] = questions;
    const params = question?.params as Record<string, unknown>;
    await Promise.all([tap('ask', params, { card }), tap('ask', params, { card })]);
    await bridge().idle();
    expect(bridge().dify.runs.map(({ query, user }) => [query, user])).toEqual([
      ['one', 'staff-1'],
      ['接下来呢？', 'staff-1'],
    ]);
    expect(newest()).toMatchObject({ content: 're 接下来呢？', space: { kind: 'group', id: GROUP } });
    expect(bridge().dify.runs[1]?.conversationId).toBe(bridge().dify.runs[0]?.conversationId);
  });

  test('a tap of somebody else asks for them, in their own conversation', async () => {
    await begin({ app: { script: words('yes'), ...suggesting } });
    await bridge().ask({ from: 'staff-1', text: 'one', conversation: GROUP });
    await tap('ask', { question: '接下来呢？' }, { userId: 'staff-2' });
    await bridge().idle();
    expect(bridge().dify.runs.map(({ user }) => user)).toEqual(['staff-1', 'staff-2']);
    expect(newest().mentions).toMatchObject([{ userId: 'staff-2' }]);
  });

  test('without buttons are links in a single chat, and words to type in a group', async () => {
    await start({ app: { script: words('yes'), ...suggesting } });
    await bridge().ask('one');
    const single = newest();
    const [link = ''] = /dtmd:\S+(?=\))/u.exec(single.content) ?? [];
    expect(single.content).toMatch(/^yes\n\n\*\*接着问\*\*\n\n/u);
    const sent = bridge().dingtalk.tapLink(single.conversationId, 'staff-1', link);
    expect(sent).toMatchObject({ text: '接下来呢？' });
    if (sent) await bridge().ask(sent);
    expect(bridge().dify.runs.at(-1)).toMatchObject({ query: '接下来呢？', turn: 2 });
    await bridge().ask({ from: 'staff-1', text: 'one', conversation: GROUP });
    expect(newest().content).toContain('接着问（@我 并输入）');
    expect(newest().content).toContain('- 接下来呢？');
    expect(newest().content).not.toContain('dtmd:');
  });

  test('that Dify fails to make cost nobody the answer', async () => {
    await begin({ app: { script: words('yes'), ...suggesting } });
    bridge().dify.faults.inject({ api: 'suggested', kind: 'reset' });
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'yes' });
    expect(bridge().logs).toContainEqual(expect.objectContaining({ event: 'extras_failed' }));
  });
});

overHttp('several robots have addresses and secrets of their own: a press of one is nothing to another', async () => {
  await begin({
    app: { script: words('yes') },
    env: {
      BOTS: JSON.stringify([
        {
          name: 'hr',
          dingtalkClientId: 'other',
          dingtalkClientSecret: 'other-secret',
          dingtalkCardTemplateId: TEMPLATE,
        },
      ]),
    },
  });
  await bridge().ask('one');
  expect(bridge().dingtalk.callbackUrl(newest().outTrackId)).toBe(bridge().url);
  expect(await tap('like', {}, { url: `${bridge().url}/hr` })).toMatchObject({ status: 401 });
  expect(await tap('like', {}, { url: `${bridge().url}/nobody` })).toMatchObject({ status: 404 });
  await bridge().idle();
  expect(asked('feedback')).toEqual([]);
});

describe('new', () => {
  test('begins the conversation anew for the one who pressed', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    await tap('new');
    await bridge().idle();
    expect(bridge().dingtalk.messages.at(-1)?.text).toContain('已开始新会话');
    await bridge().ask('two');
    const [first, second] = bridge().dify.runs;
    expect(second?.conversationId).not.toBe(first?.conversationId);
  });
});

describe('retry', () => {
  const failing = (times: number) => {
    let count = 0;
    return () => {
      count += 1;
      return count <= times ? { chunks: [], ending: { kind: 'failed' as const, message: 'no' } } : words('at last');
    };
  };

  test('asks the same again, once, for the asker', async () => {
    await begin({ app: { script: failing(1) } });
    await bridge().ask('difficult');
    const card = newest();
    expect(card.phase).toBe('failed');
    expect(bridge().dingtalk.buttonsOf(card.outTrackId, 'staff-1')).toMatchObject([{ actionId: 'retry' }]);
    await tap('retry', {}, { card });
    await bridge().idle();
    expect(noticeOf(await tap('retry', {}, { card }))).toBe('已经处理过了。');
    await bridge().idle();
    expect(bridge().dify.runs.map(({ query }) => query)).toEqual(['difficult', 'difficult']);
    expect(newest()).toMatchObject({ phase: 'finished', content: 'at last' });
  });

  test('without buttons is a link in a single chat, and nothing in a group', async () => {
    await start({ app: { script: failing(2) } });
    await bridge().ask('难(题)');
    const card = newest();
    const [link = ''] = /dtmd:\S+(?=\))/u.exec(card.content) ?? [];
    expect(bridge().dingtalk.tapLink(card.conversationId, 'staff-1', link)).toMatchObject({ text: '难(题)' });
    await bridge().ask({ from: 'staff-1', text: 'two', conversation: GROUP });
    expect(newest()).toMatchObject({ phase: 'failed' });
    expect(newest().content).not.toContain('dtmd:');
  });

  test('is told when the question is not on record any more', async () => {
    await begin({ app: { script: words('yes') } });
    await bridge().ask('one');
    expect(noticeOf(await tap('retry'))).toBe('这个问题已不在记录中，请重新提问。');
  });
});

describe('what the app says first', () => {
  const greeting = { parameters: { opening_statement: '你好，我是助手。', suggested_questions: ['能做什么？'] } };

  test('greets a first contact in a single chat once, and after /new', async () => {
    await start({ app: { script: words('yes'), ...greeting } });
    await bridge().ask('one');
    const texts = () => bridge().dingtalk.messages.map(({ text }) => text);
    expect(texts()).toMatchObject([expect.stringMatching(/^你好，我是助手。[^]*\[能做什么？\]\(dtmd:/u)]);
    await bridge().ask('two');
    expect(texts()).toHaveLength(1);
    await bridge().ask('/new');
    expect(texts()[1]).toMatch(/已开始新会话[^]*你好，我是助手。/u);
    await bridge().ask('three');
    expect(texts()).toHaveLength(2);
  });

  test('does not greet everybody in a group', async () => {
    await start({ app: { script: words('yes'), ...greeting } });
    await bridge().ask({ from: 'staff-1', text: 'one', conversation: GROUP });
    expect(bridge().dingtalk.messages).toEqual([]);
  });
});

describe('while nothing is written yet', () => {
  test('the card says what the app does, and the answer does not', async () => {
    await start({
      app: {
        mode: 'advanced-chat',
        script: {
          chunks: [{ node: { title: '知识检索', type: 'knowledge-retrieval' }, forMs: 1_800 }, { text: 'found' }],
        },
      },
    });
    await bridge().ask('one');
    const { frames, content } = bridge().card();
    const [hint = ''] = frames.map(({ content: shown }) => shown);
    expect(hint).toMatch(/^⏳ 正在执行：知识检索\n\n\[⏹ 停止\]\(dtmd:/u);
    expect(
      bridge().dingtalk.tapLink(bridge().card().conversationId, 'staff-1', /dtmd:\S+(?=\))/u.exec(hint)?.[0] ?? ''),
    ).toMatchObject({ text: '停止' });
    expect(content).toBe('found');
  });

  test('an answer that comes at once costs no call for that', async () => {
    await start({
      app: {
        mode: 'advanced-chat',
        script: { chunks: [{ node: { title: '知识检索', type: 'knowledge-retrieval' } }, { text: 'found' }] },
      },
    });
    await bridge().ask('one');
    await sleep(systemClock, 1_500);
    expect(
      bridge()
        .card()
        .frames.map(({ content }) => content),
    ).not.toContainEqual(expect.stringContaining('正在执行'));
  });
});
