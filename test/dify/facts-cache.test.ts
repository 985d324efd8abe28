// What an instance knows of its app, and for how long.
import { describe, expect, test } from 'vitest';
import type { DifyConfig } from '../../lib/config/robot.ts';
import { createFactsCache } from '../../lib/dify/facts-cache.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { createLogLines } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { httpOf } from './support.ts';

const MINUTE = 60_000;

type Answers = Readonly<Record<string, { status?: number; body: unknown } | Error>>;

const form = { user_input_form: [{ 'text-input': { variable: 'topic', required: true } }] };
const workflow: Answers = { '/info': { body: { mode: 'workflow' } }, '/parameters': { body: form } };

/** A Dify that answers from a table, which a test may exchange. */
function scene(first: Answers, appType: DifyConfig['appType'] = 'auto') {
  let answers = first;
  const asked: string[] = [];
  const answer: Fetch = async (url) => {
    const path = new URL(url).pathname;
    asked.push(path);
    const told = answers[path] ?? new Error('not in the table');
    if (told instanceof Error) throw told;
    const { status = 200, body } = told;
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  const clock = createVirtualClock();
  const { log, lines } = createLogLines(clock);
  const http = httpOf('http://dify.example', 'key', { fetch: answer, clock });
  return {
    cache: createFactsCache(http, { appType, clock, log }),
    clock,
    asked,
    warned: () => lines,
    answerWith: (next: Answers) => (answers = next),
  };
}

describe('the facts of an app', () => {
  test('are told to be assumed while Dify refuses the connection, and looked up again with the next question', async () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const { cache, answerWith } = scene({ '/info': refused, '/parameters': refused });
    expect(await cache.facts()).toMatchObject({ type: 'chat', isTypeKnown: false, isRefused: true });
    answerWith(workflow);
    const facts = await cache.facts();
    expect(facts).toMatchObject({ type: 'workflow', isTypeKnown: true });
    expect([facts.isRefused, facts.isAssumed]).toEqual([undefined, undefined]);
  });

  test('are looked up once for ten minutes, however many ask', async () => {
    const { cache, asked, clock } = scene(workflow);
    const [first, second] = await Promise.all([cache.facts(), cache.facts()]);
    expect(first).toMatchObject({ type: 'workflow', isTypeKnown: true, inputs: [{ name: 'topic', required: true }] });
    expect(second).toBe(first);
    await clock.advance(10 * MINUTE - 1);
    expect(await cache.facts()).toBe(first);
    expect(asked).toEqual(['/info', '/parameters']);
    await clock.advance(1);
    await cache.facts();
    expect(asked).toHaveLength(4);
  });

  test('leave the type alone that is configured', async () => {
    const { cache, asked } = scene(workflow, 'completion');
    expect(await cache.facts()).toMatchObject({ type: 'completion', isTypeKnown: true });
    expect(asked).toEqual(['/parameters']);
  });

  test.each([
    ['no connection', new Error('refused'), 'dify_unreachable'],
    ['a refusal', { status: 401, body: { code: 'unauthorized', message: 'x' } }, 'dify_unauthorized'],
    ['the page of a proxy', { body: '<html>starting</html>' }, 'dify_server_error'],
  ])('are assumed after %s, and looked up again half a minute later', async (_what, failure, code) => {
    const { cache, clock, warned, answerWith } = scene({ '/info': failure, '/parameters': failure });
    expect(await cache.facts()).toMatchObject({
      type: 'chat',
      isTypeKnown: false,
      inputs: [],
      files: null,
      isAssumed: true,
    });
    expect(warned()).toMatchObject([
      { event: 'dify_facts_unavailable', path: '/info', code },
      { event: 'dify_facts_unavailable', path: '/parameters', code },
    ]);
    answerWith(workflow);
    await clock.advance(29_999);
    expect(await cache.facts()).toMatchObject({ isTypeKnown: false });
    await clock.advance(1);
    expect(await cache.facts()).toMatchObject({ type: 'workflow', isTypeKnown: true });
  });
});

describe('a wrong type', () => {
  test.each([
    ['chat', 'workflow'],
    ['agent', 'workflow'],
    ['chatflow', 'workflow'],
    ['workflow', 'completion'],
    ['completion', null],
  ] as const)('%s gives way to %s', (wrong, next) => {
    expect(scene(workflow).cache.correctType(wrong)).toBe(next);
  });

  test('is corrected for the questions that follow, whatever was told or configured', async () => {
    for (const appType of ['auto', 'chat'] as const) {
      const { cache } = scene({ ...workflow, '/info': { body: { mode: 'chat' } } }, appType);
      expect(await cache.facts()).toMatchObject({ type: 'chat' });
      cache.correctType('chat');
      expect(await cache.facts()).toMatchObject({ type: 'workflow', isTypeKnown: true });
    }
  });
});
