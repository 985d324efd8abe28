import type { Clock } from '../../lib/runtime/clock.ts';
import type { Json } from '../http/shape.ts';
import {
  errorEvent,
  isWorkflowBased,
  messageEnd,
  messageEvent,
  nodeFinished,
  nodeRetry,
  nodeStarted,
  usageOf,
  workflowEvent,
  workflowFinished,
  workflowStarted,
  type NodeFacts,
} from './envelope.ts';
import { createAgentSteps } from './agent-steps.ts';
import { createAnswerFiles } from './answer-files.ts';
import type { FormFacts } from './form-facts.ts';
import { plainFailure, pluginFailure, type ModelFailure } from './model-failures.ts';
import { createPauses, type FormOutcome, type PauseEvents } from './pauses.ts';
import type { ResultFiles } from './result-files.ts';
import { streamedText } from './streamed-outputs.ts';
import type { Behaviour, Chunk, ChunkScript, DifyRun, Ending, Pause } from './types.ts';

/** The node that ends a flow, what is said while it runs, and what moderation then makes of the answer. */
interface LastNode {
  last: NodeFacts;
  inside?: readonly Json[];
  replaced?: string | undefined;
}

/** Turns the steps of a script into the events that the app's mode and version would send (protocol 2.5). */
export interface Narrator {
  begin(template?: ChunkScript['template']): Json[];
  /** Also keeps `run.answer`. */
  chunk(chunk: Chunk): Json[];
  /** A good end, a stop, or a failure. Also sets the run's outputs and error. */
  end(ending: Exclude<Ending, Pause> | { kind: 'stopped' | 'aborted' }, script: ChunkScript): Json[];
  /** Input moderation: the preset text, and nothing is run. */
  blockInput(text: string): Json[];
  /** The node that a chunk began is done. */
  endNode(): Json[];
  /** The run waits for these forms. */
  pause(wanted: readonly Pause[]): PauseEvents & { forms: readonly FormFacts[] };
  /** It waits for those that are left. */
  pauseAgain(): PauseEvents;
  resume(outcome: FormOutcome): Json[];
  /** Some of the forms of the pause are not answered yet. */
  readonly isAsking: boolean;
}

export interface NarratorOptions {
  run: DifyRun;
  behaviour: Behaviour;
  clock: Clock;
  createId: () => string;
  files: Pick<ResultFiles, 'make' | 'previewUrl'>;
}

const startNode: NodeFacts = { id: 'start', type: 'start', title: 'Start', index: 1 };

export function createNarrator({ run, behaviour, clock, createId, files }: NarratorOptions): Narrator {
  const isOld = behaviour.shape === '0.15';
  const isSilentAgent = run.mode === 'agent' && behaviour.newAgent === 'one-message';
  const isAgent = (run.mode === 'agent-chat' || run.mode === 'agent') && !isSilentAgent;
  const steps = createAgentSteps(run, createId);
  let nodes = 1;
  let lastNode = startNode.id;
  let current: NodeFacts | null = null;

  const nextNode = (id: string, type: string, title: string): NodeFacts => {
    nodes += 1;
    // Since 1.13 at the latest every index is 1 and no node names the one before it.
    const node = isOld ? { id, type, title, index: nodes, after: lastNode } : { id, type, title, index: 1 };
    lastNode = id;
    return node;
  };
  const pauses = createPauses({ run, behaviour, createId, nextNode, stepCount: () => nodes });

  let model = nextNode('llm', 'llm', 'LLM');
  /** What the model has said since it was asked last; after a pause there is a second model. */
  let said = '';
  /** The answer without failed tries and before moderation: what `outputs.answer` becomes. */
  let clean = '';
  let failures = 0;

  const modelDone = (now: number): Json => {
    const usage = usageOf({ ...run, answer: said });
    return nodeFinished(run, model, now, {
      inputs: { model_provider: 'langgenius/openai_api_compatible/openai_api_compatible', model_name: 'stub' },
      outputs: { text: said, reasoning_content: '', usage, finish_reason: 'stop' },
      metadata: { total_tokens: usage['total_tokens'], total_price: usage['total_price'], currency: 'USD' },
    });
  };

  const text = (delta: string, from?: readonly string[]): Json[] => {
    if (isAgent) return steps.text(delta);
    run.answer += delta;
    if (from === undefined) said += delta;
    clean += delta;
    if (isSilentAgent) return [];
    const selector = isWorkflowBased(run) ? (from ?? [model.id, 'text']) : null;
    if (run.mode === 'workflow')
      return [messageEvent(run, 'text_chunk', { data: { text: delta, from_variable_selector: selector } })];
    return [messageEvent(run, 'message', { id: run.messageId, answer: delta, from_variable_selector: selector })];
  };

  /** Text of the answer node itself. */
  const ownText = (words = ''): Json[] =>
    run.mode === 'advanced-chat' && words !== '' ? text(words, ['answer', 'answer']) : [];

  const replace = (answer: string, given?: string): Json[] => {
    run.answer = answer;
    if (behaviour.moderatedOutputs === 'replaced') clean = answer;
    const reason = given ?? (isWorkflowBased(run) ? 'output_moderation' : '');
    if (run.mode === 'workflow') return [messageEvent(run, 'text_replace', { data: { text: answer } })];
    return [messageEvent(run, 'message_replace', { answer, reason })];
  };

  const answerFiles = createAnswerFiles({
    run,
    behaviour,
    createId,
    files,
    say: text,
    onMessageFile(id) {
      if (isAgent) steps.file(id);
    },
  });

  /** What the failed try has said is forgotten, though not by those who have read it. */
  const takeBack = () => {
    clean = clean.slice(0, clean.length - said.length);
    said = '';
    failures += 1;
  };

  const modelError = (cause: ModelFailure) => {
    if (behaviour.modelErrors === 'completion_request_error') return `[models] Error: ${plainFailure(cause)}`;
    return `req_id: ${run.id.slice(0, 10)} PluginInvokeError: ${pluginFailure(cause)}`;
  };

  const retry = (cause: ModelFailure): Json[] => {
    if (!isWorkflowBased(run)) return [];
    takeBack();
    return [nodeRetry(run, model, clock.now(), modelError(cause), failures)];
  };

  const chunk = (step: Chunk): Json[] => {
    if ('text' in step) return text(step.text, step.from);
    if ('replace' in step) return replace(step.replace, step.reason);
    if ('retry' in step) return retry(step.retry);
    if ('tool' in step) return isAgent ? steps.tool(step) : isWorkflowBased(run) ? steps.log(step) : [];
    if ('reasoning' in step) {
      if (!isWorkflowBased(run)) return [];
      const data = { reasoning: step.reasoning, node_id: model.id, is_final: step.final ?? false };
      return [messageEvent(run, 'reasoning_chunk', { data })];
    }
    if ('file' in step) return answerFiles.make(step.file);
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

  const finalOutputs = (outputs: Json | undefined): Json => answerFiles.outputsOf(outputs, clean);

  const easyEnd = (isStopped: boolean): Json[] => {
    const end = messageEnd(run, answerFiles.easyListed(), { shape: behaviour.shape, isStopped });
    if (run.mode !== 'agent') return [...steps.close(), end];
    // protocol 2.6 item 2: a New Agent says, or repeats, the complete answer in one closing `message`.
    const closing = { id: run.messageId, answer: run.answer, from_variable_selector: null };
    return [...steps.close(), messageEvent(run, 'message', closing), end];
  };

  /** Every end variable comes as text, too; what the model has said is there already. */
  const outputTexts = (outputs: Json): Json[] => {
    if (run.mode !== 'workflow' || !behaviour.streamedOutputs) return [];
    const spoken = said;
    const rest = Object.entries(outputs).filter(([, value]) => spoken === '' || value !== spoken);
    const hasSpoken = rest.length < Object.keys(outputs).length;
    return rest.flatMap(([name, value], index) => [
      ...(index > 0 || hasSpoken ? text('\n', ['end', 'answer']) : []),
      ...text(streamedText(value), ['end', name]),
    ]);
  };

  const chatflowEnds = (finished: Json): Json[] => {
    if (behaviour.chatflowEnd === 'finished-only') return [finished];
    const ends = [messageEnd(run, answerFiles.listed(), behaviour), finished];
    return behaviour.chatflowEnd === 'finished-then-message-end' ? ends.toReversed() : ends;
  };

  /** The last node, and the end of a run that went well. */
  const close = ({ last, inside = [], replaced }: LastNode): Json[] => {
    const now = clock.now();
    const replacement = replaced === undefined ? [] : replace(replaced);
    if (replaced !== undefined && behaviour.moderatedOutputs === 'replaced') run.outputs = finalOutputs(undefined);
    const finished = workflowFinished(run, now, failures > 0 ? 'partial-succeeded' : 'succeeded', failures);
    return [
      nodeStarted(run, last, now),
      ...inside,
      nodeFinished(run, last, now, { outputs: run.outputs }),
      ...replacement,
      ...(run.mode === 'workflow' ? [finished] : chatflowEnds(finished)),
    ];
  };

  const lastNodeOf = () =>
    run.mode === 'workflow' ? nextNode('end', 'end', 'Output') : nextNode('answer', 'answer', 'Answer');

  /** `moderated`: what replaces the answer when all of it has been said. */
  const goodEnd = ({ outputs, template }: ChunkScript, moderated?: string): Json[] => {
    if (!isWorkflowBased(run)) return [...(moderated === undefined ? [] : replace(moderated)), ...easyEnd(false)];
    // 0.15 finishes the model before the answer node says its own words.
    const done = isOld ? [modelDone(clock.now())] : [];
    const after = ownText(template?.after);
    const values = finalOutputs(outputs);
    // What a script says without outputs of its own is its one output, and was streamed.
    const texts = outputs ? outputTexts(values) : [];
    run.outputs = values;
    const doneNow = isOld ? [] : [modelDone(clock.now())];
    const last = lastNodeOf();
    return [...done, ...after, ...texts, ...doneNow, ...close({ last, replaced: moderated })];
  };

  /** The node of the model fails for the last time and puts out a text of the app's author. */
  const defaultValue = (words: string, cause: ModelFailure, { template, outputs }: ChunkScript): Json[] => {
    if (!isWorkflowBased(run)) return modelFailure(cause);
    takeBack();
    const message = modelError(cause);
    const failed = nodeFinished(run, model, clock.now(), {
      outputs: { text: words, error_message: message, error_type: 'PluginInvokeError' },
      status: 'exception',
      error: 'Unknown error',
      metadata: { error_strategy: 'default-value' },
    });
    const last = lastNodeOf();
    const spoken = [...text(words), ...ownText(template?.after)];
    run.outputs = finalOutputs(outputs);
    return [failed, ...close({ last, inside: spoken })];
  };

  const failure = (message: string, code = 'completion_request_error'): Json[] => {
    run.error = message;
    if (!isWorkflowBased(run)) return [errorEvent(run, code, 400, message)];
    const now = clock.now();
    const events = [nodeFinished(run, model, now, { error: message }), workflowFinished(run, now, 'failed')];
    // protocol 2.6 item 6: only up to 1.12 does an `error` follow, and reach the client.
    if (behaviour.chatflowEnd === 'finished-then-message-end' && run.mode === 'advanced-chat')
      events.push(errorEvent(run, 'invalid_param', 400, `Run failed: ${message}`));
    return events;
  };

  const modelFailure = (cause: ModelFailure): Json[] => {
    if (isWorkflowBased(run)) return failure(modelError(cause));
    const isTyped = behaviour.modelErrors === 'completion_request_error';
    return failure(isTyped ? modelError(cause) : pluginFailure(cause), behaviour.modelErrors);
  };

  const stopped = (reason: string): Json[] => {
    // protocol 2.6 item 7: in an easy app nothing says that it was stopped.
    if (!isWorkflowBased(run)) return easyEnd(true);
    run.error = reason;
    run.outputs = {};
    return [workflowFinished(run, clock.now(), 'stopped')];
  };

  /** The engine ends a stopped run before the stop flag does. */
  const aborted = (): Json[] => {
    run.error = 'Aborted: User requested stop';
    run.outputs = {};
    return [workflowFinished(run, clock.now(), 'failed')];
  };

  /** A second model goes on. */
  const resume = (outcome: FormOutcome): Json[] => {
    const now = clock.now();
    const told = pauses.close(outcome, now);
    said = '';
    model = nextNode(`llm${pauses.count + 1}`, 'llm', `LLM ${pauses.count + 1}`);
    return [workflowStarted(run, 'resumption'), ...told, nodeStarted(run, model, now)];
  };

  const endNode = (): Json[] => {
    const done = current;
    current = null;
    return done ? [nodeFinished(run, done, clock.now())] : [];
  };

  return {
    chunk,
    endNode,
    pause: (wanted) => pauses.open(wanted, clock.now(), [modelDone(clock.now())]),
    pauseAgain: () => pauses.tell(clock.now(), [modelDone(clock.now())]),
    resume,
    get isAsking() {
      return pauses.isAsking;
    },
    begin(template) {
      if (!isWorkflowBased(run)) return [];
      const now = clock.now();
      const done = nodeFinished(run, startNode, now, { inputs: run.inputs, outputs: run.inputs });
      const before = ownText(template?.before);
      return [
        workflowStarted(run, 'initial'),
        nodeStarted(run, startNode, now),
        ...(isOld ? [done, ...before] : [...before, done]),
        nodeStarted(run, model, now),
      ];
    },
    blockInput(words) {
      if (isWorkflowBased(run)) {
        run.answer = words;
        const message = { id: run.messageId, answer: words, from_variable_selector: null };
        return [messageEvent(run, 'message', message), messageEnd({ ...run, answer: '' }, [], behaviour)];
      }
      return [...Array.from(words).flatMap((character) => text(character)), ...easyEnd(false)];
    },
    end(ending, script) {
      switch (ending.kind) {
        case 'end':
          return goodEnd(script);
        case 'failed':
          return failure(ending.message);
        case 'model-failed':
          return modelFailure(ending.cause);
        case 'default-value':
          return defaultValue(ending.text, ending.cause, script);
        case 'moderated':
          return goodEnd(script, ending.text);
        case 'blocked':
          return [...replace(ending.text), ...stopped('Stopped by output moderation.')];
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
          return stopped('Stopped by user.');
        case 'aborted':
          return aborted();
        case 'worker-lost':
          run.error = 'The worker has died.';
          return [];
        case 'eof':
        case 'cut':
        case 'silence':
          // The run itself ends well; only its client does not hear of it.
          goodEnd(script);
          return [];
        default:
          return ending satisfies never;
      }
    },
  };
}
