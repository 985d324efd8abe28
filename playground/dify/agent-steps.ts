import type { Json } from '../http/shape.ts';
import { messageEvent } from './envelope.ts';
import type { AgentThought, Chunk, DifyRun } from './types.ts';

type ToolUse = Extract<Chunk, { tool: string }>;

/** The steps of an agent: text, then perhaps a tool, then the next step (protocol 2.4, 2.5, 6.5). */
export interface AgentSteps {
  text(delta: string): Json[];
  /** The step has made a file, which its thought names from now on. */
  file(id: string): void;
  tool(use: ToolUse): Json[];
  /** The same tool use as a workflow's agent node reports it. */
  log(use: ToolUse): Json[];
  close(): Json[];
}

export function createAgentSteps(run: DifyRun, createId: () => string): AgentSteps {
  const isAgent = run.mode === 'agent-chat' || run.mode === 'agent';
  const finished: string[] = [];
  const begin = (position: number): AgentThought => ({
    id: createId(),
    position,
    thought: '',
    tool: '',
    labels: {},
    input: '',
    observation: '',
    files: [],
  });
  let step = begin(1);
  /** While a step speaks, its stored thought is empty: the text is saved with the step. */
  let spoken = '';
  let isOpen = false;

  const save = (changes: Partial<AgentThought>) => {
    step = { ...step, ...changes };
    run.thoughts = [...run.thoughts.filter(({ position }) => position !== step.position), step];
  };

  /** The same thought is sent again, with the same id, as it grows. */
  const thought = (): Json =>
    messageEvent(run, 'agent_thought', {
      id: step.id,
      position: step.position,
      thought: step.thought,
      observation: step.observation,
      tool: step.tool,
      tool_labels: step.labels,
      tool_input: step.input,
      message_files: step.files,
    });

  /** protocol 2.6 item 4: the stored answer joins the steps with a line break; the live deltas do not. */
  const store = () => {
    run.answer = [...finished, spoken]
      .filter((text) => text !== '')
      .join('\n')
      .trim();
  };

  /** The first thought comes with the model's first sign, so that a model that fails leaves none (recorded). */
  const open = (): Json[] => {
    if (isOpen) return [];
    isOpen = true;
    save({});
    return [thought()];
  };

  return {
    text(delta) {
      const first = open();
      spoken += delta;
      store();
      return [...first, messageEvent(run, 'agent_message', { id: run.messageId, answer: delta })];
    },
    file(fileId) {
      save({ files: [...step.files, fileId] });
    },
    tool(use) {
      const events = open();
      save({
        thought: spoken,
        tool: use.tool,
        labels: use.label ? { [use.tool]: use.label } : {},
        input: JSON.stringify({ [use.tool]: use.input }),
      });
      events.push(thought());
      save({ observation: JSON.stringify({ [use.tool]: use.observation }) });
      events.push(thought());
      finished.push(spoken);
      spoken = '';
      step = begin(step.position + 1);
      save({});
      return [...events, thought()];
    },
    log(use) {
      const entry = (status: string, data: Json) =>
        messageEvent(run, 'agent_log', {
          data: {
            node_execution_id: `${String(run.workflowRunId)}-llm`,
            id: step.id,
            label: `CALL ${use.tool}`,
            parent_id: null,
            error: null,
            status,
            data,
            metadata: {},
            node_id: 'llm',
          },
        });
      const events = [entry('start', { tool_input: use.input }), entry('success', { output: use.observation })];
      step = begin(1);
      return events;
    },
    close() {
      if (!isAgent) return [];
      const first = open();
      save({ thought: spoken });
      return [...first, thought()];
    },
  };
}
