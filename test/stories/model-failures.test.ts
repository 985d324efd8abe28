// Why a model gives no answer, for each kind of app: the code, the sentence, whether Dify is asked again, and that nothing
// of the provider's words reaches a chat or a log.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sendLink } from '../../lib/answer/links.ts';
import type { TurnErrorCode } from '../../lib/errors.ts';
import { textsFor } from '../../lib/texts/index.ts';
import type { AppMode } from '../../playground/dify/types.ts';
import { GROUP, type BridgeOptions } from '../support/bridge.ts';
import { stage, words } from '../support/stage.ts';
import { createFastClock } from '../support/virtual-clock.ts';

const { start, bridge } = stage();
const texts = textsFor('zh-CN');
const fast = () => createFastClock(20);

const MODES = ['chat', 'agent-chat', 'advanced-chat', 'workflow', 'completion'] as const;
type Mode = (typeof MODES)[number];
const isRun = (mode: Mode) => mode === 'advanced-chat' || mode === 'workflow';

/** In everything that a provider says, beside the words that tell the cause. */
const MARK = 'XPROVIDERX';

interface Cause {
  name: string;
  type: string;
  message: string;
  /** Text of the answer before the model failed. */
  before?: string;
  code: TurnErrorCode;
  /** In chat assistants and text generation the question is asked once more. */
  again?: true;
}

const refused = (status: number, message: string) => ({
  type: 'InvokeError',
  message: `[models] Error: API request failed with status code ${status}: {"error":{"message":"${MARK} ${message}"}}`,
});

const CAUSES: readonly Cause[] = [
  { name: 'rate limit', ...refused(429, 'rate limit'), code: 'dify_model_busy', again: true },
  { name: 'overload', ...refused(503, 'overloaded'), code: 'dify_model_busy', again: true },
  { name: 'overload in the middle', ...refused(503, 'overloaded'), before: '字1 字2', code: 'dify_model_busy' },
  { name: 'key', ...refused(401, 'Incorrect API key provided: sk-4711'), code: 'dify_model_account' },
  { name: 'balance', ...refused(402, 'Insufficient Balance'), code: 'dify_model_account' },
  { name: 'quota', ...refused(429, 'insufficient_quota'), code: 'dify_model_account' },
  { name: 'context', ...refused(400, 'maximum context length is 8192'), code: 'dify_context_too_long' },
  { name: 'content', ...refused(400, 'content_filter'), code: 'dify_content_refused' },
  { name: 'no such model', ...refused(404, 'model_not_found'), code: 'dify_model_not_ready' },
  { name: 'server error', ...refused(500, 'boom'), code: 'dify_model_failed' },
  { name: 'unreachable', type: 'ConnectionError', message: `${MARK}: Connection refused`, code: 'dify_model_failed' },
  {
    name: 'broken off in the middle',
    type: 'ChunkedEncodingError',
    message: `Connection broken: ${MARK}`,
    before: '字1 字2',
    code: 'dify_model_cut',
  },
  {
    name: 'broken off at once',
    type: 'ChunkedEncodingError',
    message: `Connection broken: ${MARK}`,
    code: 'dify_model_failed',
  },
];

const CONVERSATION = '25e33826-e8cd-4f60-b601-c57553d0abc2';

const lines = (events: readonly object[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

/** The stream of an app whose model fails, as it was recorded (`test/fixtures/dify-real`). */
function failing(mode: Mode, { type, message, before }: Pick<Cause, 'type' | 'message' | 'before'>): string {
  const error = JSON.stringify({ args: { description: message }, error_type: type, message });
  const chat = { conversation_id: CONVERSATION, message_id: 'm-1', task_id: 't-1' };
  const run = { ...(mode === 'workflow' ? { task_id: 't-1' } : chat), workflow_run_id: 'r-1' };
  const text = (ids: object) =>
    before === undefined
      ? []
      : mode === 'workflow'
        ? [{ event: 'text_chunk', ...ids, data: { text: before } }]
        : [{ event: mode === 'agent-chat' ? 'agent_message' : 'message', ...ids, answer: before }];
  if (!isRun(mode)) {
    const { task_id: _task, ...ids } = chat;
    return lines([...text(chat), { event: 'error', ...ids, code: 'invalid_param', status: 400, message: error }]);
  }
  const said = `req_id: f7fe0822f7 PluginInvokeError: ${error}`;
  return `event: ping\n\n${lines([
    { event: 'workflow_started', ...run, data: { id: 'r-1' } },
    ...text(run),
    { event: 'workflow_finished', ...run, data: { id: 'r-1', status: 'failed', outputs: {}, error: said } },
  ])}`;
}

const app = (mode: AppMode, ...streams: readonly string[]): NonNullable<BridgeOptions['app']> => {
  let asked = 0;
  return {
    mode,
    script() {
      asked += 1;
      return { bytes: Buffer.from(streams[Math.min(asked, streams.length) - 1] ?? '') };
    },
  };
};
const posts = () => bridge().dify.requests.filter(({ api }) => ['chat', 'workflow', 'completion'].includes(api));
const shown = () =>
  [
    ...[...bridge().dingtalk.cards.values()].map(({ content }) => content),
    ...bridge().dingtalk.messages.map(({ text }) => text),
  ].join('\n');

/** Whatever failed: nothing of the provider is in a chat or in the log. */
function expectNoUpstreamText() {
  const log = bridge()
    .logs.map((line) => JSON.stringify(line))
    .join('\n');
  for (const place of [shown(), log]) {
    expect(place).not.toMatch(new RegExp(`${MARK}|InvokeError|ChunkedEncoding|ConnectionError|status code|sk-4711`));
  }
}

describe.each(CAUSES)('$name', (cause) => {
  test.each(MODES)('in an app of mode %s', async (mode) => {
    await start({ clock: fast(), app: app(mode, failing(mode, cause)) });
    await bridge().ask('你好');
    const { phase, content } = bridge().card();
    expect(phase).toBe('failed');
    expect(content).toContain(texts.failures[cause.code]);
    expect(content.startsWith(cause.before ?? '⚠️')).toBe(true);
    expect(content.split('\n').at(-1)).toMatch(/^⚠️/u);
    const isAskedAgain = cause.again === true && (mode === 'chat' || mode === 'completion');
    expect(posts()).toHaveLength(isAskedAgain ? 2 : 1);
    expect(bridge().logs).toContainEqual(expect.objectContaining({ event: 'turn_failed', code: cause.code }));
    expectNoUpstreamText();
    // Workflows have no conversation that could be begun anew, text generation keeps none.
    const hasWayOut = cause.code === 'dify_context_too_long' && mode !== 'workflow';
    expect(content.includes(texts.startAnew)).toBe(hasWayOut);
  });
});

describe('a model that was busy once', () => {
  test.each(['chat', 'completion'] as const)('answers on the same card (%s)', async (mode) => {
    const [busy] = CAUSES;
    const answer = lines([
      { event: 'message', conversation_id: CONVERSATION, message_id: 'm-2', task_id: 't-2', answer: '好了' },
      { event: 'message_end', conversation_id: CONVERSATION, message_id: 'm-2', task_id: 't-2', metadata: {} },
    ]);
    await start({ clock: fast(), app: app(mode, failing(mode, busy as Cause), answer) });
    await bridge().ask('你好');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: '好了' });
    expect(posts()).toHaveLength(2);
    expect(bridge().dingtalk.messages).toEqual([]);
  });
});

describe('a failure that only an administrator can mend', () => {
  const key = CAUSES.find(({ name }) => name === 'key') as Cause;
  const notices = () => bridge().dingtalk.messages.filter(({ text }) => text.includes('一小时内只通知一次'));

  test('is told to the list of administrators, once, and the askers know', async () => {
    await start({ app: app('chat', failing('chat', key)), env: { ADMIN_USERS: 'staff-2' } });
    await bridge().ask('你好');
    await bridge().ask({ from: 'staff-2', text: '你好' });
    await bridge().ask({ from: 'staff-1', text: '你好', conversation: GROUP });
    const cards = [...bridge().dingtalk.cards.values()];
    expect(cards).toHaveLength(3);
    for (const { content } of cards) expect(content).toContain(`⚠️ ${texts.toldAdmins.dify_model_account}`);
    expect(notices()).toHaveLength(1);
    expect(notices()[0]?.text).toContain(texts.adminNotice.dify_model_account);
    expectNoUpstreamText();
  });

  test('that could not be told is not said to be told', async () => {
    await start({ app: app('chat', failing('chat', key)), env: { ADMIN_USERS: 'staff-2' } });
    bridge().dingtalk.faults.inject({ api: 'sendToPeople', kind: 'status', status: 400, code: 'x', times: Infinity });
    await bridge().ask('你好');
    await bridge().ask('还在吗');
    for (const { content } of bridge().dingtalk.cards.values()) {
      expect(content).toContain(`⚠️ ${texts.failures.dify_model_account}`);
    }
    expect(bridge().logs.filter(({ event }) => event === 'admin_notice_failed')).toHaveLength(1);
  });

  test.each([
    ['model is required', 400, 'invalid_param', 'dify_model_not_ready'],
    ['Provider langgenius/x/x does not exist.', 400, 'provider_not_initialize', 'dify_model_not_ready'],
    ['Internal Server Error', 500, 'internal_server_error', 'dify_server_error'],
  ] as const)('“%s” of Dify names the administrator', async (message, status, code, expected) => {
    await start({ app: app('chat', lines([{ event: 'error', code, status, message }])) });
    await bridge().ask('你好');
    expect(bridge().card().content).toContain(texts.failures[expected]);
    expect(texts.failures[expected]).toContain('管理员');
  });
});

const folder = new URL('../fixtures/dify-real/', import.meta.url);

describe('the recorded stream', () => {
  test.each([
    ['0.15.3/chat-error.sse', 'chat'],
    ['0.15.3/chatflow-error.sse', 'advanced-chat'],
  ] as const)('%s says that the model failed', async (file, mode) => {
    await start({ app: app(mode, readFileSync(new URL(file, folder), 'utf8')) });
    await bridge().ask('error');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringContaining(texts.failures.dify_model_failed) as string,
    });
  });

  test('of an input that moderation blocked ends with its message, though the connection stays', async () => {
    const bytes = readFileSync(new URL('chatflow-input-moderation.sse', folder));
    // An answer that waited for the end of the silence would outlast the test.
    await start({ app: { mode: 'advanced-chat', script: { bytes, ending: { kind: 'silence' } } } });
    await bridge().ask('badword');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'INPUT BLOCKED' });
  });
});

describe('the end of a run', () => {
  const run = { task_id: 't-1', workflow_run_id: 'r-1' };
  const finished = (data: object) =>
    lines([
      { event: 'workflow_started', ...run, data: { id: 'r-1' } },
      { event: 'workflow_finished', ...run, data: { id: 'r-1', outputs: {}, error: null, ...data } },
    ]);

  test.each([
    ['done without a text', { status: 'succeeded' }, texts.emptyRun],
    [
      'that the engine aborted for a stop',
      { status: 'failed', error: 'Aborted: User requested stop' },
      `${texts.stopped} ${sendLink(texts.retry, '你好')}`,
    ],
    ['that moderation stopped', { status: 'stopped', error: 'Stopped by output moderation.' }, texts.emptyRun],
  ])('%s', async (_what, data, text) => {
    await start({ app: app('workflow', finished(data)) });
    await bridge().ask('你好');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: text });
  });

  test('of a chat assistant without a text is no workflow', async () => {
    await start({ app: { mode: 'chat', script: words() } });
    await bridge().ask('你好');
    expect(bridge().card().content).toBe(texts.emptyAnswer);
  });
});
