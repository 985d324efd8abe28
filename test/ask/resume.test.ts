// A run that asked a person, from its form to its end.
import { describe, expect, test } from 'vitest';
import { answerText } from '../../lib/answer/answer.ts';
import type { AnswerEvent } from '../../lib/answer/event.ts';
import { followRun } from '../../lib/dify/runs.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { ChunkScript, Pause } from '../../playground/dify/types.ts';
import { pause, paused } from '../dify/paused.ts';
import { eventually } from '../playground/support.ts';

describe('a run that is resumed', () => {
  test('is followed from the form to its end; what was said before is not repeated', async () => {
    const { resumed, dify, progress, runId } = await paused();
    const answer = await resumed();
    expect(answerText(answer).text).toBe('approve：好');
    expect(answer).toMatchObject({ ending: { kind: 'complete' }, ids: { runId }, form: null });
    expect(progress.map((told) => answerText(told).text)).toContain('approve：');
    const paths = dify.requests.map(({ api, query }) => [api, query['include_state_snapshot']]);
    expect(paths.slice(-2)).toEqual([
      ['runEvents', undefined],
      ['submitForm', undefined],
    ]);
    await eventually(() => dify.openStreams.length === 0);
  });

  test('without a word after the form says nothing', async () => {
    const { resumed } = await paused({ ...pause, onSubmit: () => ({ chunks: [] }) });
    const answer = await resumed();
    expect(answerText(answer).text).toBe('');
    expect(answer.ending).toEqual({ kind: 'complete' });
  });

  test('of a workflow ends in its outputs', async () => {
    const outputs = { result: '已退款' };
    const { resumed } = await paused({ ...pause, onSubmit: () => ({ chunks: [], outputs }) }, 'workflow');
    expect(answerText(await resumed()).text).toBe('已退款');
  });

  test('may ask again', async () => {
    const again: Pause = { kind: 'paused', formContent: '真的？', title: 'Again' };
    const { resumed } = await paused({ ...pause, onSubmit: () => ({ chunks: [{ text: '嗯。' }], ending: again }) });
    const answer = await resumed();
    expect(answer).toMatchObject({ ending: { kind: 'paused' }, form: { nodeTitle: 'Again', content: '真的？' } });
    expect(answerText(answer).text).toBe('嗯。');
  });

  test('may fail', async () => {
    const failing: ChunkScript = { chunks: [], ending: { kind: 'failed', message: 'x' } };
    const { resumed } = await paused({ ...pause, onSubmit: () => failing });
    expect((await resumed()).ending).toMatchObject({ kind: 'failed', cause: 'run' });
  });

  test('ends with the run, not with its message, although its start was not heard', async () => {
    const ids = { messageId: 'm' };
    async function* events(): AsyncGenerator<AnswerEvent> {
      yield { kind: 'message-ended', ids, citations: [], files: [], totalTokens: null, price: null };
      await Promise.resolve();
      yield { kind: 'run-finished', ids, status: 'failed', outputs: {}, files: [] };
    }
    const { resumed } = await paused();
    expect((await resumed({ openEvents: () => Promise.resolve(events()) })).ending).toMatchObject({ kind: 'failed' });
  });

  test('is left alone when its form was not taken', async () => {
    const { resumed, dify, run } = await paused();
    const refused = new BridgeError('form_invalid', 'no');
    await expect(resumed({ submit: () => Promise.reject(refused) })).rejects.toBe(refused);
    expect(run.status).toBe('paused');
    await eventually(() => dify.openStreams.length === 0);
  });

  test('is to be looked for when its events break off', async () => {
    const { resumed, dify, run } = await paused();
    dify.faults.inject({ api: 'runEvents', kind: 'cut', afterBytes: 200 });
    await expect(resumed()).rejects.toMatchObject({ code: 'dify_cut' });
    await eventually(() => run.status === 'succeeded');
  });

  test.each<[string, () => AsyncGenerator<AnswerEvent>]>([
    ['end without an end', async function* () {}],
    [
      'go silent',
      async function* () {
        yield { kind: 'none', ids: {} };
        throw new BridgeError('dify_stalled', 'silent');
      },
    ],
  ])('is to be looked for when its events %s', async (_how, events) => {
    const { resumed } = await paused();
    await expect(resumed({ openEvents: async () => events() })).rejects.toMatchObject({ code: 'dify_cut' });
  });

  test('is followed also when no response to its form came', async () => {
    const { resumed, submit } = await paused();
    const answer = await resumed({
      async submit() {
        await submit();
        throw new BridgeError('dify_timeout', 'no answer');
      },
    });
    expect(answerText(answer).text).toBe('approve：好');
  });

  test('is not asked for its form when opening its events crashed', async () => {
    const crash = new TypeError('a fault of ours');
    const { resumed, run } = await paused();
    await expect(resumed({ openEvents: () => Promise.reject(crash) })).rejects.toBe(crash);
    expect(run.status).toBe('paused');
  });

  test.each(['no such route', 'no answer'])('is to be looked for when there are no events: %s', async (why) => {
    const { resumed, submit, run } = await paused();
    let submitted = 0;
    const answering = resumed({
      openEvents: () =>
        why === 'no answer' ? Promise.reject(new BridgeError('dify_timeout', 'no')) : Promise.resolve(null),
      submit: async () => {
        submitted += 1;
        await submit();
      },
    });
    await expect(answering).rejects.toMatchObject({ code: 'dify_cut' });
    expect(submitted).toBe(1);
    await eventually(() => run.status === 'succeeded');
  });

  test('can be given up, before the form or after', async () => {
    const reason = new Error('time is up');
    const early = await paused();
    await expect(early.resumed({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(early.run.status).toBe('paused');
    const late = await paused({
      ...pause,
      onSubmit: () => ({ chunks: [{ text: 'a' }, { afterMs: 5_000, text: 'b' }] }),
    });
    const controller = new AbortController();
    const given = late.resumed({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(given).rejects.toBe(reason);
    await eventually(() => late.dify.openStreams.length === 0);
  });

  test('is unknown to other people', async () => {
    const { http, runId } = await paused();
    const { signal } = new AbortController();
    expect(await followRun(http, { runId, user: 'staff-0002', signal })).toBeNull();
  });
});
