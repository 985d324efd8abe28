import { describe, expect, test } from 'vitest';
import { readVersion } from '../../lib/dify/version.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { BridgeError } from '../../lib/errors.ts';
import { noProgress } from '../../lib/turn/record.ts';
import type { Turn, TurnProgress } from '../../lib/turn/turn.ts';
import { IDS, RUN_IDS, words } from '../support/fake-dify.ts';
import { chatflow, error, obtain, stillRunning, whole } from '../support/obtain.ts';
import { createWorld, messageOf, texts, type World } from '../support/turn.ts';

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

  test.each([
    [true, 'unfinished'],
    [false, 'so far, cut, out_of_time'],
  ])(
    'for an agent is left when the time is up where agents go on without their client: %s',
    async (goesOn, expected) => {
      const world = createWorld();
      world.dify.appFacts = { ...world.dify.appFacts, type: 'agent', agentsSurvive: goesOn };
      world.dify.answers.push([words('so far'), 600_000]);
      expect((await obtain({}, { world, leftMs: 60_000 })).summary).toBe(expected);
    },
  );

  test('about an answer that cannot be found is asked without it, which is noted', async () => {
    const message = messageOf('question', { quoted: { text: '', file: null, cardKey: 'card-1' } });
    const { summary: outcome, lease } = await obtain({ message });
    expect(outcome).toBe('yes, complete, no failure');
    expect(lease.progress.missed).toEqual({ answer: true });
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
