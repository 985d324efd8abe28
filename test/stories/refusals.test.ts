// What DingTalk answers to the last frame of a card, and what the chat sees: the answer once, and no open card.
import { expect, test } from 'vitest';
import type { DingTalkApi, DingTalkFaultEffect } from '../../playground/dingtalk/types.ts';
import { fast, stage } from '../support/stage.ts';

const { start, bridge } = stage();

interface Frame {
  content: string;
  isFinalize: boolean;
  isError: boolean;
}

interface Trouble {
  effect: DingTalkFaultEffect;
  /** Default: last frames. */
  when?: (frame: Frame) => boolean;
  times?: number;
  api?: DingTalkApi;
}

interface Story {
  name: string;
  troubles: Trouble[];
  card: string;
  messages?: string[];
  /** The answer goes on when its first frame has been answered. */
  isTyped?: boolean;
}

const ANSWER = '会议改到周四下午三点，地点不变。';
const BELOW = '（回答见下方消息）';
const UNSAFE = '（这次的回答没有通过钉钉的内容检查，无法显示。请换个说法再问。）';
const ever = Infinity;

const code = (status: number, name: string, carriedOut = false): DingTalkFaultEffect => ({
  kind: 'status',
  status,
  code: name,
  carriedOut,
});
const late: DingTalkFaultEffect = { kind: 'gateway-timeout', carriedOut: true };
const unsafe = code(400, 'param.contentUnsafe');
const tooLarge = code(400, 'param.stream.content');
const hasAnswer = ({ content }: Frame) => content.includes(ANSWER);
const isAnswer = (frame: Frame) => frame.isFinalize && hasAnswer(frame);

const onCard = { card: ANSWER };
const below = { card: BELOW, messages: [ANSWER] };

const stories: Story[] = [
  { name: 'carried out, but 504', troubles: [{ effect: late }], ...onCard },
  { name: 'carried out, but 504 three times', troubles: [{ effect: late, times: 3 }], ...onCard },
  { name: 'carried out, but 502', troubles: [{ effect: code(502, 'BadGateway', true) }], ...onCard },
  { name: 'carried out, but system.busy', troubles: [{ effect: code(500, 'system.busy', true) }], ...onCard },
  { name: 'carried out, but system.error', troubles: [{ effect: code(400, 'system.error', true) }], ...onCard },
  { name: 'carried out, but its answer is lost', troubles: [{ effect: { kind: 'lost-response' } }], ...onCard },
  {
    name: 'carried out, but 504, and then refused for speed',
    troubles: [{ effect: late }, { effect: { kind: 'qps' } }],
    ...onCard,
  },
  { name: 'not carried out, and 504', troubles: [{ effect: { kind: 'gateway-timeout' } }], ...onCard },
  { name: 'refused once with system.error', troubles: [{ effect: code(400, 'system.error') }], ...onCard },
  {
    name: 'refused with system.error as long as it is tried',
    troubles: [{ effect: code(400, 'system.error'), times: ever, when: isAnswer }],
    ...below,
  },
  { name: 'refused for its size', troubles: [{ effect: tooLarge, times: ever, when: hasAnswer }], ...below },
  {
    name: 'reset, and then refused for its size',
    troubles: [{ effect: { kind: 'reset' } }, { effect: tooLarge, times: ever, when: hasAnswer }],
    ...below,
  },
  {
    name: 'refused by a code that nobody knows',
    troubles: [{ effect: code(400, 'param.other'), times: ever, when: hasAnswer }],
    ...below,
  },
  { name: 'left without an answer each time', troubles: [{ effect: { kind: 'hang' }, times: ever }], ...below },
  { name: 'reset each time', troubles: [{ effect: { kind: 'reset' }, times: ever }], ...below },
  { name: '504 each time, and never carried out', troubles: [{ effect: code(504, 'x'), times: ever }], ...below },
  { name: '504 each time, but carried out', troubles: [{ effect: late, times: ever }], ...below },
  {
    name: '504 while the answer is tried, but carried out',
    troubles: [{ effect: late, times: ever, when: isAnswer }],
    ...below,
  },
  {
    name: 'refused because a permission was taken away',
    troubles: [{ effect: code(403, 'Forbidden.AccessDenied.AccessTokenPermissionDenied'), times: ever }],
    ...below,
  },
  {
    name: 'refused by the content check',
    troubles: [{ effect: unsafe, times: ever, when: hasAnswer }],
    card: UNSAFE,
  },
  {
    name: 'refused by the content check, as is the sentence',
    troubles: [{ effect: unsafe, times: ever, when: ({ isFinalize, isError }) => isFinalize || isError }],
    card: UNSAFE,
  },
  {
    name: 'refused for its size, after the content check has refused to show it while it was typed',
    troubles: [
      { effect: unsafe, times: ever, when: ({ content, isFinalize }) => !isFinalize && content.includes(ANSWER) },
      { effect: tooLarge, times: ever, when: isAnswer },
    ],
    isTyped: true,
    card: UNSAFE,
  },
  {
    name: 'refused for its size, and the message by the content check',
    troubles: [
      { effect: tooLarge, times: ever, when: hasAnswer },
      { effect: { kind: 'errcode', errcode: 430101 }, api: 'sendBySession', when: () => true },
    ],
    card: BELOW,
    messages: [UNSAFE],
  },
  {
    name: 'refused for its size, and the message is carried out, but 504',
    troubles: [
      { effect: tooLarge, times: ever, when: hasAnswer },
      { effect: late, api: 'sendBySession', when: () => true },
    ],
    ...below,
  },
];

test.each(stories)('a last frame that is $name', async ({ troubles, card, messages = [], isTyped = false }) => {
  const { promise: when, resolve: goOn } = Promise.withResolvers<void>();
  await start({ ...fast(), app: { script: { chunks: [{ text: ANSWER }, { when, text: '' }] } } });
  for (const {
    effect,
    api = 'streaming',
    times = 1,
    when: isMet = ({ isFinalize }: Frame) => isFinalize,
  } of troubles) {
    bridge().dingtalk.faults.inject({ api, times, when: (body) => isMet(body as Frame), ...effect });
  }
  const answered = bridge().ask('会议什么时候？');
  const hasFrame = () => bridge().dingtalk.calls.some((call) => call.api === 'streaming' && call.durationMs !== null);
  try {
    if (isTyped) await expect.poll(hasFrame).toBe(true);
  } finally {
    goOn();
  }
  await answered;
  expect(bridge().card().content).toBe(card);
  expect(bridge().card().endedAt).not.toBeNull();
  expect(bridge().dingtalk.messages.map(({ text }) => text)).toEqual(messages);
});

test.each(['sendToPeople', 'sendBySession'] as const)(
  'a message that the content check refuses (%s) is replaced by a sentence',
  async (api) => {
    await start({ ...fast(), env: { DINGTALK_CARD_TEMPLATE_ID: '' }, app: { script: { chunks: [{ text: ANSWER }] } } });
    const when = (body: unknown) => JSON.stringify(body).includes(ANSWER);
    const refused: DingTalkFaultEffect =
      api === 'sendBySession' ? { kind: 'errcode', errcode: 430102 } : code(400, 'contain.notAllowed.text');
    bridge().dingtalk.faults.inject({ api, times: ever, when, ...refused });
    await bridge().ask('会议什么时候？', api === 'sendToPeople' ? { sessionWebhook: undefined } : {});
    expect(bridge().dingtalk.messages).toMatchObject([{ text: UNSAFE }]);
  },
);

test('a message that is carried out, but 504, is read once', async () => {
  await start({ ...fast(), env: { DINGTALK_CARD_TEMPLATE_ID: '' }, app: { script: { chunks: [{ text: ANSWER }] } } });
  bridge().dingtalk.faults.inject({ api: 'sendBySession', ...late });
  await bridge().ask('会议什么时候？');
  expect(bridge().dingtalk.messages).toMatchObject([{ text: ANSWER }]);
});

test('a card that is made, but 504, is used', async () => {
  await start({ ...fast(), app: { script: { chunks: [{ text: ANSWER }] } } });
  bridge().dingtalk.faults.inject({ api: 'createAndDeliver', ...late });
  await bridge().ask('会议什么时候？');
  expect(bridge().card()).toMatchObject({ phase: 'finished', content: ANSWER });
  expect(bridge().dingtalk.messages).toEqual([]);
});
