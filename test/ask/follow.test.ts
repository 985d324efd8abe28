// When the events of an answer are read no further, and what a broken connection means.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { AnswerEvent } from '../../lib/answer/event.ts';
import { endingFailure } from '../../lib/ask/ending-failure.ts';
import { follow } from '../../lib/ask/follow.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const ids = { messageId: 'm' };
const text: AnswerEvent = { kind: 'text', source: 'message', text: 'a', ids };
const started: AnswerEvent = { kind: 'run-started', ids };
const messageEnded: AnswerEvent = { kind: 'message-ended', citations: [], files: [], totalTokens: 7, price: null, ids };
const finished: AnswerEvent = { kind: 'run-finished', status: 'succeeded', outputs: {}, files: [], ids };
const cut = new BridgeError('dify_cut', 'the stream broke');

/** Follows a stream of these events, which breaks or stays silent then, unless `controller` closes it. */
function following(
  events: readonly AnswerEvent[],
  then: 'end' | 'silence' | Error,
  signal = new AbortController().signal,
) {
  const controller = new AbortController();
  const clock = createVirtualClock();
  let read = 0;
  let isLeft = false;
  async function* stream() {
    try {
      for (const event of events) {
        read += 1;
        yield event;
      }
      if (then instanceof Error) throw then;
      if (then === 'silence') {
        await new Promise((_, reject) =>
          controller.signal.addEventListener('abort', () => reject(new Error('closed'))),
        );
      }
    } finally {
      isLeft = true;
    }
  }
  const answer = follow(stream(), controller, { clock, signal, onProgress: () => {} });
  return { answer, controller, clock, read: () => read, isLeft: () => isLeft };
}

describe('an answer', () => {
  test('is followed to its end, and its stream is left', async () => {
    const { answer, isLeft, read } = following([text, messageEnded, text], 'silence');
    expect(await answer).toMatchObject({ ending: { kind: 'complete' }, texts: { message: 'a' } });
    expect(read()).toBe(2);
    expect(isLeft()).toBe(true);
  });

  test('of a chatflow is followed to its second end', async () => {
    const { answer, read } = following([started, text, finished, messageEnded], 'silence');
    expect(await answer).toMatchObject({ totalTokens: 7, progress: { messageEnded: true, runEnded: true } });
    expect(read()).toBe(4);
  });

  test('whose second end does not come is whole half a second later', async () => {
    const { answer, clock, controller } = following([started, text, finished], 'silence');
    await clock.advance(499);
    expect(controller.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await answer).toMatchObject({ ending: { kind: 'complete' }, progress: { messageEnded: false } });
  });

  test('that broke off after its end is whole, before it is not', async () => {
    const { answer } = following([started, text, finished], cut);
    expect(await answer).toMatchObject({ ending: { kind: 'complete' } });
    const broken = following([started, text], cut);
    await expect(broken.answer).rejects.toBe(cut);
  });

  test('that was given up fails for the reason of that', async () => {
    const reason = new Error('time is up');
    await expect(following([text], cut, AbortSignal.abort(reason)).answer).rejects.toBe(reason);
  });

  test('of a stream without an end event is cut', async () => {
    expect((await following([text], 'end').answer).ending).toEqual({ kind: 'cut' });
  });
});

describe('the failure of an ending', () => {
  const failed = { kind: 'failed', upstreamCode: 'rate_limit_error', status: 429 } as const;
  const said = { message: 'a', agent: '', chunk: '' };

  test('is a code of ours', () => {
    const of = (cause: 'run' | 'error') => endingFailure({ ...emptyAnswer, ending: { ...failed, cause } });
    expect(of('run')).toMatchObject({ code: 'dify_run_failed', facts: { status: 429 } });
    expect(of('error')).toMatchObject({ code: 'dify_model_busy', facts: { status: 429 } });
  });

  test('is the reason that the words told, and only with text one that broke off', () => {
    const reason = { code: 'dify_model_cut', facts: { reason: 'broken-off' } } as const;
    const of = (texts: Answer['texts']) =>
      endingFailure({ ...emptyAnswer, texts, ending: { ...failed, cause: 'error', reason } });
    expect(of(said)).toMatchObject({ code: 'dify_model_cut', facts: { status: 429, reason: 'broken-off' } });
    expect(of(emptyAnswer.texts)).toMatchObject({ code: 'dify_model_failed' });
  });

  test('is none where there is text to show, or a good end', () => {
    expect(endingFailure({ ...emptyAnswer, ending: { kind: 'cut' } })).toMatchObject({ code: 'dify_cut' });
    expect(endingFailure({ ...emptyAnswer, ending: { kind: 'cut' }, texts: said })).toBeNull();
    for (const kind of ['complete', 'stopped', 'paused'] as const) {
      expect(endingFailure({ ...emptyAnswer, ending: { kind } })).toBeNull();
    }
    expect(endingFailure(emptyAnswer)).toBeNull();
  });
});
