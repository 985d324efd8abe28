import type { ServerResponse } from 'node:http';
import { dumps, encodeEvent, ping } from './encode.ts';
import { isText } from '../http/shape.ts';
import {
  isWorkflowBased,
  messageEvent,
  nodeFinished,
  nodeStarted,
  workflowFinished,
  workflowStarted,
} from './envelope.ts';
import type { Memory } from './memory.ts';
import type { Player, RunListener } from './player.ts';
import { isUuid, recorded, unknownError, unknownPath, type Refusal } from './refusal.ts';
import type { SampleApp } from './types.ts';

export interface RunEventsRequest {
  app: SampleApp;
  key: string;
  runId: string;
  query: URLSearchParams;
  response: ServerResponse;
  /** Opens the event stream on the response. */
  open(): RunListener;
}

/** GET /workflow/:id/events: reconnecting to a run (protocol 1.2). */
export function createRunEvents(memory: Memory) {
  const { behaviour, clock } = memory;

  const find = ({ key, runId, query }: RunEventsRequest): Player | undefined =>
    [...memory.players.values()].find(
      ({ run }) => run.key === key && run.workflowRunId === runId && run.user === query.get('user'),
    );

  /** One frame, written with spaced json.dumps; the task id is the run id and there are no chat ids. */
  const showFinished = ({ run }: Player, listener: RunListener) => {
    const finished = workflowFinished({ ...run, mode: 'workflow' }, run.finishedAt ?? clock.now(), run.record);
    const { event, workflow_run_id: id, data } = finished;
    listener.write(Buffer.from(`data: ${dumps({ event, task_id: id, workflow_run_id: id, data })}\n\n`, 'utf8'));
    listener.close('eof');
  };

  const showSnapshot = ({ run, pauseEvents }: Player, listener: RunListener) => {
    const node = { id: 'start', type: 'start', title: 'Start', index: 1 };
    const events = [
      workflowStarted(run, 'initial'),
      // Empty until the answer was saved, that is until a pause or the end.
      ...(run.mode === 'advanced-chat'
        ? [messageEvent(run, 'message_replace', { answer: run.status === 'paused' ? run.answer : '', reason: '' })]
        : []),
      nodeStarted(run, node, run.startedAt),
      nodeFinished(run, node, run.startedAt, { inputs: run.inputs, outputs: run.inputs }),
    ];
    for (const event of [...events, ...(run.status === 'paused' ? pauseEvents : [])])
      listener.write(encodeEvent(event, behaviour.style));
  };

  return (request: RunEventsRequest): Refusal | undefined => {
    if (!behaviour.runEvents) return unknownPath;
    if (!isWorkflowBased(request.app)) return recorded('not-workflow-app');
    if (!isText(request.query.get('user'))) return recorded('missing-user');
    const player = find(request);
    if (!player) return isUuid(request.runId) ? recorded('run-not-found') : unknownError;
    const wantsSnapshot = request.query.get('include_state_snapshot') === 'true';
    const isOver = player.run.record !== 'running' && player.run.record !== 'paused';
    const listener = request.open();
    if (isOver) {
      showFinished(player, listener);
      return undefined;
    }
    listener.write(ping);
    if (wantsSnapshot) showSnapshot(player, listener);
    const outlivesPause = request.query.get('continue_on_pause') === 'true';
    // The pause of a snapshot ends the stream like any other.
    if (wantsSnapshot && player.run.status === 'paused' && !outlivesPause) {
      listener.close('eof');
      return undefined;
    }
    // An empty terminal set: the server then closes only after 300 s of silence.
    const staysOpen = outlivesPause && !wantsSnapshot;
    const stopListening = player.listen({
      outlivesPause,
      isSubscriber: true,
      write: (bytes) => listener.write(bytes),
      close: (how) => listener.close(staysOpen && (how === 'eof' || how === 'slow-eof') ? 'silence-then-eof' : how),
    });
    request.response.once('close', stopListening);
    return undefined;
  };
}
