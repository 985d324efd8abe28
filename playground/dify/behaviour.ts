/**
 * `0.15`, `1.12` (1.9.2 to 1.12), `1.13.0`, `1.14` (1.14.2), `main` (after 1.14.2, as of June 2026) · `legacy` is
 * another name of `1.12`, `modern` is 1.16 with the departures that are named below.
 */
export type DifyVersion = '0.15' | '1.12' | '1.13.0' | '1.14' | 'main' | 'legacy' | 'modern';

/** What differs between versions. */
export interface Behaviour {
  /** On every answer, as `X-Version`; null: a proxy took the header away. */
  xVersion: string | null;
  /** `GET /info` names the mode of the app. */
  infoHasMode: boolean;
  /** `json.dumps` with spaces and \uXXXX, or compact UTF-8. */
  style: 'spaced' | 'compact';
  /** Fields of the events of nodes and of `message_end`. */
  shape: '0.15' | '1.14' | '1.16';
  chatflowEnd: 'finished-then-message-end' | 'finished-only' | 'message-end-then-finished';
  /** An unknown or foreign conversation_id in a streaming chatflow; other chat apps always answer 404. */
  staleConversation: 'not-found' | 'silence' | 'nameless-error' | 'new-conversation';
  /** What a streaming chatflow or workflow does with inputs and files that it cannot take. */
  wrongInputs: 'refused' | 'silence' | 'nameless-error';
  /** A nameless error says why; otherwise its message is empty. */
  namelessReason: boolean;
  /** A workflow-based run whose client goes away: dead with its record `running`, kept without its message, saved. */
  lostRuns: 'die' | 'kept' | 'saved';
  /** A New Agent says its whole answer in one `message`, or streams its steps and repeats them in it. */
  newAgent: 'one-message' | 'steps';
  /** What becomes of an easy app's answer when its client goes away. An agent's thoughts are kept where the run goes on. */
  easyAnswers: 'lost' | 'aborted' | 'saved';
  /** Streaming workflow-based runs at the same time; the others wait without a byte. */
  workers: number;
  /** `GET /workflow/:id/events` and the forms exist. */
  runEvents: boolean;
  /** `GET /workflows/run/:id` also tells of chatflows. */
  chatflowDetail: boolean;
  /** How it tells of a run that it does not know. */
  unknownRun: 'not-found' | 'nulls';
  /** Workflow-based streams begin with a ping. */
  firstPing: boolean;
  /** The headers of an easy app's stream come with its first event. */
  lateHeaders: boolean;
  /** The relay closes a workflow-based stream that says nothing for so long. 0: what failed closes at once. */
  silenceAfterErrorMs: number;
  /** A workflow-based stream is closed so long after its `workflow_finished`. */
  closeMs: number;
  pingMs: number;
  stopNoticeMs: number;
  /** What the record of a workflow-based run says after a stop. */
  stopRecord: 'running' | 'stopped';
  /** Which of the two mechanisms ends a workflow-based run that is stopped. */
  stopEnding: 'stopped' | 'aborted';
  /** A stop by another user aborts a chatflow. */
  foreignStop: boolean;
  /** A model call that fails: with the code of the call, or as `invalid_param` with JSON in its message. */
  modelErrors: 'completion_request_error' | 'invalid_param';
  /** `message_end.files` of easy apps lists the files of the question. */
  ownFiles: boolean;
  /** After moderation, `outputs.answer` holds what the model said, or what replaced it. */
  moderatedOutputs: 'raw' | 'replaced';
  /** Every end variable of a workflow comes as `text_chunk`, too. */
  streamedOutputs: boolean;
  /** A form's values are checked against its fields, not only their names. */
  formValues: boolean;
  tooManyRequests: 429 | 400;
  /** A streaming workflow-based run gives its slot back before it begins, but counts twice until then. */
  slotsFreedEarly: boolean;
}

/** Seen on 1.14.2, in the recordings of test/fixtures/dify-real; so is everything that the next tables do not change. */
const recorded: Behaviour = {
  xVersion: '1.14.2',
  infoHasMode: true,
  style: 'compact',
  shape: '1.14',
  chatflowEnd: 'message-end-then-finished',
  staleConversation: 'silence',
  wrongInputs: 'silence',
  namelessReason: false,
  lostRuns: 'saved',
  // Seen on main; 1.14.2 has no such apps.
  newAgent: 'one-message',
  easyAnswers: 'lost',
  workers: 4,
  runEvents: true,
  chatflowDetail: true,
  unknownRun: 'not-found',
  firstPing: true,
  lateHeaders: true,
  silenceAfterErrorMs: 300_000,
  closeMs: 1_000,
  pingMs: 10_000,
  stopNoticeMs: 1_000,
  stopRecord: 'running',
  stopEnding: 'stopped',
  foreignStop: true,
  modelErrors: 'invalid_param',
  ownFiles: true,
  moderatedOutputs: 'raw',
  streamedOutputs: true,
  formValues: false,
  tooManyRequests: 400,
  slotsFreedEarly: true,
};

/** Up to 1.12 every run lives in the web worker that holds its stream (source). */
const inProcess = {
  style: 'spaced',
  shape: '1.14',
  chatflowEnd: 'finished-then-message-end',
  staleConversation: 'not-found',
  wrongInputs: 'refused',
  lostRuns: 'kept',
  workers: Infinity,
  runEvents: false,
  firstPing: false,
  silenceAfterErrorMs: 0,
  closeMs: 0,
  stopRecord: 'stopped',
  moderatedOutputs: 'replaced',
  streamedOutputs: false,
  slotsFreedEarly: false,
} as const satisfies Partial<Behaviour>;

/** From 1.9.2 on a run outlives its client; of the chatflow's message only the row stays (source). */
const old: Behaviour = { ...recorded, ...inProcess, xVersion: '1.12.1', ownFiles: false };

const versions: Record<DifyVersion, Behaviour> = {
  // Seen on 0.15.3, in test/fixtures/dify-real/0.15.3: 13 runs of 13 died with their client; a stop took 60 to 120 ms.
  '0.15': {
    ...recorded,
    ...inProcess,
    xVersion: '0.15.3',
    infoHasMode: false,
    shape: '0.15',
    lostRuns: 'die',
    chatflowDetail: false,
    unknownRun: 'nulls',
    stopNoticeMs: 100,
    foreignStop: false,
    modelErrors: 'completion_request_error',
    ownFiles: false,
  },
  '1.12': old,
  legacy: old,
  // Source only: no `message_end` in chatflows, no events of a run, an error frame without reason.
  '1.13.0': {
    ...recorded,
    xVersion: '1.13.0',
    chatflowEnd: 'finished-only',
    staleConversation: 'nameless-error',
    wrongInputs: 'nameless-error',
    runEvents: false,
    closeMs: 0,
    stopRecord: 'stopped',
    ownFiles: false,
    moderatedOutputs: 'replaced',
    streamedOutputs: false,
    slotsFreedEarly: false,
  },
  '1.14': recorded,
  // Seen on upstream's main of 2026-06-12, which calls itself 1.14.2.
  main: {
    ...recorded,
    staleConversation: 'new-conversation',
    wrongInputs: 'nameless-error',
    namelessReason: true,
    formValues: true,
  },
  // Source, 1.16: a dead conversation is 404 at once, a New Agent streams its steps, an in-process run is aborted when its
  // client goes away, and a form's values are checked. The rest is as it was seen on 1.14.2.
  modern: {
    ...recorded,
    xVersion: '1.16.0',
    shape: '1.16',
    staleConversation: 'not-found',
    wrongInputs: 'refused',
    newAgent: 'steps',
    easyAnswers: 'aborted',
    formValues: true,
  },
};

export function behaviourOf(version: DifyVersion = 'modern', changes: Partial<Behaviour> = {}): Behaviour {
  return { ...versions[version], ...changes };
}
