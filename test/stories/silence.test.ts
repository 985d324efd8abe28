// What Dify does not say: that a conversation is gone, that an input is refused, that no worker is free, that it restarts.
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifyOptions } from '../../playground/dify/types.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { freePort } from '../support/loopback.ts';
import { GROUP, type BridgeOptions } from '../support/bridge.ts';
import { fast, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const texts = textsFor('en');

/** A Dify 1.14.2 and what seconds are here. */
const scene = ({ app, dify, env, ...more }: Pick<BridgeOptions, 'app' | 'dify' | 'env' | 'clock'>): BridgeOptions => ({
  ...fast(),
  app: { mode: 'advanced-chat', script: words('Hello'), ...app },
  dify: { version: '1.14', ...dify },
  env: { REPLY_LANGUAGE: 'en', ...env },
  ...more,
});

const asked = () => bridge().dify.requests.filter(({ api, method }) => api !== 'messages' && method === 'POST');
const looks = () => bridge().dify.requests.filter(({ api }) => api === 'messages');
const shown = () =>
  bridge()
    .cards()
    .map(({ phase, content }) => ({ phase, content }));
const hello = { phase: 'finished', content: 'Hello' };
const everShown = (card = bridge().card()) => card.frames.map(({ content }) => content);
const outcomes = () => bridge().logs.flatMap(({ event, outcome }) => (event === 'turn_finished' ? [outcome] : []));

describe('a conversation that Dify does not have any more', () => {
  test('is looked for after 3 s, and the question begins a new one; a line says so once', async () => {
    await start(scene({}));
    await bridge().ask('one');
    bridge().dify.forgetConversation(bridge().dify.runs[0]?.conversationId ?? '');
    await bridge().ask('two');
    await bridge().ask('three');
    expect(shown()).toEqual([hello, { phase: 'finished', content: `Hello\n\n${texts.conversationGone}` }, hello]);
    expect(asked()).toHaveLength(4);
    expect(looks()).toMatchObject([{ status: 404, query: { user: 'staff-1', limit: '1' } }]);
  });

  // Two first questions at once can make two users of one person at Dify: one of the conversations is the other user's then.
  test('because a person has become two is replaced in its chat, and the other chat goes on', async () => {
    await start(scene({}));
    const inGroup = { from: 'staff-1', conversation: GROUP };
    await Promise.all([bridge().ask('alone'), bridge().ask({ ...inGroup, text: 'group' })]);
    const conversationOf = (question: string) => {
      const conversation = bridge().dify.runs.find(({ query }) => query === question)?.conversationId;
      return conversation ?? `${question} was not run`;
    };
    bridge().dify.forgetConversation(conversationOf('alone'));
    await bridge().ask('alone again');
    await bridge().ask({ ...inGroup, text: 'group again' });
    await bridge().ask('alone once more');
    expect(conversationOf('group again')).toBe(conversationOf('group'));
    expect(conversationOf('alone again')).not.toBe(conversationOf('alone'));
    expect(conversationOf('alone once more')).toBe(conversationOf('alone again'));
  });

  test('is replaced without a word by newer versions: the line is the same', async () => {
    await start(scene({ dify: { version: 'main' } }));
    await bridge().ask('one');
    bridge().dify.forgetConversation(bridge().dify.runs[0]?.conversationId ?? '');
    await bridge().ask('two');
    expect(shown()[1]).toEqual({ phase: 'finished', content: `Hello\n\n${texts.conversationGone}` });
    expect(asked()).toHaveLength(2);
    expect(looks()).toEqual([]);
  });

  test('is not what an error without a code tells: the question is not asked twice', async () => {
    await start(scene({ dify: { version: 'main' } }));
    await bridge().ask('one');
    bridge().dify.faults.inject({ api: 'chat', kind: 'error-frame', times: 1 });
    await bridge().ask('two');
    expect(shown()[1]?.phase).toBe('failed');
    expect(asked()).toHaveLength(2);
  });
});

describe('an input that Dify would refuse by silence', () => {
  const form = (...user_input_form: object[]) => ({ parameters: { user_input_form } });
  const text = { 'text-input': { variable: 'query', label: 'Question', required: true, max_length: 256 } };
  const select = { select: { variable: 'style', label: 'Style', options: ['short', 'long'] } };

  test.each([
    ['a question that is too long', {}, 'x'.repeat(257), texts.inputTooLong('Question', 256, 257)],
    [
      'a choice that is not offered',
      { DIFY_INPUTS: '{"style":"poem"}' },
      'hello',
      texts.inputNotOffered('Style', 'short, long'),
    ],
  ])(
    'is %s: a sentence with the label and the limit, and Dify is not asked',
    async (_what, env, question, sentence) => {
      await start(scene({ app: { mode: 'workflow', ...form(text, select) }, env }));
      await bridge().ask(question);
      expect(bridge().card()).toMatchObject({
        phase: 'failed',
        content: expect.stringContaining(`⚠️ ${sentence}`) as string,
      });
      expect(asked()).toEqual([]);
      expect(outcomes()).toEqual(['dify_input_invalid']);
    },
  );

  test('is none at the limit', async () => {
    await start(scene({ app: { mode: 'workflow', ...form(text, select) }, env: { DIFY_INPUTS: '{"style":"long"}' } }));
    await bridge().ask('x'.repeat(256));
    expect(bridge().card()).toMatchObject({ phase: 'finished' });
  });
});

describe('a question that waits for a worker', () => {
  const minute = { chunks: [{ afterMs: 50_000, text: 'Hello' }] };

  test('is waited for longer than a silence in mid-answer; after 10 s its card says so, once', async () => {
    await start(scene({ app: { script: minute }, dify: { behaviour: { workers: 1 } } }));
    await bridge().send('one');
    await bridge().ask({ from: 'staff-2', text: 'two' });
    const [first, second] = bridge().cards();
    expect(shown()).toEqual([hello, hello]);
    const busy = (card: typeof first) => everShown(card).filter((content) => content.startsWith(texts.progress.queued));
    expect(busy(first)).toEqual([]);
    expect(busy(second)).toHaveLength(1);
    expect(asked()).toHaveLength(2);
  });

  test.each<[string, Required<BridgeOptions>['app'], Required<BridgeOptions>['env']]>([
    ['the function ends', { script: { ...words('Hello'), queuedMs: Infinity } }, { FUNCTION_MAX_DURATION_S: '60' }],
    ['Dify closes the stream', { script: { bytes: 'chatflow-only-ping-then-eof.sse' } }, {}],
  ])('that never comes has a failure of its own when %s', async (_when, app, env) => {
    await start(scene({ app, env }));
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringContaining(texts.failures.dify_not_started) as string,
    });
    expect(outcomes()).toEqual(['dify_not_started']);
    expect(asked()).toHaveLength(1);
  });

  test('is stopped at once', async () => {
    await start(scene({ app: { script: { ...words('Hello'), queuedMs: Infinity } } }));
    await bridge().send('one');
    await expect.poll(() => everShown().join('')).toContain(texts.progress.queued);
    await bridge().ask('/stop');
    await bridge().idle();
    const { phase, content } = bridge().card();
    expect([phase, content.startsWith(texts.stopped)]).toEqual(['finished', true]);
  });

  test('of a workflow whose conversation nobody can lose is waited for, too', async () => {
    await start(scene({ app: { mode: 'workflow', script: { ...words('Hello'), queuedMs: 50_000 } } }));
    await bridge().ask('one');
    expect(shown()).toEqual([hello]);
    expect(looks()).toEqual([]);
  });

  test('in a conversation that exists is asked once', async () => {
    await start(scene({ app: { script: ({ turn }) => ({ ...words('Hello'), queuedMs: turn === 1 ? 0 : 50_000 }) } }));
    await bridge().ask('one');
    await bridge().ask('two');
    expect(shown()).toEqual([hello, hello]);
    expect(asked()).toHaveLength(2);
    expect(looks()).toHaveLength(1);
  });
});

test('a New Agent shows no steps, and its card says so after 10 s', async () => {
  const script = { chunks: [{ afterMs: 20_000, text: 'Hello' }] };
  await start(scene({ app: { mode: 'agent', script }, dify: { version: 'main' } }));
  await bridge().ask('one');
  expect(everShown().filter((content) => content.startsWith(texts.progress.unseen))).toHaveLength(1);
  expect(shown()).toEqual([hello]);
});

describe('while Dify restarts', () => {
  /** Nothing listens at Dify's address until `begin` is called. */
  async function away(options: Pick<BridgeOptions, 'app' | 'env'> & { mode?: 'chat' | 'workflow' } = {}) {
    const port = await freePort();
    const { clock } = fast();
    const env = { DIFY_API_URL: `http://127.0.0.1:${port}/v1`, ...options.env };
    await start(scene({ clock, env }));
    const apps: DifyOptions['apps'] = {
      'app-key-1': {
        mode: options.mode ?? 'chat',
        name: 'helper',
        script: words('Hello'),
        ...(options.mode === 'workflow'
          ? { parameters: { user_input_form: [{ paragraph: { variable: 'topic', label: 'T', required: true } }] } }
          : {}),
      },
    };
    return async () => {
      const dify = await createDifySimulator({ port, clock, version: '1.14', apps });
      onTestFinished(() => dify.close());
      return dify;
    };
  }

  test.each(['chat', 'workflow'] as const)('the question to a %s is tried again, and asked once', async (mode) => {
    const begin = await away({ mode });
    await bridge().send('one');
    await expect.poll(() => everShown().join('')).toContain(texts.progress.queued);
    const dify = await begin();
    await bridge().idle();
    expect(shown()).toEqual([hello]);
    expect(dify.runs.map(({ query }) => query)).toEqual(['one']);
  });

  test('for longer than 30 s, it cannot be reached', async () => {
    await away();
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringContaining(texts.failures.dify_unreachable) as string,
    });
    expect(outcomes()).toEqual(['dify_unreachable']);
    const finished = bridge().logs.find(({ event }) => event === 'turn_finished');
    expect(finished?.['totalMs']).toBeGreaterThanOrEqual(30_000);
  });
});

describe('an app that cannot answer', () => {
  test('because it has no model fails with a sentence, and is asked once', async () => {
    await start(scene({ app: { mode: 'chat' } }));
    bridge().dify.faults.inject({ api: 'chat', kind: 'http', name: 'internal-server-error', times: Infinity });
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringContaining(texts.failures.dify_server_error) as string,
    });
    expect(asked()).toHaveLength(1);
  });

  test.each(['advanced-chat', 'workflow'] as const)('because of max_active_requests 1 (%s) is busy', async (mode) => {
    await start(scene({ app: { mode, maxActiveRequests: 1, parameters: { user_input_form: [] } } }));
    await bridge().ask('one');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringContaining(texts.failures.dify_busy) as string,
    });
    expect(asked()).toHaveLength(1);
  });

  test('because of max_active_requests 2 answers everybody', async () => {
    await start(scene({ app: { maxActiveRequests: 2 } }));
    await Promise.all([bridge().ask('one'), bridge().ask({ from: 'staff-2', text: 'two' })]);
    expect(shown()).toEqual([hello, hello]);
  });
});
