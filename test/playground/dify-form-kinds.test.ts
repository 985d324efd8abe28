// The simulator plays the nine kinds of form that were recorded.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DifyVersion } from '../../playground/dify/behaviour.ts';
import type { FormInput, Pause } from '../../playground/dify/types.ts';
import { parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import { eventually, startDify } from './support.ts';

const folder = new URL('../fixtures/dify-real/forms/', import.meta.url);
const user = 'staff-0001';

/** The data of the events of a recording, in their order. */
const recorded = (name: string): Json[] =>
  readFileSync(new URL(`${name}.sse`, folder), 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [recordOf(parseJson(line.slice(6)))] : []));
const named = (events: readonly Json[], event: string) => events.filter((one) => one['event'] === event);

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.map(recordOf) : []);

function inputOf(input: Json): FormInput {
  const name = String(input['output_variable_name']);
  const types = Array.isArray(input['allowed_file_types']) ? (input['allowed_file_types'] as never) : [];
  const source = recordOf(input['option_source'] ?? input['default'] ?? {});
  const selector = source['type'] === 'variable' ? { variable: source['selector'] as string[] } : {};
  switch (input['type']) {
    case 'select':
      return { type: 'select', name, options: source['value'] as string[], ...selector };
    case 'file':
      return { type: 'file', name, allowedTypes: types };
    default:
      return { type: 'paragraph', name, ...selector };
  }
}

/** A pause that asks as the recorded one does. */
function pauseOf(form: Json): Pause {
  const inputs = listOf(form['inputs']);
  const constants = inputs.flatMap((input) => {
    const preset = recordOf(input['default'] ?? {});
    return preset['type'] === 'constant' ? [[String(input['output_variable_name']), String(preset['value'])]] : [];
  });
  const resolved = recordOf(form['resolved_default_values']) as Record<string, string>;
  return {
    kind: 'paused',
    title: String(form['node_title']),
    formContent: String(form['form_content']),
    inputs: inputs.map(inputOf),
    actions: form['actions'] as never,
    defaults: { ...(Object.fromEntries(constants) as Record<string, string>), ...resolved },
    byMailOnly: form['display_in_ui'] === false,
  };
}

/** Without what is new each time. */
function comparable(form: Json): Json {
  const { form_id: _id, node_id: _node, form_token, expiration_time: _time, inputs, ...rest } = form;
  // Both ways of reaching a file are the default of the simulator.
  const plain = listOf(inputs).map(({ allowed_file_upload_methods: _methods, ...input }) => input);
  return { ...rest, inputs: plain, hasToken: typeof form_token === 'string' };
}

const KINDS: readonly [kind: string, DifyVersion, mode: 'advanced-chat' | 'workflow', answered: string[]][] = [
  ['hitl-paused', '1.14', 'advanced-chat', ['hitl-resumed', 'hitl-rejected', 'hitl-button']],
  ['hitl2-first', '1.14', 'advanced-chat', ['hitl2-second']],
  ['hitlboth-paused', '1.14', 'advanced-chat', ['hitlboth-answered']],
  ['hitlfile-paused', 'main', 'advanced-chat', []],
  ['hitlflow-paused', '1.14', 'workflow', ['hitlflow-resumed']],
  ['hitlmail-paused', '1.14', 'advanced-chat', []],
  ['hitlpar-paused', '1.14', 'advanced-chat', ['hitlpar-answered', 'hitlpar-answered2']],
  ['hitlselect-paused', '1.14', 'advanced-chat', ['hitlselect-answered']],
  ['hitlsilent-paused', '1.14', 'advanced-chat', ['hitlsilent-answered']],
];

describe.each(KINDS)('%s of %s', (kind, version, mode, answered) => {
  const events = recorded(kind);
  const forms = named(events, 'human_input_required').map((event) => recordOf(event['data']));
  const [first, ...beside] = forms.map(pauseOf);
  const start = () =>
    startDify({
      version,
      behaviour: { closeMs: 0 },
      script: { chunks: [{ text: '已提交。' }], ending: { ...first, beside } as Pause },
    });

  test('asks as it did', async () => {
    const { ask } = await start();
    const { events: played, names } = await ask(mode);
    const asked = named(played, 'human_input_required').map((event) => recordOf(event['data']));
    expect(asked.map(comparable)).toEqual(forms.map(comparable));
    const tail = (all: readonly string[]) => all.slice(all.indexOf('human_input_required'));
    expect(tail(names)).toEqual(tail(events.map((event) => String(event['event']))));
    const reasons = (all: readonly Json[]) =>
      listOf(recordOf(named(all, 'workflow_paused')[0]?.['data'])['reasons']).map((reason) => Object.keys(reason));
    expect(reasons(played).map((keys) => keys.toSorted())).toEqual(reasons(events).map((keys) => keys.toSorted()));
  });

  test.each(answered)('goes on as in %s', async (name) => {
    const { ask, call, read, dify } = await start();
    await ask(mode);
    const { workflowRunId, forms: open } = dify.runs[0]!;
    const after = read(`app-${mode}`, `/workflow/${String(workflowRunId)}/events?user=${user}`);
    const inputs = Object.fromEntries((first?.inputs ?? []).map((input) => [input.name, 'text']));
    const asked = name.endsWith('answered2') ? [open[0], open[1]] : [open[0]];
    for (const form of asked) {
      await call(`app-${mode}`, 'POST', `/form/human_input/${String(form?.token)}`, {
        user,
        action: 'approve',
        inputs,
      });
      await eventually(() => form?.status === 'submitted' && dify.runs[0]?.status !== 'running');
    }
    const { events: played } = await after;
    const filled = recorded(name).find(({ event }) => event === 'human_input_form_filled');
    const keys = (event: Json | undefined) => Object.keys(recordOf(event?.['data'])).toSorted();
    expect(keys(named(played, 'human_input_form_filled')[0])).toEqual(keys(filled));
    const kindsOf = (all: readonly Json[]) =>
      all.map((event) => String(event['event'])).filter((event) => /^(workflow_started|human_input)/u.test(event));
    // The simulator lets the first of two answers be heard on the same stream.
    if (!name.endsWith('answered2') && !name.endsWith('second') && kind !== 'hitl2-first')
      expect(kindsOf(played)).toEqual(kindsOf(recorded(name)));
  });
});
