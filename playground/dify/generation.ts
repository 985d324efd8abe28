import type { Admitted, GenerationApi } from './admission.ts';
import type { Conversation, Memory } from './memory.ts';
import { isWorkflowBased } from './envelope.ts';
import type { Forms } from './forms.ts';
import { questionOf } from './opinions.ts';
import { createPlayer, type Player } from './player.ts';
import { sampleScript } from './samples.ts';
import type { DifyRun, Question, SampleApp, Script } from './types.ts';

const chooseScript = (app: SampleApp, question: Question): Script => {
  const script = app.script ?? sampleScript;
  return typeof script === 'function' ? script(question) : script;
};

/** Starts runs: ids, conversation, script. */
export function createGeneration(memory: Memory, forms: Forms) {
  const { behaviour, clock, createId } = memory;

  const openConversation = (key: string, user: string): Conversation => {
    const conversation = { id: createId(), key, user, turns: 0 };
    memory.conversations.set(conversation.id, conversation);
    return conversation;
  };

  /** protocol 3.4: nothing on the server keeps two runs of one conversation apart; the client has to. */
  const noteConcurrency = (conversation: Conversation, hasClient: boolean) => {
    const running = memory.runs.find((run) => run.conversationId === conversation.id && run.status === 'running');
    if (!running) return;
    // Told apart, because a client that lost its connection cannot know that the run goes on, or begins.
    const isBlamed = hasClient && running.disconnectedAt === null;
    const code = isBlamed ? 'concurrent-run' : 'concurrent-with-orphan';
    memory.blame(code, `conversation ${conversation.id} already has run ${running.id}`);
  };

  /** A recorded stream speaks of its own conversation; from now on that one exists. */
  const adoptConversation = (run: DifyRun) => {
    const id = run.conversationId;
    if (id === null || memory.conversations.has(id)) return;
    memory.conversations.set(id, { id, key: run.key, user: run.user, turns: run.turn });
  };

  return (
    api: GenerationApi,
    app: SampleApp,
    key: string,
    admitted: Admitted,
    body: Record<string, unknown>,
    hasClient: boolean,
  ): Player => {
    const conversation = api === 'chat' ? (admitted.conversation ?? openConversation(key, admitted.user)) : null;
    if (conversation) {
      noteConcurrency(conversation, hasClient);
      conversation.turns += 1;
    }
    const isWorkflowRun = isWorkflowBased(app);
    const messageId = app.mode === 'workflow' ? null : createId();
    const workflowRunId = isWorkflowRun ? createId() : null;
    const run: DifyRun = {
      id: workflowRunId ?? messageId ?? createId(),
      taskId: createId(),
      messageId,
      workflowRunId,
      conversationId: conversation?.id ?? null,
      key,
      mode: app.mode,
      user: admitted.user,
      query: admitted.query,
      inputs: admitted.inputs,
      turn: conversation?.turns ?? 1,
      status: 'running',
      record: 'running',
      thoughts: [],
      answer: '',
      outputs: {},
      error: null,
      startedAt: clock.now(),
      finishedAt: null,
      disconnectedAt: null,
      saved: false,
      files: admitted.files,
      made: [],
      rating: null,
      ratingContent: null,
      forms: [],
    };
    const script = chooseScript(app, questionOf(run, body));
    const onChange = () => {
      // protocol 3.8: who keeps the answer of a client that went away.
      const isKept = isWorkflowRun ? behaviour.lostRuns === 'saved' : behaviour.easyAnswers === 'saved';
      run.saved = run.disconnectedAt === null || isKept;
      memory.emit({ type: 'run', run });
    };
    const player: Player = createPlayer({
      run,
      script,
      behaviour,
      clock,
      createId,
      files: memory.files,
      // Blocking runs and easy apps stay in the process that answers.
      workers: isWorkflowRun && !admitted.isBlocking ? memory.workers : null,
      onChange,
      onPause: (pause, facts) => forms.open(player, pause, facts),
    });
    adoptConversation(run);
    memory.runs.push(run);
    memory.players.set(run.id, player);
    memory.emit({ type: 'run', run });
    return player;
  };
}

/** The client has gone. Runs in a worker do not notice; the others depend on the version. */
export function disconnect(memory: Memory, player: Player): void {
  const { run } = player;
  if (run.status !== 'running') return;
  run.disconnectedAt = memory.clock.now();
  const { lostRuns, easyAnswers } = memory.behaviour;
  if (isWorkflowBased(run) && lostRuns === 'die') player.abort('running');
  if (!isWorkflowBased(run) && easyAnswers === 'aborted') player.abort();
}
