import { describe, expect, test } from 'vitest';
import { readEvent } from '../../lib/dify/events.ts';

/** `StreamEvent` in Dify's source up to 1.16, and two names of old versions. */
const names =
  'error message message_end message_file message_replace agent_message agent_thought agent_log tts_message ' +
  'tts_message_end workflow_started workflow_paused workflow_finished node_started node_finished node_retry ' +
  'iteration_started iteration_next iteration_completed loop_started loop_next loop_completed text_chunk text_replace ' +
  'reasoning_chunk human_input_required human_input_form_filled human_input_form_timeout ' +
  'parallel_branch_started parallel_branch_finished';

describe('an event', () => {
  test.each(names.split(' '))('%s is handled or skipped on purpose, and survives null in every field', (event) => {
    const nulls = {
      answer: null,
      data: null,
      id: null,
      code: null,
      status: null,
      metadata: null,
      files: null,
      url: null,
    };
    expect(readEvent(JSON.stringify({ event }))).not.toBeNull();
    expect(readEvent(JSON.stringify({ event, ...nulls, task_id: null }))).toMatchObject({ ids: {} });
  });

  test('that ends an answer does so whatever its details look like', () => {
    const metadata = { usage: { total_tokens: '12' }, retriever_resources: [{ document_id: 7, document_name: 'a' }] };
    const wire = { event: 'message_end', message_id: 'm', metadata };
    expect(readEvent(JSON.stringify(wire))).toMatchObject({ kind: 'message-ended', totalTokens: null });
    expect(readEvent(JSON.stringify({ ...wire, metadata: 'x', files: {} }))).toMatchObject({ kind: 'message-ended' });
    expect(readEvent('{"event":"workflow_finished","data":{"status":"failed","outputs":"x"}}')).toMatchObject({
      kind: 'run-finished',
      status: 'failed',
    });
    expect(readEvent('{"event":"workflow_finished"}')).toMatchObject({ kind: 'run-finished' });
    expect(readEvent('{"event":"error","code":7,"status":"400"}')).toMatchObject({ kind: 'failed' });
  });

  test('that ends an answer tells what it cost, unless Dify has counted nothing', () => {
    const cost = (usage: object) => readEvent(JSON.stringify({ event: 'message_end', metadata: { usage } }));
    const price = { amount: 0.002, currency: 'USD' };
    const counted = { total_tokens: 12, total_price: '0.002', currency: 'USD' };
    expect(cost(counted)).toMatchObject({ totalTokens: 12, price });
    // After a stop.
    const stopped = cost({ total_tokens: 0, total_price: '0E-7', currency: 'USD' });
    expect(stopped).toMatchObject({ totalTokens: null, price: null });
    // An agent of 0.15 counts no tokens, but its price.
    expect(cost({ ...counted, total_tokens: 0 })).toMatchObject({ totalTokens: null, price });
    expect(cost({ ...counted, total_price: '0E-7' })).toMatchObject({ totalTokens: 12, price: { amount: 0 } });
  });

  test('gives its ids whatever else it holds', () => {
    const wire = { event: 'agent_log', conversation_id: 'c', message_id: 'm', task_id: 't', workflow_run_id: 'r' };
    expect(readEvent(JSON.stringify(wire))).toEqual({
      kind: 'none',
      ids: { conversationId: 'c', messageId: 'm', taskId: 't', runId: 'r' },
    });
  });

  test('that nobody knows is ignored, also when it is named like a property of every object', () => {
    for (const event of ['message_delta_v2', 'constructor', 'toString', '__proto__']) {
      expect(readEvent(JSON.stringify({ event }))).toBeNull();
    }
  });

  test('that is no event is ignored', () => {
    for (const data of ['', '[DONE]', 'null', '[]', '"x"', '{"event":1}', '{']) expect(readEvent(data)).toBeNull();
  });

  test('of text names the node that it comes from', () => {
    const selector = (first: unknown) => ({ event: 'message', answer: 'a', from_variable_selector: first });
    expect(readEvent(JSON.stringify(selector(['llm', 'text'])))).toMatchObject({ kind: 'text', node: 'llm' });
    for (const none of [null, [], 'llm', [7]])
      expect(readEvent(JSON.stringify(selector(none)))).not.toHaveProperty('node');
    const chunk = { event: 'text_chunk', data: { text: 'a', from_variable_selector: ['end', 'answer'] } };
    expect(readEvent(JSON.stringify(chunk))).toMatchObject({ kind: 'text', source: 'chunk', node: 'end' });
  });

  test.each([
    ['node_retry', 'retry', true],
    ['node_finished', 'exception', true],
    ['node_finished', 'succeeded', false],
    // The run fails with it, and what it said stays.
    ['node_finished', 'failed', false],
  ])('%s with status %s ends a try', (event, status, failed) => {
    const wire = { event, data: { node_id: 'llm', status } };
    expect(readEvent(JSON.stringify(wire))).toEqual({ kind: 'try-ended', node: 'llm', failed, ids: {} });
  });

  test('that ends an answer leaves out the files that came with the question', () => {
    const files = (...list: unknown[]) => readEvent(JSON.stringify({ event: 'message_end', files: list }));
    const own = { transfer_method: 'local_file', upload_file_id: 'u', url: '/files/u/file-preview' };
    const made = { ...own, transfer_method: 'tool_file', upload_file_id: null, url: '/files/tools/t.png' };
    const passedOn = { ...own, dify_model_identity: '__dify__file__' };
    expect(files(own, { ...own, transfer_method: 'remote_url' })).toMatchObject({ files: [] });
    expect(files(own, made, passedOn)).toMatchObject({ files: [{ url: made.url }, { url: own.url }] });
  });

  test('labelled message_file may carry text, an echo of the asker, or a file', () => {
    expect(readEvent('{"event":"message_file","answer":"delta"}')).toMatchObject({ kind: 'text', text: 'delta' });
    expect(readEvent('{"event":"message_file","belongs_to":"user","url":"/f"}')).toMatchObject({ kind: 'none' });
    expect(readEvent('{"event":"message_file","type":"image","url":"/f"}')).toMatchObject({
      kind: 'file',
      file: { kind: 'image', url: '/f' },
    });
  });
});
