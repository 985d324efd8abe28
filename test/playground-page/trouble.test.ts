// What the playground shows of trouble, in each kind of app: a failing model, a busy Dify, a refused input, a function that
// is killed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { textsFor } from '../../lib/texts/index.ts';
import type { TroubleName } from '../../playground/server/protocol.ts';
import { openPlayground, type Playground } from './playground.ts';

const FROM = 'staff-0001';
const texts = textsFor('zh-CN');

describe.each(['chat', 'agent', 'chatflow', 'workflow', 'completion'])('%s', (app) => {
  let playground: Playground;
  let chat: string;
  beforeAll(async () => {
    playground = await openPlayground();
    chat = (await playground.snapshot()).chats[0]?.id ?? '';
  });
  afterAll(() => playground.close());
  beforeEach(() => playground.post('config', { app }));
  afterEach(async () => {
    const { setup } = await playground.snapshot();
    for (const name of Object.keys(setup.trouble)) await playground.post('trouble', { name, on: false });
    await playground.post('reset', {});
  });

  const card = async () => {
    const { items } = await playground.until(({ items: now }) =>
      now.some((item) => item.kind === 'card' && (item.phase === 'finished' || item.phase === 'failed')),
    );
    const cards = items.flatMap((item) => (item.kind === 'card' ? [item] : []));
    expect(cards).toHaveLength(1);
    return cards[0];
  };
  const askIn = async (name: TroubleName | null, text: string) => {
    if (name) await playground.post('trouble', { name, on: true });
    await playground.post('send', { chat, from: FROM, text });
    return card();
  };

  test('a model that fails', async () => {
    const shown = await askIn('difyError', '年假怎么申请');
    expect(shown?.phase).toBe('failed');
    expect(shown?.content).toContain(texts.failures.dify_model_failed);
  });

  test('an input that nothing fills', async () => {
    const shown = await askIn('inputRefused', '年假怎么申请');
    expect(shown?.phase).toBe('failed');
    expect(shown?.content).toContain(texts.failures.dify_input_missing);
  });

  test('a Dify without a free worker', async () => {
    const shown = await askIn(null, '排队');
    expect(shown?.phase).toBe('finished');
  });

  test('a Dify that is busy', async () => {
    const shown = await askIn('difyBusy', '年假怎么申请');
    expect(shown?.phase).toBe('failed');
    expect(shown?.content).toContain(texts.failures.dify_busy);
  });

  test('a stream that is cut: the run of a workflow-based app is found', async () => {
    // Long enough that Dify has not made all of it when the stream breaks: what it has made is found.
    const shown = await askIn('cutStream', '压测');
    const isWhole = app === 'chatflow' || app === 'workflow';
    expect(shown?.phase).toBe(isWhole ? 'finished' : 'failed');
    expect(shown?.content.includes('可能不完整')).toBe(!isWhole);
    expect(shown?.content.length === 600).toBe(isWhole);
  });

  test('a function that is killed: its card goes on', async () => {
    const shown = await askIn('functionKilled', '压测');
    expect(shown?.phase).toBe(app === 'agent' ? 'failed' : 'finished');
    // Since Dify 1.16 an agent ends with its client, and it may have used tools: it is not asked again.
    if (app === 'agent') expect(shown?.content).toContain('可能不完整');
    else expect(shown?.content).toHaveLength(600);
    const { logs } = await playground.snapshot();
    const events = logs.map(({ fields }) => fields['event']);
    expect(events).toContain('turn_taken_over');
  });
});
