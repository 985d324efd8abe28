import { describe, expect, test } from 'vitest';
import { answerText, emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import { readVersion } from '../../lib/dify/version.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import { obtainAnswer } from '../../lib/turn/obtain-answer.ts';
import { openDeadline } from '../../lib/turn/deadline.ts';
import type { Obtained } from '../../lib/turn/judge.ts';
import { openLease } from '../../lib/turn/lease.ts';
import { createProgress } from '../../lib/turn/progress.ts';
import { noProgress } from '../../lib/turn/record.ts';
import { createStops } from '../../lib/turn/stop.ts';
import { openTurnForms } from '../../lib/turn/turn-forms.ts';
import type { Turn, TurnProgress } from '../../lib/turn/turn.ts';
import { createWatch } from '../../lib/turn/watch.ts';
import { createFakeOpenCard } from '../support/fake-chat.ts';
import { ended, IDS, RUN_IDS, words, type Step } from '../support/fake-dify.ts';
import { createWorld, texts, turnOf, type World, HELD } from '../support/turn.ts';

const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');
const whole = (text: string): Answer => ({
  ...emptyAnswer,
  ids: RUN_IDS,
  texts: { ...emptyAnswer.texts, message: text },
  ending: { kind: 'complete' },
});

/** Obtains the answer of a turn; `during` happens meanwhile. */
async function obtain(
  changes: Partial<Turn>,
  {
    world = createWorld(),
    leftMs = null,
    during,
    onRecord,
    opened,
    replies = {},
  }: {
    world?: World;
    leftMs?: number | null;
    /** What is put on record, one after another. */
    onRecord?: unknown[];
    /** When the card is there. */
    opened?: Promise<boolean>;
    /** What differs in the replies to renewals. */
    replies?: object;
    during?: (parts: { world: World; stop: () => Promise<void>; lose: () => void }) => void;
  } = {},
) {
  const { clock, dify, state, options, shutdown } = world;
  const turn = turnOf(clock, changes);
  let owned = true;
  const lease = openLease({
    state: {
      ...state,
      isDurable: true,
      async renew({ progress }) {
        onRecord?.push(JSON.parse(progress));
        return owned ? { ...HELD, ...replies } : { kind: 'lost' };
      },
    },
    clock,
    log: options.log,
    timing: options.leaseTiming,
    turn,
    conversationTtlMs: null,
    deadlineMs: null,
    onRunning: () => undefined,
    onOverdue: () => undefined,
    watch: createWatch(clock),
    shutdown: shutdown.signal,
  });
  const stops = createStops({ ...options, userOf: () => turn.user, endDropped: async () => undefined });
  const stop = stops.begin(turn, lease);
  const deadline = openDeadline(clock, leftMs === null ? null : clock.now() + leftMs, shutdown.signal);
  const { card, shown, hints } = createFakeOpenCard(opened);
  const view = { texts, showThinking: false, cardMaxChars: 3_000 };
  const waiting = { see: () => undefined, wait: () => undefined };
  const shownBy = { lease, card, waiting, attachments: null, view, clock, askedIn: null };
  const progress = createProgress({ ...shownBy, isLookedFor: turn.mayHaveBeenAsked, hasWaited: turn.hasWaited });
  const forms = openTurnForms(turn);
  const obtaining = obtainAnswer(turn, {
    ...options,
    robot: options.config,
    forms,
    formEnds: { show: () => undefined },
    quotedAnswers: { find: async () => null },
    sentFiles: { addressOf: async () => '', download: options.download, dify: dify.files },
    lease,
    stop,
    deadline,
    progress,
  });
  await clock.advance(100);
  during?.({
    world,
    stop: () => stop.ask(),
    lose: () => {
      owned = false;
      void lease.write();
    },
  });
  const obtained = await world.done(obtaining);
  lease.stop();
  return { ...world, obtained, forms, lease, shown, hints, summary: summary(obtained) };
}

function summary(obtained: Obtained): string {
  if (obtained.kind !== 'answer') return obtained.kind;
  const { answer, failure } = obtained;
  return [answerText(answer).text, answer.ending?.kind, failure?.code ?? 'no failure'].join(', ');
}

/** A world whose Dify is a chatflow that gives this answer. */
function chatflow(...steps: Step[]): World {
  const world = createWorld();
  world.dify.appFacts = { ...world.dify.appFacts, type: 'chatflow' };
  world.dify.answers.push(steps);
  return world;
}

describe('a question', () => {
  test('is asked as the asker, in the conversation on record, with the inputs that are configured', async () => {
    const world = createWorld({ env: { DIFY_INPUTS: '{"lang":"zh"}' } });
    const context = { generation: '', difyConversationId: 'dify-1', form: null };
    const {
      summary: outcome,
      dify,
      lease,
    } = await obtain({ record: { fence: 1, owner: 'o', hop: 0, context } }, { world });
    expect(outcome).toBe('yes, complete, no failure');
    expect(dify.calls['ask']).toMatchObject([
      { type: 'chat', query: 'question', user: 'staff-1', conversationId: 'dify-1', inputs: { lang: 'zh' } },
    ]);
    expect(lease.progress).toMatchObject({ appType: 'chat', ids: IDS, text: 'yes' });
  });

  test('begins a conversation while the store is down', async () => {
    const { dify } = await obtain({ record: { fence: 1, owner: 'o', hop: 0, context: null } });
    expect(dify.calls['ask']).toMatchObject([{ conversationId: null }]);
  });

  test('is asked again while Dify refuses the connection, its form first', async () => {
    const refused = () => new BridgeError('dify_unreachable', 'on purpose', { refused: true });
    const world = createWorld();
    const form = {
      token: 't',
      runId: 'r',
      shownChars: 0,
      appType: 'chatflow',
      user: 'u',
      asker: 'staff-1',
      actions: [],
    };
    const context = { generation: '', difyConversationId: null, form: JSON.stringify(form) };
    world.dify.failures['getForm'] = [refused(), error('form_closed')];
    world.dify.answers.push(refused(), refused());
    const record = { fence: 1, owner: 'o', hop: 0, context };
    const { summary: outcome, dify, hints } = await obtain({ record }, { world });
    expect(outcome).toBe('yes, complete, no failure');
    expect(dify.calls['getForm']).toHaveLength(2);
    expect(dify.calls['ask']).toHaveLength(3);
    expect(new Set(hints)).toEqual(new Set([texts.progress.queued]));
  });

  test('that has not begun when the time is up has not started; a process that ends leaves it on record', async () => {
    const silent = () => chatflow(60_000);
    expect((await obtain({}, { world: silent(), leftMs: 40_000 })).summary).toBe(', cut, dify_not_started');
    const during = ({ world }: { world: World }) => world.shutdown.abort();
    expect((await obtain({}, { world: silent(), during })).summary).toBe('unfinished');
  });

  test('that Dify refuses ends with its reason', async () => {
    const world = createWorld();
    world.dify.answers.push(error('dify_unauthorized'));
    expect((await obtain({}, { world })).summary).toBe(', cut, dify_unauthorized');
  });

  test('whose stream breaks keeps its text where the run dies with it, and the log says why', async () => {
    const world = chatflow(words('so far', RUN_IDS), error('dify_stalled'));
    world.dify.appFacts = { ...world.dify.appFacts, ...readVersion('1.9.1', undefined) };
    const { summary: outcome, lookedFor, lines } = await obtain({}, { world });
    expect(outcome).toBe('so far, cut, no failure');
    expect(lookedFor).toEqual([]);
    expect(lines).toContainEqual(expect.objectContaining({ event: 'stream_broken', code: 'dify_stalled' }));
  });

  test('whose run would die with its connection is not left when the time is up, or when the process ends', async () => {
    const dying = () => {
      const world = chatflow(words('so far', RUN_IDS), 600_000);
      world.dify.appFacts = { ...world.dify.appFacts, ...readVersion('1.9.1', undefined) };
      return world;
    };
    expect((await obtain({}, { world: dying(), leftMs: 60_000 })).summary).toBe('so far, cut, out_of_time');
    const during = ({ world }: { world: World }) => world.shutdown.abort();
    expect((await obtain({}, { world: dying(), during })).summary).toBe('so far, cut, interrupted');
  });

  test('whose stream breaks is looked for where its run goes on', async () => {
    const world = chatflow(words('so far', RUN_IDS), error('dify_cut'));
    world.found.push({ kind: 'answer', answer: whole('so far and the rest') });
    const { summary: outcome, lookedFor, shown, lines } = await obtain({}, { world });
    expect(outcome).toBe('so far and the rest, complete, no failure');
    expect(lookedFor).toMatchObject([{ type: 'chatflow', user: 'staff-1', question: 'question', ids: RUN_IDS }]);
    expect(shown.at(-1)).toContain(texts.continuing);
    expect(lines).toContainEqual(expect.objectContaining({ event: 'turn_recovered', found: 'answer' }));
  });

  test('is unfinished when its stream breaks and the time is up before its run has ended', async () => {
    const world = chatflow(words('so far', RUN_IDS), error('dify_cut'));
    world.found.push(stillRunning);
    expect((await obtain({}, { world, leftMs: 300_000 })).summary).toBe('unfinished');
  });

  test('fails before its type is known when nothing of the app can be told', async () => {
    const world = createWorld();
    world.dify.failures['facts'] = [new TypeError('on purpose')];
    expect((await obtain({}, { world })).summary).toBe(', cut, internal');
  });

  test('is unfinished when the time is up and its run goes on', async () => {
    const world = chatflow(words('so far', RUN_IDS), 600_000);
    expect((await obtain({}, { world, leftMs: 300_000 })).summary).toBe('unfinished');
  });

  test('is lost when another instance has taken it over', async () => {
    const world = createWorld();
    world.dify.answers.push([words('so far'), 600_000]);
    expect((await obtain({}, { world, during: ({ lose }) => lose() })).summary).toBe('lost');
  });

  test('that is stopped has the text so far when Dify does not end it', async () => {
    const world = createWorld();
    world.dify.answers.push([words('so far'), 600_000]);
    const { summary: outcome, dify } = await obtain({}, { world, during: ({ stop }) => void stop() });
    expect(outcome).toBe('so far, stopped, no failure');
    expect(dify.calls['stop']).toEqual([{ type: 'chat', user: 'staff-1', taskId: 'task-1' }]);
  });
});

describe('a question that was asked before', () => {
  const asked = { mayHaveBeenAsked: true, progress: { ...noProgress, text: 'so far', ids: RUN_IDS } };

  test('is looked for and never asked again', async () => {
    const world = createWorld();
    world.found.push({ kind: 'answer', answer: whole('the answer') });
    const { summary: outcome, dify, lookedFor, shown } = await obtain(asked, { world });
    expect(outcome).toBe('the answer, complete, no failure');
    expect(dify.calls['ask']).toBeUndefined();
    // The type that the record lacks is Dify's.
    expect(lookedFor).toMatchObject([{ type: 'chat', askedAtMs: world.clock.now() - 100 }]);
    expect(shown).toEqual([]);
  });

  test('is looked for as what the record says it is', async () => {
    const { lookedFor } = await obtain({ ...asked, progress: { ...asked.progress, appType: 'workflow' } });
    expect(lookedFor).toMatchObject([{ type: 'workflow' }]);
  });

  test('ends with the text so far when Dify has nothing', async () => {
    expect((await obtain(asked)).summary).toBe('so far, cut, no failure');
  });

  test('ends with the text so far after 40 owners, without another look', async () => {
    const record = { owner: 'o', hop: 0, context: null };
    const { summary: outcome, lookedFor } = await obtain({ ...asked, record: { ...record, fence: 41 } });
    expect(outcome).toBe('so far, cut, no failure');
    expect(lookedFor).toEqual([]);
    expect((await obtain({ ...asked, record: { ...record, fence: 40 } })).lookedFor).toHaveLength(1);
  });

  test('ends with the text so far and a failure when the search itself fails', async () => {
    const world = createWorld();
    world.found.push(async () => Promise.reject(new TypeError('on purpose')));
    expect((await obtain(asked, { world })).summary).toBe('so far, cut, internal');
  });

  test('is unfinished while it goes on and the time is up', async () => {
    const world = createWorld();
    world.found.push(stillRunning);
    expect((await obtain(asked, { world, leftMs: 60_000 })).summary).toBe('unfinished');
  });

  test('is not in the log as found when another instance has taken it over', async () => {
    const world = createWorld();
    world.found.push(stillRunning);
    const { summary: outcome, events } = await obtain(asked, { world, during: ({ lose }) => lose() });
    expect(outcome).toBe('lost');
    expect(events()).toEqual(['turn_lost']);
  });
});

describe('an answer that moderation replaced', () => {
  const replaced = { kind: 'replace', source: 'current', text: 'no', ids: RUN_IDS } as const;

  test('keeps the replacement, whatever Dify has kept of it', async () => {
    const world = chatflow(words('blocked', RUN_IDS), replaced, error('dify_cut'));
    world.found.push({ kind: 'answer', answer: { ...whole('blocked'), outputs: { answer: 'blocked' } } });
    expect((await obtain({}, { world })).summary).toBe('no, complete, no failure');
  });

  test('keeps it through a change of hands', async () => {
    const world = chatflow();
    world.found.push({ kind: 'answer', answer: { ...whole('blocked'), outputs: { answer: 'blocked' } } });
    const progress = { ...noProgress, appType: 'chatflow' as const, text: 'no', ids: RUN_IDS, isReplaced: true };
    const { summary: outcome } = await obtain({ mayHaveBeenAsked: true, progress }, { world });
    expect(outcome).toBe('no, complete, no failure');
  });
});

describe('a question whose answer is lost', () => {
  const asked = (changes: Partial<Turn['progress'] & object> = {}) => ({
    mayHaveBeenAsked: true,
    progress: { ...noProgress, appType: 'chat' as const, text: 'so far', ids: IDS, ...changes },
  });
  const posts = ({ dify }: World) => dify.calls['ask']?.length ?? 0;
  const ofType = (type: AppType, isTypeKnown = true) => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, type, isTypeKnown };
    return world;
  };

  test.each(['chat', 'completion'] as const)(
    'is asked once more, in the conversation that it began: %s',
    async (type) => {
      const world = ofType(type);
      const onRecord: unknown[] = [];
      const { summary: outcome, dify, lookedFor, events } = await obtain(asked({ appType: type }), { world, onRecord });
      expect(outcome).toBe('yes, complete, no failure');
      expect(lookedFor).toHaveLength(1);
      expect(dify.calls['ask']).toMatchObject([{ type, query: 'question', conversationId: 'dify-1' }]);
      // On record before it was asked, without the ids of the first try: a stop is for the second one.
      expect(onRecord[0]).toMatchObject({ isAskedAgain: true, text: 'so far', ids: { conversationId: 'dify-1' } });
      expect((onRecord[0] as TurnProgress).ids).not.toHaveProperty('taskId');
      expect(events()).toContain('question_asked_again');
    },
  );

  test('is asked once more when its stream breaks here', async () => {
    const world = ofType('chat');
    world.dify.answers.push([words('so far'), error('dify_cut')]);
    const { summary: outcome, shown } = await obtain({}, { world });
    expect(outcome).toBe('yes, complete, no failure');
    expect(posts(world)).toBe(2);
    expect(shown).toContainEqual(expect.stringContaining(texts.continuing));
  });

  test('is found instead, where Dify has it after all', async () => {
    const world = ofType('chat');
    world.dify.answers.push([words('so far'), error('dify_cut')]);
    world.found.push({ kind: 'answer', answer: whole('so far and the rest') });
    expect((await obtain({}, { world })).summary).toBe('so far and the rest, complete, no failure');
    expect(posts(world)).toBe(1);
  });

  test.each<[string, () => { world?: World; changes?: Partial<Turn['progress'] & object>; replies?: object }]>([
    ['was asked twice', () => ({ changes: { isAskedAgain: true } })],
    ['was blocked by moderation', () => ({ changes: { isReplaced: true } })],
    ['is for an agent', () => ({ world: ofType('agent'), changes: { appType: 'agent' } })],
    ['is for a chatflow', () => ({ world: ofType('chatflow'), changes: { appType: 'chatflow' } })],
    ['is for a workflow', () => ({ world: ofType('workflow'), changes: { appType: 'workflow' } })],
    ['is for an app of unknown type', () => ({ world: ofType('chat', false) })],
    ['is for an app that is another one by now', () => ({ world: ofType('completion') })],
    ['belongs to a run', () => ({ changes: { ids: RUN_IDS } })],
    ['is followed by another one of its asker', () => ({ replies: { behind: 'asker' } })],
    ['cannot be put on record', () => ({ replies: { kind: 'unknown' } })],
    ['was stopped', () => ({ replies: { isStopped: true } })],
  ])('is not asked once more when it %s', async (_, scene) => {
    const { world = ofType('chat'), changes = {}, replies = {} } = scene();
    const record = { fence: 1, owner: 'o', hop: 0, context: null };
    const { summary: outcome } = await obtain({ ...asked(changes), record }, { world, replies });
    expect(posts(world)).toBe(0);
    expect(outcome).toMatch(/^so far, (cut|stopped), no failure$/);
  });

  test('is asked once more although somebody else waits', async () => {
    const world = ofType('chat');
    await obtain(asked(), { world, replies: { behind: 'others' } });
    expect(posts(world)).toBe(1);
  });

  test.each<[string, (world: World) => void, string]>([
    ['fails', (world) => world.dify.answers.push([words('so'), error('dify_cut')]), 'so far, cut, no failure'],
    ['is refused', (world) => world.dify.answers.push(error('dify_busy')), 'so far, cut, dify_busy'],
    [
      'is blocked by moderation',
      (world) =>
        world.dify.answers.push([
          words('so'),
          { kind: 'replace', source: 'current', text: 'no', ids: IDS },
          error('dify_cut'),
        ]),
      'no, cut, no failure',
    ],
  ])('ends with what was shown when the second try %s, and is not asked a third time', async (_, prepare, expected) => {
    const world = ofType('chat');
    prepare(world);
    expect((await obtain(asked(), { world })).summary).toBe(expected);
    expect(posts(world)).toBe(1);
  });
});

describe('an answer to a form', () => {
  const kept = {
    token: 'token-1',
    runId: 'run-1',
    shownChars: 6,
    appType: 'chatflow',
    user: 'staff-9',
    asker: 'staff-1',
    actions: [{ id: 'yes', title: 'Yes' }],
  } as const;
  const context = { generation: '', difyConversationId: null, form: JSON.stringify(kept) };
  const typed: Partial<Turn> = { question: 'Yes', record: { fence: 1, owner: 'o', hop: 0, context } };
  const pressed: Partial<Turn> = {
    question: 'Yes',
    user: 'staff-9',
    form: { ...kept, action: 'yes', inputs: { reason: 'because' } },
  };
  const after: Step[] = [words('done', RUN_IDS), { ...ended, ids: RUN_IDS }, runFinished()];

  test.each([
    ['in words', typed, {}],
    ['by a button', pressed, { reason: 'because' }],
  ])('%s is given as the person whom the run was started for, once its events are open', async (_, turn, inputs) => {
    const world = createWorld();
    world.dify.afterForm = after;
    const reason = { name: 'reason', label: '', type: 'text', required: false, options: [], default: '' } as const;
    world.dify.pendingForm = { ...world.dify.pendingForm, fields: turn === pressed ? [reason] : [] };
    const { summary: outcome, dify, lease } = await obtain(turn, { world });
    expect(outcome).toBe('done, complete, no failure');
    expect(Object.keys(dify.calls).filter((name) => name !== 'getForm')).toEqual(['followRun', 'submitForm']);
    expect(dify.calls['followRun']).toEqual([{ runId: 'run-1', user: 'staff-9' }]);
    expect(dify.calls['submitForm']).toEqual([{ token: 'token-1', action: 'yes', inputs, user: 'staff-9' }]);
    expect(lease.progress).toMatchObject({ appType: 'chatflow', form: { user: 'staff-9', shownChars: 6 } });
  });

  test('in words is on record before Dify has it, so that its run is found if this instance dies', async () => {
    const world = createWorld();
    const onRecord: unknown[] = [];
    let before: unknown[] = [];
    world.dify.submitForm = async () => void (before = [...onRecord]);
    await obtain(typed, { world, onRecord, opened: new Promise(() => undefined) });
    expect(before).toMatchObject([{ ids: { runId: 'run-1' }, form: { user: 'staff-9', shownChars: 6 } }]);
  });

  test.each([
    ['in words', typed],
    ['by a button', pressed],
  ])('%s is looked for when its stream breaks, and does not repeat what stood before the form', async (_, turn) => {
    const world = createWorld();
    world.dify.afterForm = [words('do', RUN_IDS), error('dify_cut')];
    world.found.push({ kind: 'answer', answer: whole('beforedone') });
    const { summary: outcome, lookedFor } = await obtain(turn, { world });
    expect(outcome).toBe('done, complete, no failure');
    expect(lookedFor).toMatchObject([{ type: 'chatflow', user: 'staff-9', ids: { runId: 'run-1' } }]);
  });

  test('by a button is looked for by its form when the instance before had put nothing on record', async () => {
    const world = createWorld();
    world.found.push({ kind: 'answer', answer: whole('beforedone') });
    const { summary: outcome, lookedFor, dify } = await obtain({ ...pressed, mayHaveBeenAsked: true }, { world });
    expect(outcome).toBe('done, complete, no failure');
    expect(lookedFor).toMatchObject([{ type: 'chatflow', user: 'staff-9', ids: { runId: 'run-1' } }]);
    expect(dify.calls['submitForm']).toBeUndefined();
  });

  test.each<ErrorCode>(['form_closed', 'form_invalid'])('that Dify refuses with %s ends so', async (code) => {
    const world = createWorld();
    world.dify.failures['submitForm'] = [error(code)];
    const { obtained } = await obtain(pressed, { world });
    expect(obtained).toMatchObject({ failure: { code } });
  });

  test('in words is noted with its action once Dify has it', async () => {
    const world = createWorld();
    world.dify.afterForm = after;
    const { forms } = await obtain(typed, { world });
    expect(forms.forms).toMatchObject([{ token: 'token-1', chosen: { action: 'Yes' } }]);
  });

  test('is none when the form cannot be answered any more, which the conversation then knows', async () => {
    const world = createWorld();
    world.dify.failures['getForm'] = [error('form_expired')];
    const { obtained, forms } = await obtain({ ...typed, question: 'what is it about?' }, { world });
    expect(obtained).toMatchObject({ failure: null });
    expect(world.dify.calls['ask']).toMatchObject([{ query: 'what is it about?' }]);
    expect(forms.forms).toMatchObject([{ isOver: true }]);
  });
});

/** What a search finds of a run that goes on until the time is up. */
function stillRunning(signal: AbortSignal): Promise<Recovered> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'still-running' }));
  });
}

function runFinished(): Step {
  return { kind: 'run-finished', status: 'succeeded', outputs: { answer: 'beforedone' }, files: [], ids: RUN_IDS };
}
