import type { Json } from '../http/shape.ts';
import { messageEvent } from './envelope.ts';
import type { Chunk, DifyRun } from './types.ts';

type ToolUse = Extract<Chunk, { tool: string }>;

/** The steps of an agent: text, then perhaps a tool, then the next step (protocol 2.4, 2.5, 6.5). */
export interface AgentSteps {
  open(): Json[];
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
  let id = createId();
  let position = 1;
  let spoken = '';
  let fileIds: string[] = [];

  /** The same thought is sent again, with the same id, as it grows. */
  const thought = (use?: ToolUse, observation = ''): Json =>
    messageEvent(run, 'agent_thought', {
      id,
      position,
      thought: spoken,
      observation,
      tool: use?.tool ?? '',
      tool_labels: use?.label ? { [use.tool]: use.label } : {},
      tool_input: use ? JSON.stringify({ [use.tool]: use.input }) : '',
      message_files: fileIds,
    });

  /** protocol 2.6 item 4: the stored answer joins the steps with a line break; the live deltas do not. */
  const store = () => {
    run.answer = [...finished, spoken]
      .filter((text) => text !== '')
      .join('\n')
      .trim();
  };

  return {
    open: () => [thought()],
    text(delta) {
      spoken += delta;
      store();
      return [messageEvent(run, 'agent_message', { id: run.messageId, answer: delta })];
    },
    file(fileId) {
      fileIds = [...fileIds, fileId];
    },
    tool(use) {
      const events = [thought(), thought(use), thought(use, JSON.stringify({ [use.tool]: use.observation }))];
      finished.push(spoken);
      spoken = '';
      fileIds = [];
      id = createId();
      position += 1;
      return [...events, thought()];
    },
    log(use) {
      const entry = (status: string, data: Json) =>
        messageEvent(run, 'agent_log', {
          data: {
            node_execution_id: `${String(run.workflowRunId)}-llm`,
            id,
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
      id = createId();
      return events;
    },
    close() {
      if (!isAgent) return [];
      const last = thought();
      // protocol 2.6 item 2: a New Agent repeats the complete answer in one closing `message`.
      const closing = messageEvent(run, 'message', {
        id: run.messageId,
        answer: run.answer,
        from_variable_selector: [],
      });
      return run.mode === 'agent' ? [last, closing] : [last];
    },
  };
}
