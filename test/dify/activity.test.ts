// What a waiting reader is told, and what a person is asked, from the wire to the answer.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emptyAnswer, foldEvent, type Answer } from '../../lib/answer/answer.ts';
import { readEvent } from '../../lib/dify/events.ts';

const read = (event: object) => readEvent(JSON.stringify(event));

const fold = (events: readonly object[], from: Answer = emptyAnswer): Answer =>
  events.reduce<Answer>((answer, event) => {
    const known = read(event);
    return known ? foldEvent(answer, known) : answer;
  }, from);

const recorded = (file: string): object[] =>
  readFileSync(new URL(`../fixtures/dify/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as object);

const node = (node_type: string, title: string) => ({ event: 'node_started', data: { node_type, title } });

describe('progress', () => {
  test('is the title of the newest node that says something', () => {
    expect(fold([node('start', 'Start'), node('if-else', 'VIP?')]).activity).toBeNull();
    const told = fold([node('knowledge-retrieval', '检索知识库'), node('answer', 'Answer')]);
    expect(told.activity).toEqual({ kind: 'node', name: '检索知识库' });
    expect(fold([{ event: 'iteration_started', data: { title: 'Each page' } }], told).activity?.name).toBe('Each page');
  });

  test('is one line of at most 40 characters without markup', () => {
    const { activity } = fold([node('llm', `**Bold**\n[x](https://a.example) ${'长'.repeat(60)}`)]);
    expect(activity?.name).not.toMatch(/[*[\]()\n]/);
    expect(Array.from(activity?.name ?? '')).toHaveLength(40);
  });

  test('names a tool in both languages where Dify does', () => {
    const answers = recorded('agent-tools.sse').map((_event, index, events) => fold(events.slice(0, index + 1)));
    expect(answers.map(({ activity }) => activity).filter((activity) => activity !== null)[0]).toEqual({
      kind: 'tool',
      name: 'current weather',
      labels: { zh: '当前天气', en: 'Current weather' },
    });
    const plain = { event: 'agent_thought', id: 's', tool: 'web_search;wiki', tool_labels: { web_search: null } };
    expect(fold([plain]).activity).toEqual({ kind: 'tool', name: 'web search' });
  });

  test('follows the log of an agent node, which tells each step twice', () => {
    const log = (label: string, status: string) => ({ event: 'agent_log', data: { label, status } });
    expect(fold([log('CALL web_search', 'start')]).activity).toEqual({ kind: 'tool', name: 'web search' });
    expect(fold([log('ROUND 1', 'start'), log('CALL web_search', 'success')]).activity?.name).toBe('ROUND 1');
  });

  test('says that a model thinks, until there is text', () => {
    const thinking = fold([node('llm', 'LLM'), { event: 'reasoning_chunk', data: { reasoning: 'Hm' } }]);
    expect(thinking.activity).toEqual({ kind: 'thinking', name: '' });
    expect(fold([{ event: 'message', answer: '' }], thinking).activity).not.toBeNull();
    expect(fold([{ event: 'message', answer: 'Yes' }], thinking).activity).toBeNull();
  });
});

describe('a form', () => {
  const events = recorded('chatflow-paused-human-input.sse');
  const form = {
    token: '0Tb1nXYe4hzQUD706nHB4y',
    runId: '5b6886fa-4d5f-5480-adf4-d81b10ee068e',
    nodeTitle: 'Approval',
    content: 'Refund **€ 40** to Ann?\n\n{{#$output.comment#}}',
    fields: [
      { name: 'comment', label: 'comment', type: 'text', required: false, options: [], default: '' },
      { name: 'priority', label: 'priority', type: 'select', required: true, options: ['low', 'high'], default: '' },
    ],
    actions: [
      { id: 'approve', title: 'Approve' },
      { id: 'reject', title: 'Reject' },
    ],
    expiresAtMs: 1_785_051_000_000,
  };

  test('is told before the pause', () => {
    expect(fold(events)).toMatchObject({ form, ending: { kind: 'paused' } });
    expect(fold(events.slice(0, -1))).toMatchObject({ form, ending: null });
  });

  test('is found among the reasons of the pause, whatever the version calls their kind', () => {
    const paused = JSON.stringify(events.at(-1));
    for (const last of [paused, paused.replace('"TYPE"', '"type"')]) {
      expect(fold([JSON.parse(last) as object]).form).toEqual(form);
    }
    expect(fold([JSON.parse(paused.replace('"human_input_required"', '"scheduled_pause"')) as object]).form).toBeNull();
  });

  test('that cannot be answered here gives way to one that can', () => {
    const asked = (form_token: string | null, node_title: string) => ({
      event: 'human_input_required',
      data: { form_content: '', form_token, node_title },
    });
    expect(fold([asked(null, 'by mail'), asked('t', 'here'), asked('u', 'later')]).form?.nodeTitle).toBe('here');
    expect(fold([asked(null, 'by mail')]).form).toMatchObject({ token: null, fields: [], actions: [] });
  });

  test('is gone once it was answered, or when nobody did', () => {
    const before = fold(events);
    expect(fold([{ event: 'human_input_form_filled', data: {} }], before)).toMatchObject({
      form: null,
      formExpired: false,
    });
    const late = fold([{ event: 'human_input_form_timeout', data: {} }], before);
    expect(late).toMatchObject({ form: null, formExpired: true });
  });

  test('keeps what can be read of it', () => {
    const data = {
      form_content: null,
      inputs: [null, { type: 'signature', output_variable_name: 'x' }, { output_variable_name: 1 }],
      actions: [{ id: 'ok', title: null }, 'no'],
      resolved_default_values: { x: 7 },
      expiration_time: 'soon',
    };
    expect(fold([{ event: 'human_input_required', data }]).form).toEqual({
      token: null,
      isUnsure: true,
      runId: null,
      nodeTitle: '',
      content: '',
      fields: [{ name: 'x', label: 'x', type: 'unknown', required: true, options: [], default: '' }],
      actions: [{ id: 'ok', title: 'ok' }],
      expiresAtMs: null,
    });
  });
});
