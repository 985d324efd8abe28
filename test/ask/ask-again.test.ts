// When a question whose model was busy is asked once more by itself.
import { describe, expect, test } from 'vitest';
import type { AnswerEvent, FailureReason } from '../../lib/answer/event.ts';
import { ask } from '../../lib/ask/ask.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { readParameters } from '../../lib/dify/app-facts.ts';
import { readVersion } from '../../lib/dify/version.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const ids = { conversationId: 'c', messageId: 'm' };
const failed = (code: FailureReason['code']): AnswerEvent => ({
  kind: 'failed',
  upstreamCode: 'invalid_param',
  status: 400,
  reason: { code, facts: {} },
  ids,
});
const busy = failed('dify_model_busy');
const text: AnswerEvent = { kind: 'text', source: 'message', text: '好', ids };
const ended: AnswerEvent = { kind: 'message-ended', citations: [], files: [], totalTokens: 1, price: null, ids };

function asking(posts: readonly (readonly AnswerEvent[])[], type: AppType = 'chat', isTypeKnown = true) {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const conversations: (string | null)[] = [];
  const answer = ask({
    dify: {
      facts: async () => ({ type, isTypeKnown, ...readVersion(null, undefined), ...readParameters(undefined) }),
      async ask(_type, { conversationId }) {
        const events = posts[conversations.length] ?? [];
        conversations.push(conversationId);
        return {
          ok: true,
          events: (async function* () {
            yield* events;
          })(),
        };
      },
      correctType: () => null,
      records: { hasConversation: async () => true },
    },
    question: { query: '年假？', inputs: {}, queryInput: 'query', user: 'u', conversationId: 'kept' },
    clock,
    signal: stop.signal,
    onProgress: () => {},
  });
  return { answer, clock, stop, conversations };
}

describe('a busy model', () => {
  test.each(['chat', 'completion'] as const)('of an app of type %s is asked once more, after a pause', async (type) => {
    const { answer, clock, conversations } = asking([[busy], [text, ended]], type);
    await clock.advance(4_999);
    expect(conversations).toHaveLength(1);
    await clock.advance(1);
    expect(await answer).toMatchObject({ ending: { kind: 'complete' }, texts: { message: '好' } });
    expect(conversations).toEqual(['kept', 'kept']);
  });

  test('that is busy again is not asked a third time', async () => {
    const { answer, clock, conversations } = asking([[busy], [busy], [text, ended]]);
    await clock.advance(60_000);
    expect(await answer).toMatchObject({ ending: { kind: 'failed', reason: { code: 'dify_model_busy' } } });
    expect(conversations).toHaveLength(2);
  });

  test('is not asked again after a stop', async () => {
    const { answer, clock, stop, conversations } = asking([[busy], [text, ended]]);
    const failure = answer.catch((error: unknown) => error);
    await clock.advance(1_000);
    stop.abort('stopped');
    expect(await failure).toBe('stopped');
    await clock.advance(60_000);
    expect(conversations).toHaveLength(1);
  });

  test.each<[string, readonly AnswerEvent[], AppType, boolean]>([
    ['of an app that may be another one', [busy], 'chat', false],
    ['of an agent, which has tools', [busy], 'agent', true],
    ['of a chatflow', [busy], 'chatflow', true],
    ['of a workflow', [busy], 'workflow', true],
    ['after the first text', [text, busy], 'chat', true],
    ['that has announced a run', [{ kind: 'run-started', ids }, busy], 'chat', true],
    ['that has used a tool', [{ kind: 'step', stepId: 's', activity: null, ids }, busy], 'chat', true],
    ['that only failed', [failed('dify_model_failed')], 'chat', true],
  ])('%s is not asked again', async (_what, events, type, isTypeKnown) => {
    const { answer, clock, conversations } = asking([events, [text, ended]], type, isTypeKnown);
    await clock.advance(60_000);
    expect(await answer).toMatchObject({ ending: { kind: 'failed' } });
    expect(conversations).toHaveLength(1);
  });
});
