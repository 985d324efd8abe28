import { recordOf, type Json } from '../http/shape.ts';

const parallels: Json = {
  parallel_id: null,
  parallel_start_node_id: null,
  parent_parallel_id: null,
  parent_parallel_start_node_id: null,
};

const without = (from: Json, ...keys: string[]): Json =>
  Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));

const truncations = ['inputs_truncated', 'process_data_truncated', 'outputs_truncated'];

const dataOf: Record<string, (data: Json, event: Json) => Json> = {
  workflow_started(data, { conversation_id: id }) {
    const inputs = recordOf(data['inputs']);
    const system = id === undefined ? inputs : { ...inputs, 'sys.conversation_id': id };
    return { ...without(data, 'reason'), sequence_number: 1, inputs: system };
  },
  node_started: (data) => ({
    ...without(data, ...truncations, 'loop_id', 'agent_strategy'),
    ...parallels,
    parallel_run_id: null,
  }),
  node_finished: (data) => ({ ...without(data, ...truncations, 'loop_id'), process_data: null, ...parallels }),
  workflow_finished(data) {
    const outputs = recordOf(data['outputs']);
    const isEmpty = Object.keys(outputs).length === 0;
    // The files of a chatflow are in its `message_end` only.
    const shown = 'answer' in outputs ? without(outputs, 'files') : outputs;
    return { ...data, sequence_number: 1, outputs: isEmpty ? null : shown };
  },
};

/** An event as 0.15.3 wrote it (test/fixtures/dify-real/0.15.3). */
export function oldShape(event: Json): Json {
  const change = dataOf[String(event['event'])];
  if (change) return { ...event, data: change(recordOf(event['data']), event) };
  if (event['event'] !== 'message_end') return event;
  const usage = recordOf(recordOf(event['metadata'])['usage']);
  return { ...event, metadata: { usage: without(usage, 'time_to_first_token', 'time_to_generate') } };
}
