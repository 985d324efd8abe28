import { describe, expect, test } from 'vitest';
import { firstThatWorks } from '../../lib/delivery/sink.ts';
import { BridgeError } from '../../lib/errors.ts';
import { codeOf, createScriptedReply, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const message = { title: 'title', text: 'text', mentionAsker: true };

/** Sends a message by ways that answer so. */
async function send(outcomes: readonly Outcome[]) {
  const clock = createVirtualClock();
  const ways = outcomes.map((outcome) => createScriptedReply(clock, [outcome]));
  const fallbacks: unknown[] = [];
  const outcome = await codeOf(firstThatWorks(ways, (error) => fallbacks.push(error)).send(message));
  return { outcome, tried: ways.map(({ messages }) => messages.length), fallbacks };
}

describe('the ways of a message', () => {
  test.each([
    ['only the first where it works', [null, null], 'fine', [1, 0]],
    ['the second after a refusal', ['dingtalk_session_expired', null], 'fine', [1, 1]],
    ['no other after a call without an answer', ['dingtalk_timeout', null], 'dingtalk_timeout', [1, 0]],
    ['no other for a text that is unsafe', ['dingtalk_content_unsafe', null], 'dingtalk_content_unsafe', [1, 0]],
    [
      'all of them; the last refusal is the reason',
      ['dingtalk_session_missing', 'dingtalk_permission_missing'],
      'dingtalk_permission_missing',
      [1, 1],
    ],
    [
      'all of them; a refusal that passes is the reason, so that the message is repeated',
      ['dingtalk_qps', 'dingtalk_permission_missing'],
      'dingtalk_qps',
      [1, 1],
    ],
  ] as const)('%s', async (_what, outcomes, outcome, tried) => {
    expect(await send(outcomes)).toMatchObject({ outcome, tried });
  });

  test('report each refusal that another way follows', async () => {
    const { fallbacks } = await send(['dingtalk_session_expired', 'dingtalk_refused', 'dingtalk_qps']);
    expect(fallbacks).toEqual([
      new BridgeError('dingtalk_session_expired', 'on purpose'),
      new BridgeError('dingtalk_refused', 'on purpose'),
    ]);
  });
});
