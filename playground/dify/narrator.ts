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
import { filledData, formFactsOf, requiredData, timeoutData, type FormFacts } from './form-facts.ts';
import {
  easyFileObject,
  fileMarkdown,
  fileObject,
  withFileObjects,
  type ResultFile,
  type ResultFiles,
} from './result-files.ts';
import type { Behaviour, Chunk, DifyRun, Ending, FormSubmission, Pause } from './types.ts';

/** What became of a form; no submission: its time was up. */
export interface FormOutcome {
  facts: FormFacts;
  submission: FormSubmission | null;
}

/** Turns the steps of a script into the events that the app's mode and version would send (protocol 2.5). */
export interface Narrator {
  begin(): Json[];
  /** Also keeps `run.answer`. */
  chunk(chunk: Chunk): Json[];
  /** A good end, a stop, or a failure. Also sets the run's outputs and error. */
  end(ending: Exclude<Ending, Pause> | { kind: 'stopped' }, outputs: Json | undefined): Json[];
  /** The node that a chunk began is done. */
  endNode(): Json[];
  /** `events` report the pause itself; a later snapshot repeats them. */
  pause(pause: Pause): { before: Json[]; events: Json[]; facts: FormFacts };
  resume(outcome: FormOutcome): Json[];
}

export interface NarratorOptions {
  run: DifyRun;
  behaviour: Behaviour;
  clock: Clock;
  createId: () => string;
  make: ResultFiles['make'];
}

const startNode: NodeFacts = { id: 'start', type: 'start', title: 'Start', index: 1 };

export function createNarrator({ run, behaviour, clock, createId, make }: NarratorOptions): Narrator {
  const isAgent = run.mode === 'agent-chat' || run.mode === 'agent';
  const steps = createAgentSteps(run, createId);
  let model: NodeFacts = { id: 'llm', type: 'llm', title: 'LLM', index: 2 };
  /** The text before the model's turn; after a pause there is a second model. */
  let before = '';
  let nodes = 2;
  let pauses = 0;
  let current: NodeFacts | null = null;
  /** What the end events list. */
  const endFiles: ResultFile[] = [];
  const outputFiles = new Map<string, Json[]>();

  const nextNode = (id: string, type: string, title: string): NodeFacts => {
    nodes += 1;
    return { id, type, title, index: nodes };
  };

  const modelDone = (now: number): Json =>
    nodeFinished(run, model, now, { text: run.answer.slice(before.length), reasoning_content: '' }, null);

  const text = (delta: string): Json[] => {
    if (isAgent) return steps.text(delta);
    run.answer += delta;
    const selector = isWorkflowBased(run) ? [model.id, 'text'] : [];
    if (run.mode === 'workflow')
      return [messageEvent(run, 'text_chunk', { data: { text: delta, from_variable_selector: selector } })];
    return [messageEvent(run, 'message', { id: run.messageId, answer: delta, from_variable_selector: selector })];
  };

  const replace = (answer: string, reason: string): Json[] => {
    run.answer = answer;
    if (run.mode === 'workflow') return [messageEvent(run, 'text_replace', { data: { text: answer } })];
    return [messageEvent(run, 'message_replace', { answer, reason })];
  };

  /** protocol 6.2: each mode has its own ways of handing a file over. */
  const file = (step: Extract<Chunk, { file: unknown }>['file']): Json[] => {
    const isEasy = !isWorkflowBased(run);
    const isShown =
      step.as === 'markdown' || (step.as === 'output' ? run.mode === 'workflow' : run.mode !== 'workflow');
    if (!isShown) return [];
    const result = make(step);
    const { id, name, type, mimeType, bytes, url } = result;
    const belongsTo = (step.as === 'message_file' ? step.belongsTo : undefined) ?? 'assistant';
    run.made = [...run.made, { id, name, type, mimeType, size: bytes.length, url, as: step.as, belongsTo }];
    switch (step.as) {
      case 'markdown':
        if (run.mode === 'advanced-chat') endFiles.push(result);
        return text(fileMarkdown(result));
      case 'end':
        endFiles.push(result);
        return [];
      case 'output':
        outputFiles.set(step.key ?? 'files', [...(outputFiles.get(step.key ?? 'files') ?? []), fileObject(result)]);
        return [];
      case 'message_file':
        if (isEasy && belongsTo === 'assistant') endFiles.push(result);
        if (isAgent) steps.file(id);
        return [messageEvent(run, 'message_file', { id, type, belongs_to: belongsTo, url })];
      default:
        return step satisfies never;
    }
  };

  const chunk = (step: Chunk): Json[] => {
    if ('text' in step) return text(step.text);
    if ('replace' in step) return replace(step.replace, step.reason ?? 'output_moderation');
    if ('tool' in step) return isAgent ? steps.tool(step) : isWorkflowBased(run) ? steps.log(step) : [];
    if ('reasoning' in step) {
      if (!isWorkflowBased(run)) return [];
      const data = { reasoning: step.reasoning, node_id: model.id, is_final: step.final ?? false };
      return [messageEvent(run, 'reasoning_chunk', { data })];
    }
    if ('file' in step) return file(step.file);
    if ('node' in step) {
      if (!isWorkflowBased(run)) return [];
      current = nextNode(`node-${nodes + 1}`, step.node.type, step.node.title);
      return [nodeStarted(run, current, clock.now())];
    }
    if ('event' in step)
      return [
        isWorkflowBased(run) ? workflowEvent(run, step.event, step.data) : messageEvent(run, step.event, step.data),
      ];
    return [];
  };

  const finalOutputs = (outputs: Json | undefined): Json => {
    const made = Object.fromEntries(outputFiles);
    if (outputs) return { ...(withFileObjects(outputs, make) as Json), ...made };
    if (run.mode !== 'workflow') return { answer: run.answer, files: endFiles.map(fileObject) };
    return run.answer === '' && outputFiles.size > 0 ? made : { result: run.answer, ...made };
  };

  const goodEnd = (outputs: Json | undefined): Json[] => {
    const now = clock.now();
    const closing = steps.close();
    if (!isWorkflowBased(run)) return [...closing, messageEnd(run, endFiles.map(easyFileObject))];
    run.outputs = finalOutputs(outputs);
    const last = run.mode === 'workflow' ? nextNode('end', 'end', 'Output') : nextNode('answer', 'answer', 'Answer');
    const closed = [modelDone(now), nodeStarted(run, last, now), nodeFinished(run, last, now, run.outputs, null)];
    const finished = workflowFinished(run, now, 'succeeded');
    if (run.mode === 'workflow' || behaviour.chatflowEnd === 'finished-only') return [...closed, finished];
    const ends = [messageEnd(run, endFiles.map(fileObject)), finished];
    return [...closed, ...(behaviour.chatflowEnd === 'finished-then-message-end' ? ends.toReversed() : ends)];
  };

  const failure = (message: string): Json[] => {
    run.error = message;
    if (!isWorkflowBased(run)) return [errorEvent(run, 'completion_request_error', 400, message)];
    const now = clock.now();
    const events = [nodeFinished(run, model, now, {}, message), workflowFinished(run, now, 'failed')];
    // protocol 2.6 item 6: only up to 1.12 does an `error` follow, and reach the client.
    if (behaviour.chatflowEnd === 'finished-then-message-end' && run.mode === 'advanced-chat')
      events.push(errorEvent(run, 'invalid_param', 400, `Run failed: ${message}`));
    return events;
  };

  const stopped = (): Json[] => {
    // protocol 2.6 item 7: in an easy app nothing says that it was stopped.
    if (!isWorkflowBased(run)) return [...steps.close(), messageEnd(run, endFiles.map(easyFileObject))];
    run.error = 'Stopped by user.';
    run.outputs = run.mode === 'workflow' ? {} : { answer: run.answer };
    return [workflowFinished(run, clock.now(), 'stopped')];
  };

  const pause: Narrator['pause'] = (wanted) => {
    const now = clock.now();
    pauses += 1;
    const id = pauses === 1 ? 'approval' : `approval${pauses}`;
    current = nextNode(id, 'human-input', wanted.title ?? 'Approval');
    const facts = formFactsOf(wanted, id, now, createId);
    const form = requiredData(facts);
    const data = {
      workflow_run_id: run.workflowRunId,
      paused_nodes: [id],
      outputs: {},
      reasons: [{ ...form, TYPE: 'human_input_required' }],
      status: 'paused',
      created_at: Math.floor(run.startedAt / 1000),
      elapsed_time: (now - run.startedAt) / 1000,
      total_tokens: 59,
      total_steps: nodes,
    };
    return {
      before: [modelDone(now), nodeStarted(run, current, now)],
      events: [workflowEvent(run, 'human_input_required', form), workflowEvent(run, 'workflow_paused', data)],
      facts,
    };
  };

  const endNode = (): Json[] => {
    const done = current;
    current = null;
    return done ? [nodeFinished(run, done, clock.now(), {}, null)] : [];
  };

  return {
    chunk,
    pause,
    endNode,
    resume({ facts, submission }) {
      const outcome = submission
        ? workflowEvent(run, 'human_input_form_filled', filledData(facts, submission))
        : workflowEvent(run, 'human_input_form_timeout', timeoutData(facts));
      const done = endNode();
      before = run.answer;
      model = nextNode(`llm${pauses + 1}`, 'llm', `LLM ${pauses + 1}`);
      return [workflowStarted(run, 'resumption'), outcome, ...done, nodeStarted(run, model, clock.now())];
    },
    begin() {
      if (isAgent) return steps.open();
      if (!isWorkflowBased(run)) return [];
      const now = clock.now();
      return [
        workflowStarted(run, 'initial'),
        nodeStarted(run, startNode, now),
        nodeFinished(run, startNode, now, run.inputs, null),
        nodeStarted(run, model, now),
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
