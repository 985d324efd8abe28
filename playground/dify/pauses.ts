import type { Json } from '../http/shape.ts';
import { nodeFinished, nodeStarted, workflowEvent, type NodeFacts } from './envelope.ts';
import { filledData, formFactsOf, requiredData, timeoutData, type FormFacts } from './form-facts.ts';
import type { Behaviour, DifyRun, FormSubmission, Pause } from './types.ts';

/** What became of a form; no submission: its time was up. */
export interface FormOutcome {
  facts: FormFacts;
  submission: FormSubmission | null;
}

/** `events` report the pause itself; `snapshot` tells of it to clients that join later. */
export interface PauseEvents {
  before: Json[];
  events: Json[];
  snapshot: Json[];
}

/** A form that waits, and its node. */
interface Asked {
  facts: FormFacts;
  node: NodeFacts;
  /** Before its variables were put in. */
  template: string;
}

export interface PausesOptions {
  run: DifyRun;
  behaviour: Behaviour;
  createId: () => string;
  nextNode: (id: string, type: string, title: string) => NodeFacts;
  /** How many nodes have begun so far. */
  stepCount: () => number;
}

/** The forms that a run waits for, and the events that tell of them (protocol 1.4, 2.4). */
export function createPauses({ run, behaviour, createId, nextNode, stepCount }: PausesOptions) {
  let count = 0;
  let asked: readonly Asked[] = [];

  const ask = (wanted: Pause, now: number): Asked => {
    count += 1;
    const id = count === 1 ? 'approval' : `approval${count}`;
    const node = nextNode(id, 'human-input', wanted.title ?? 'Approval');
    const facts = formFactsOf(wanted, id, now, createId);
    return { facts, node, template: wanted.formTemplate ?? facts.content };
  };

  const starts = (now: number): Json[] => asked.map(({ node }) => nodeStarted(run, node, now));

  /** The run waits for what is asked; `before` comes first. */
  const tell = (now: number, before: Json[]): PauseEvents => {
    const required = asked.map(({ facts }) => requiredData(facts, behaviour));
    const reasons = required.map((form) => {
      const { display_in_ui: _shown, ...reason } = form;
      return { TYPE: 'human_input_required', ...(behaviour.shape === '1.16' ? form : reason) };
    });
    const data = {
      workflow_run_id: run.workflowRunId,
      paused_nodes: asked.map(({ node }) => node.id).toReversed(),
      outputs: {},
      reasons,
      status: 'paused',
      created_at: Math.floor(run.startedAt / 1000),
      elapsed_time: (now - run.startedAt) / 1000,
      total_tokens: 59,
      total_steps: stepCount(),
    };
    // Recorded: a client that joins later sees the form before its variables were put in.
    const templates = asked.map(({ template }) => ({ form_content: template }));
    return {
      before,
      events: [
        ...required.map((form) => workflowEvent(run, 'human_input_required', form)),
        workflowEvent(run, 'workflow_paused', data),
      ],
      snapshot: [
        ...asked.flatMap(({ node }) => [
          nodeStarted(run, node, now),
          nodeFinished(run, node, now, { status: 'paused' }),
        ]),
        ...required.map((form, index) => workflowEvent(run, 'human_input_required', { ...form, ...templates[index] })),
        workflowEvent(run, 'workflow_paused', {
          ...data,
          reasons: reasons.map((reason, index) => ({ ...reason, ...templates[index] })),
        }),
      ],
    };
  };

  return {
    /** Some of the forms are not answered yet. */
    get isAsking() {
      return asked.length > 0;
    },
    /** How many forms there were so far. */
    get count() {
      return count;
    },
    tell,
    /** The run waits for these forms from now on. */
    open(wanted: readonly Pause[], now: number, before: Json[]): PauseEvents & { forms: readonly FormFacts[] } {
      asked = wanted.map((one) => ask(one, now));
      return { ...tell(now, [...before, ...starts(now)]), forms: asked.map(({ facts }) => facts) };
    },
    /** One of them is answered, or its time was up. */
    close({ facts, submission }: FormOutcome, now: number): Json[] {
      const outcome = submission
        ? workflowEvent(run, 'human_input_form_filled', filledData(facts, submission, behaviour))
        : workflowEvent(run, 'human_input_form_timeout', timeoutData(facts));
      const again = starts(now);
      const done = asked.filter((one) => one.facts === facts).map(({ node }) => nodeFinished(run, node, now));
      asked = asked.filter((one) => one.facts !== facts);
      return [...again, outcome, ...done];
    },
  };
}
