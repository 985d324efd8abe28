// What goes wrong at Dify, at DingTalk and in between, and what the asker sees of it.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DingTalkFaultEffect } from '../../playground/dingtalk/types.ts';
import { GROUP, templates } from '../support/bridge.ts';
import { fast, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const visibleText = () =>
  [
    ...bridge()
      .cards()
      .map(({ content }) => content),
    ...bridge().dingtalk.messages.map(({ text }) => text),
  ].join('\n');

describe('Dify', () => {
  const bodies = JSON.parse(readFileSync(new URL('../fixtures/dify/http-bodies.json', import.meta.url), 'utf8')) as {
    name: string;
    status: number;
    body: unknown;
  }[];
  const refusals = bodies.filter(({ status }) => status >= 400).map(({ name }) => name);

  test.each(refusals)(
    'refuses with %s: a failed card with a sentence, a reference, and none of its words',
    async (name) => {
      await start();
      bridge().dify.faults.inject({ api: 'chat', kind: 'http', name, times: Infinity });
      await bridge().ask('hello');
      const { phase, content } = bridge().card();
      expect(phase).toBe('failed');
      expect(content).toMatch(/^⚠️ .+。（编号 [0-9a-f]{8}）( \[🔄 再试一次\]\(dtmd:[^)]*\))?$/u);
      const { body } = bodies.find((entry) => entry.name === name) ?? {};
      const ofDify = JSON.stringify(body).match(/[A-Za-z]{5,}/g) ?? [];
      for (const word of ofDify) if (!['DIFY_INPUTS', 'INPUTS'].includes(word)) expect(content).not.toContain(word);
    },
  );

  test('fails in mid-answer: the text so far stays, marked as failed', async () => {
    await start({ app: { script: { bytes: 'chat-error-midstream.sse' } } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringMatching(/^Your order \\?\*?\*?.*#47.*模型服务现在很忙/s) as string,
    });
    expect(visibleText()).not.toMatch(/completion_request_error|Error code|openai/i);
  });

  test.each(['chatflow-failed.sse', 'workflow-failed.sse'])(
    'ends a run as failed without any error event: %s',
    async (bytes) => {
      await start({ app: { mode: bytes.startsWith('chatflow') ? 'advanced-chat' : 'workflow', script: { bytes } } });
      await bridge().ask('hello');
      expect(bridge().card()).toMatchObject({
        phase: 'failed',
        content: expect.stringContaining('流程运行失败') as string,
      });
      expect(visibleText()).not.toMatch(/internal\.example|503|openai/i);
    },
  );

  test('ends the stream without an end: the text stays, with a word about it', async () => {
    await start({ app: { script: { bytes: 'chat-eof-without-end.sse' } } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringMatching(/arrive on Friday\.\n\n⚠️ .*可能不完整.*编号/) as string,
    });
  });

  test('breaks the connection in mid-answer, and at the second try as well: the same', async () => {
    const chunks = [{ text: 'half an answer' }, { afterMs: 50, cut: true } as const, { afterMs: 50, text: '.' }];
    await start({ app: { script: { chunks } } });
    await bridge().ask('hello');
    expect(bridge().dify.requests.filter(({ api }) => api === 'chat')).toHaveLength(2);
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringContaining('half an answer') as string,
    });
    expect(bridge().card().content).toContain('可能不完整');
  });

  test('goes silent without even a keep-alive, and at the second try as well: the answer ends', async () => {
    const chunks = [{ text: 'half' }, { afterMs: 600_000, text: ' and more' }];
    await start({ ...fast(), app: { script: { chunks } }, dify: { behaviour: { pingMs: 600_000 } } });
    await bridge().ask('hello');
    expect(bridge().dify.requests.filter(({ api }) => api === 'chat')).toHaveLength(2);
    expect(bridge().card().content).toMatch(/^half.*可能不完整/s);
  });

  test('thinks for a minute with keep-alives only: the answer comes', async () => {
    await start({ ...fast(), app: { script: { chunks: [{ afterMs: 70_000, text: 'thought through' }] } } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'thought through' });
  });

  test('never answers: the card fails with a sentence', async () => {
    await start(fast());
    bridge().dify.faults.inject({ api: 'chat', kind: 'hang' });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'failed', content: expect.stringContaining('没有响应') as string });
  });

  test('cannot be reached: a sentence, and the question is not posted again', async () => {
    await start();
    bridge().dify.faults.inject({ api: 'chat', kind: 'lost-response' });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'failed', content: expect.stringContaining('连不上') as string });
    expect(bridge().dify.requests.filter(({ api }) => api === 'chat')).toHaveLength(1);
  });

  test('holds a finished stream open: the card ends all the same, and the connection is closed', async () => {
    await start({
      app: { script: { chunks: [{ text: 'done' }], ending: { kind: 'end' } } },
      dify: { behaviour: { silenceAfterErrorMs: 300_000 } },
    });
    bridge().dify.faults.inject({ api: 'chat', kind: 'error-frame', code: 'completion_request_error', status: 400 });
    await bridge().ask('hello');
    expect(bridge().card().phase).toBe('failed');
  });

  test('pauses for a person: the text stays and the card says what it waits for', async () => {
    await start({ app: { mode: 'advanced-chat', script: { bytes: 'chatflow-paused-human-input.sse' } } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({
      phase: 'finished',
      content: expect.stringMatching(/^I need an approval\.\n\n.*需要你来处理.*Approve/s) as string,
    });
  });
});

describe('the card', () => {
  const refusal: [string, DingTalkFaultEffect][] = [
    ['permission', { kind: 'status', status: 403, code: 'Forbidden.AccessDenied.AccessTokenPermissionDenied' }],
    ['template unpublished', { kind: 'status', status: 400, code: 'param.templateUnpublished' }],
    ['server error', { kind: 'busy' }],
  ];
  test.each(refusal)('is refused (%s): the answer comes as a message that mentions the asker', async (_, effect) => {
    await start({ app: { script: words('Hello ', 'there') } });
    bridge().dingtalk.faults.inject({ api: 'createAndDeliver', times: Infinity, ...effect });
    await bridge().ask({ from: 'staff-1', conversation: GROUP, text: 'hello' });
    expect(bridge().dingtalk.messages).toMatchObject([{ channel: 'session', kind: 'markdown', mentions: ['staff-1'] }]);
    expect(visibleText()).toContain('Hello there');
    expect(bridge().dingtalk.calls.filter(({ api }) => api === 'streaming')).toEqual([]);
  });

  test('cannot be reached: it is tried again, and then the answer comes as a message', async () => {
    await start({ app: { script: words('Hello ', 'there') } });
    bridge().dingtalk.faults.inject({ api: 'createAndDeliver', times: Infinity, kind: 'reset' });
    await bridge().ask('hello');
    expect(visibleText()).toBe('Hello there');
    expect(bridge().dingtalk.calls.filter(({ api }) => api === 'createAndDeliver')).toHaveLength(3);
    // The card might have been there, so its end was tried: DingTalk says that there is none.
    expect(bridge().dingtalk.violations).toMatchObject([{ api: 'streaming' }]);
    bridge().dingtalk.clear();
  });

  test('cannot be reached, nor its end: the answer comes as a message, though no call had an answer', async () => {
    await start({ ...fast(), app: { script: words('Hello') } });
    bridge().dingtalk.faults.inject({ api: 'createAndDeliver', times: Infinity, kind: 'reset' });
    const isLast = (body: unknown) => (body as { isFinalize?: boolean }).isFinalize === true;
    bridge().dingtalk.faults.inject({ api: 'streaming', times: 1, when: isLast, kind: 'reset' });
    await bridge().ask('hello');
    expect(visibleText()).toBe('Hello');
    bridge().dingtalk.clear();
  });

  test('made by calls whose answers were lost is used all the same', async () => {
    await start({ app: { script: words('Hello') } });
    bridge().dingtalk.faults.inject({ api: 'createAndDeliver', times: 2, kind: 'lost-response' });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'Hello' });
    expect(bridge().dingtalk.messages).toEqual([]);
  });

  test('is not delivered although the answer is 200: the answer comes as a message', async () => {
    await start({ app: { script: words('Hello') }, dingtalk: { groups: [] } });
    await bridge().ask('hello', { conversationType: '2', conversationId: 'cidUnknown==' });
    expect(visibleText()).toContain('Hello');
    expect(bridge().logs).toContainEqual(
      expect.objectContaining({ event: 'card_refused', code: 'dingtalk_card_undelivered' }),
    );
    bridge().dingtalk.clear();
  });

  test('of a template that is not published: the log says how to mend it', async () => {
    await start({ app: { script: words('Hello') }, dingtalk: { templates: templates({ published: false }) } });
    await bridge().ask('hello');
    expect(bridge().logs).toContainEqual(
      expect.objectContaining({ event: 'card_refused', reason: 'publish the card template in the card platform' }),
    );
    expect(visibleText()).toBe('Hello');
  });

  test('that fails three times in a row is left alone for a while', async () => {
    await start({ app: { script: words('Hello') }, dingtalk: { templates: templates({ published: false }) } });
    for (const text of ['1', '2', '3', '4', '5']) await bridge().ask(text);
    expect(bridge().dingtalk.messages).toHaveLength(5);
    expect(bridge().dingtalk.calls.filter(({ api }) => api === 'createAndDeliver')).toHaveLength(3);
  });

  test('has no template: the answer comes as a message, and nothing needs a permission', async () => {
    await start({ app: { script: words('**Hello**') }, env: { DINGTALK_CARD_TEMPLATE_ID: '' } });
    await bridge().ask('hello');
    expect(bridge().dingtalk.messages).toMatchObject([{ text: '**Hello**', title: 'Hello' }]);
    expect(bridge().dingtalk.countedCalls()).toBe(0);
  });

  test('goes by union id to somebody without staff id', async () => {
    await start({ app: { script: words('Hello') } });
    await bridge().ask('hello', { senderStaffId: undefined, senderUnionId: 'union-1' });
    expect(bridge().card()).toMatchObject({ phase: 'finished', space: { kind: 'single', id: 'union-1' } });
  });

  test('cannot go to somebody with neither id: the answer comes as a message', async () => {
    await start({ app: { script: words('Hello') } });
    await bridge().ask('hello', { senderStaffId: undefined });
    expect(bridge().dingtalk.messages).toMatchObject([{ text: 'Hello' }]);
  });

  test('that timed out is created once more under its own name', async () => {
    await start({ ...fast(), app: { script: words('Hello') } });
    bridge().dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'slow', delayMs: 9_000 });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'Hello' });
    expect(bridge().dingtalk.messages).toEqual([]);
  });

  test.each([
    ['limited', { kind: 'qps' }],
    ['overloaded', { kind: 'busy' }],
    ['reset', { kind: 'reset' }],
    ['lost', { kind: 'lost-response' }],
    ['silent', { kind: 'hang' }],
  ] as [string, DingTalkFaultEffect][])('ends although its last frame was %s twice', async (_, effect) => {
    await start({ ...fast(), app: { script: words('Hello') } });
    const isLast = (body: unknown) => (body as { isFinalize?: boolean }).isFinalize === true;
    bridge().dingtalk.faults.inject({ api: 'streaming', times: 2, when: isLast, ...effect });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'Hello' });
    expect(bridge().dingtalk.messages).toEqual([]);
  });

  test('that cannot be ended for a while says where its answer is, in the end', async () => {
    const chunks = [
      { afterMs: 100, text: 'Hello ' },
      { afterMs: 8_000, text: 'there' },
    ];
    await start({ ...fast(), app: { script: { chunks } } });
    const isLast = (body: unknown) => (body as { isFinalize?: boolean }).isFinalize === true;
    bridge().dingtalk.faults.inject({ api: 'streaming', times: 10, when: isLast, kind: 'busy' });
    await bridge().ask('hello');
    expect(bridge().dingtalk.messages).toMatchObject([{ text: 'Hello there' }]);
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: '（回答见下方消息）' });
  });

  test('whose template has no failed state still ends, with the sentence', async () => {
    await start({
      ...fast(),
      app: { script: { bytes: 'chat-error-midstream.sse' } },
      dingtalk: { templates: templates({ failedState: false }) },
    });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({
      phase: 'finished',
      content: expect.stringContaining('模型服务现在很忙') as string,
    });
    bridge().dingtalk.clear();
  });

  test('with a variable of another name: the answer comes as a message', async () => {
    await start({ ...fast(), app: { script: words('Hello') }, env: { DINGTALK_CARD_CONTENT_KEY: 'body' } });
    await bridge().ask('hello');
    expect(bridge().dingtalk.messages).toMatchObject([{ text: 'Hello' }]);
    expect(bridge().logs).toContainEqual(
      expect.objectContaining({ event: 'card_not_ended', code: 'dingtalk_card_variable' }),
    );
    bridge().dingtalk.clear();
  });

  test('is refused by the content check: the answer is not sent by any other way', async () => {
    await start({ app: { script: words('a forbidden word') }, dingtalk: { unsafeWords: ['forbidden'] } });
    bridge().dingtalk.faults.inject({
      api: 'streaming',
      kind: 'status',
      status: 400,
      code: 'param.contentUnsafe',
      times: Infinity,
      when: (body) => String((body as { content?: string }).content).includes('forbidden'),
    });
    await bridge().ask('hello');
    expect(visibleText()).not.toContain('forbidden');
    expect(bridge().card()).toMatchObject({ phase: 'failed', content: expect.stringContaining('内容检查') as string });
    expect(bridge().dingtalk.messages).toEqual([]);
  });
});

test('a card that the content check refuses to make: the answer is not sent by any other way', async () => {
  await start({ app: { script: words('an answer') } });
  const refused = { kind: 'status', status: 400, code: 'param.contentUnsafe', times: Infinity } as const;
  bridge().dingtalk.faults.inject({ api: 'createAndDeliver', ...refused });
  await bridge().ask('hello');
  expect(bridge().dingtalk.messages).toMatchObject([{ text: expect.stringContaining('内容检查') as string }]);
});

test.each(['reset', 'hang', 'lost-response'] as const)(
  'a reply that was met by a %s is sent again, and read once',
  async (kind) => {
    await start({ ...fast(), env: { DINGTALK_CARD_TEMPLATE_ID: '' }, app: { script: words('Hello') } });
    bridge().dingtalk.faults.inject({ api: 'sendBySession', times: 2, kind });
    await bridge().ask('hello');
    expect(bridge().dingtalk.messages).toMatchObject([{ channel: 'session', text: 'Hello' }]);
  },
);

test('a token that was revoked is renewed once, and the answer does not suffer', async () => {
  await start({ app: { script: words('Hello') } });
  await bridge().ask('one');
  bridge().dingtalk.invalidateTokens();
  await bridge().ask('two');
  expect(
    bridge()
      .cards()
      .map(({ phase }) => phase),
  ).toEqual(['finished', 'finished']);
  expect(bridge().dingtalk.calls.filter(({ api }) => api === 'accessToken')).toHaveLength(2);
});

test('a reply address that is not of DingTalk is never called', async () => {
  await start({ env: { DINGTALK_CARD_TEMPLATE_ID: '' }, app: { script: words('Hello') } });
  for (const sessionWebhook of [
    'https://evil.example/robot/sendBySession?session=1',
    `${bridge().dingtalk.origin}/robot/other?session=1`,
    `${bridge().dingtalk.origin.replace('http://', 'http://user:pw@')}/robot/sendBySession?session=1`,
    'not an address',
  ]) {
    await bridge().ask('hello', { sessionWebhook });
  }
  expect(bridge().dingtalk.calls.filter(({ api }) => api === 'sendBySession' || api === 'unknown')).toEqual([]);
  const fallbacks = bridge().logs.filter(({ code }) => code === 'dingtalk_session_untrusted');
  const finished = bridge().logs.filter(({ event }) => event === 'turn_finished');
  expect(finished).toHaveLength(4);
  expect(fallbacks.map(({ turn }) => turn)).toEqual(finished.map(({ turn }) => turn));
  // The answer takes the way that needs no address.
  expect(bridge().dingtalk.messages.map(({ channel }) => channel)).toEqual(Array(4).fill('robot'));
});
