import type { Clock } from '../../lib/runtime/clock.ts';
import type { Json } from '../http/shape.ts';
import {
  errorEvent,
  isWorkflowBased,
  messageEnd,
  messageEvent,
  nodeFinished,
  nodeStarted,
  workflowEvent,
  workflowFinished,
  workflowStarted,
  type NodeFacts,
} from './envelope.ts';
import { createAgentSteps } from './agent-steps.ts';
import type { Behaviour, Chunk, DifyRun, Ending } from './types.ts';

/** Turns the steps of a script into the events that the app's mode and version would send (protocol 2.5). */
export interface Narrator {
  begin(): Json[];
  /** Also keeps `run.answer`. */
  chunk(chunk: Chunk): Json[];
  /** A good end, a stop, or a failure. Also sets the run's outputs and error. */
  end(ending: Ending | { kind: 'stopped' }, outputs: Json | undefined): Json[];
}

const startNode: NodeFacts = { id: 'start', type: 'start', title: 'Start', index: 1 };
const modelNode: NodeFacts = { id: 'llm', type: 'llm', title: 'LLM', index: 2 };

export function createNarrator(run: DifyRun, behaviour: Behaviour, clock: Clock, createId: () => string): Narrator {
  const isAgent = run.mode === 'agent-chat' || run.mode === 'agent';
  const steps = createAgentSteps(run, createId);
  const lastNode: NodeFacts =
    run.mode === 'workflow'
      ? { id: 'end', type: 'end', title: 'Output', index: 3 }
      : { id: 'answer', type: 'answer', title: 'Answer', index: 3 };

  const text = (delta: string): Json[] => {
    if (isAgent) return steps.text(delta);
    run.answer += delta;
    const selector = isWorkflowBased(run) ? ['llm', 'text'] : [];
    if (run.mode === 'workflow')
      return [messageEvent(run, 'text_chunk', { data: { text: delta, from_variable_selector: selector } })];
    return [messageEvent(run, 'message', { id: run.messageId, answer: delta, from_variable_selector: selector })];
  };

  const replace = (answer: string, reason: string): Json[] => {
    run.answer = answer;
    if (run.mode === 'workflow') return [messageEvent(run, 'text_replace', { data: { text: answer } })];
    return [messageEvent(run, 'message_replace', { answer, reason })];
  };

  const chunk = (step: Chunk): Json[] => {
    if ('text' in step) return text(step.text);
    if ('replace' in step) return replace(step.replace, step.reason ?? 'output_moderation');
    if ('tool' in step) return isAgent ? steps.tool(step) : isWorkflowBased(run) ? steps.log(step) : [];
    if ('reasoning' in step) {
      if (!isWorkflowBased(run)) return [];
      const data = { reasoning: step.reasoning, node_id: 'llm', is_final: step.final ?? false };
      return [messageEvent(run, 'reasoning_chunk', { data })];
    }
    if ('event' in step)
      return [
        isWorkflowBased(run) ? workflowEvent(run, step.event, step.data) : messageEvent(run, step.event, step.data),
      ];
    return [];
  };

  const goodEnd = (outputs: Json | undefined): Json[] => {
    const now = clock.now();
    const closing = steps.close();
    if (!isWorkflowBased(run)) return [...closing, messageEnd(run)];
    run.outputs = outputs ?? (run.mode === 'workflow' ? { result: run.answer } : { answer: run.answer, files: [] });
    const nodes = [
      nodeFinished(run, modelNode, now, { text: run.answer, reasoning_content: '' }, null),
      nodeStarted(run, lastNode, now),
      nodeFinished(run, lastNode, now, run.outputs, null),
    ];
    const finished = workflowFinished(run, now, 'succeeded');
    if (run.mode === 'workflow' || behaviour.chatflowEnd === 'finished-only') return [...nodes, finished];
    const ends = [messageEnd(run), finished];
    return [...nodes, ...(behaviour.chatflowEnd === 'finished-then-message-end' ? ends.toReversed() : ends)];
  };

  const failure = (message: string): Json[] => {
    run.error = message;
    if (!isWorkflowBased(run)) return [errorEvent(run, 'completion_request_error', 400, message)];
    const now = clock.now();
    const events = [nodeFinished(run, modelNode, now, {}, message), workflowFinished(run, now, 'failed')];
    // protocol 2.6 item 6: only up to 1.12 does an `error` follow, and reach the client.
    if (behaviour.chatflowEnd === 'finished-then-message-end' && run.mode === 'advanced-chat')
      events.push(errorEvent(run, 'invalid_param', 400, `Run failed: ${message}`));
    return events;
  };

  const stopped = (): Json[] => {
    // protocol 2.6 item 7: in an easy app nothing says that it was stopped.
    if (!isWorkflowBased(run)) return [...steps.close(), messageEnd(run)];
    run.error = 'Stopped by user.';
    run.outputs = run.mode === 'workflow' ? {} : { answer: run.answer };
    return [workflowFinished(run, clock.now(), 'stopped')];
  };

  const paused = (formContent: string, formToken: string | null): Json[] => {
    const now = clock.now();
    const form = {
      form_id: createId(),
      node_id: 'approval',
      node_title: 'Approval',
      form_content: formContent,
      inputs: [],
      actions: [
        { id: 'approve', title: 'Approve', button_style: 'primary' },
        { id: 'reject', title: 'Reject', button_style: 'default' },
      ],
      display_in_ui: true,
      form_token: formToken,
      resolved_default_values: {},
      expiration_time: Math.floor(now / 1000) + 259_200,
    };
    const pause = {
      workflow_run_id: run.workflowRunId,
      paused_nodes: ['approval'],
      outputs: {},
      reasons: [{ ...form, TYPE: 'human_input_required' }],
      status: 'paused',
      created_at: Math.floor(run.startedAt / 1000),
      elapsed_time: (now - run.startedAt) / 1000,
      total_tokens: 59,
      total_steps: 3,
    };
    return [workflowEvent(run, 'human_input_required', form), workflowEvent(run, 'workflow_paused', pause)];
  };

  return {
    chunk,
    begin() {
      if (isAgent) return steps.open();
      if (!isWorkflowBased(run)) return [];
      const now = clock.now();
      return [
        workflowStarted(run, 'initial'),
        nodeStarted(run, startNode, now),
        nodeFinished(run, startNode, now, run.inputs, null),
        nodeStarted(run, modelNode, now),
      ];
    },
    end(ending, outputs) {
      switch (ending.kind) {
        case 'end':
          return goodEnd(outputs);
        case 'failed':
          return failure(ending.message);
        case 'error':
          run.error = ending.message;
          return [
            errorEvent(
              run,
              ending.nameless ? undefined : (ending.code ?? 'internal_server_error'),
              ending.status,
              ending.message,
            ),
          ];
        case 'stopped':
          return stopped();
        case 'paused':
          return paused(ending.formContent, ending.formToken);
        case 'eof':
        case 'cut':
        case 'silence':
          // The run itself ends well; only its client does not hear of it.
          goodEnd(outputs);
          return [];
        default:
          return ending satisfies never;
      }
    },
  };
}
