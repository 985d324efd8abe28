// What the card of a form shows once the form is over, and what that costs.
import { describe, expect, test } from 'vitest';
import type { ShownForm } from '../../lib/ask/form.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createChannels } from '../../lib/turn/channels.ts';
import { writeAnswered } from '../../lib/turn/answered.ts';
import { openDeadline } from '../../lib/turn/deadline.ts';
import { openFormEnds } from '../../lib/turn/form-ends.ts';
import { readNote } from '../../lib/turn/form-note.ts';
import { keepProgress, noProgress, pressId } from '../../lib/turn/record.ts';
import { openTurnForms } from '../../lib/turn/turn-forms.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { RUN_IDS } from '../support/fake-dify.ts';
import { createWorld, GROUP, messageOf, senderOf, texts } from '../support/turn.ts';

const shownForm: ShownForm = {
  token: 'token-1',
  runId: 'run-1',
  action: 'yes',
  shownChars: 5,
  title: 'Approval',
  actions: [{ id: 'yes', title: 'Yes' }],
  number: 1,
  expiresAtMs: null,
  earlierChars: 0,
  cardId: '',
  onCard: true,
  isQuoted: true,
};

const asker = { ...senderOf('staff-1'), nick: 'Ann' };

interface Setting {
  form?: Partial<ShownForm>;
  level?: Turn['level'];
  by?: Turn['message']['sender'];
  env?: Record<string, string>;
  how?: 'chosen' | 'closed' | 'expired';
  /** By a button of the form, and not by words. */
  pressed?: boolean;
}

/** A form on a card of Ann's in a group, and the turn that answers it. */
async function end({ form, level = 'full', by = asker, env, how = 'chosen', pressed = false }: Setting = {}) {
  const world = createWorld(env ? { env } : {});
  const { state, clock, dify, options } = world;
  const asked = await world.accept({ message: messageOf('apply', { chat: GROUP, sender: asker }) });
  const shown = { ...shownForm, cardId: asked.id, ...form };
  const progress = { ...noProgress, ids: RUN_IDS, appType: 'chatflow' } as const;
  await state.finish({
    turnId: asked.id,
    fence: 1,
    owner: asked.record.owner,
    nowMs: clock.now(),
    failure: null,
    remembered: { conversationKey: asked.conversationKey, generation: '', difyConversationId: null, ttlMs: null },
    spent: 0,
    receipt: writeAnswered(asked, progress, shown),
    form: { kind: 'keep' },
    nextLeaseUntilMs: 0,
  });
  dify.records.message = async () => ({
    id: 'dify-message-1',
    query: 'apply',
    answer: 'Wait. And more.',
    thoughts: null,
    status: 'paused',
    reason: null,
    createdAtMs: 0,
    citations: [],
    files: [],
  });
  const expired = how === 'expired' ? { title: 'Approval', earlierChars: 0 } : undefined;
  const submission = { ...shown, user: 'staff-1', appType: 'chatflow', inputs: {}, expired } as const;
  const answer = messageOf('Yes', { chat: GROUP, sender: by });
  const message = pressed ? { ...answer, id: pressId('form') } : answer;
  const turn = await world.accept({ message, form: submission, level });
  const forms = openTurnForms(turn);
  forms.asked = { ...dify.pendingForm, nodeTitle: 'Approval', content: 'May I?' };
  if (how === 'chosen') forms.noteChosen('token-1', { action: 'Yes', atMs: Date.UTC(2026, 10, 27, 6, 32) });
  else forms.noteOver('token-1', false);
  const lease = keepProgress(noProgress);
  const held = { ...lease, lost: new AbortController().signal } as Parameters<
    ReturnType<typeof createChannels>['forTurn']
  >[1];
  const { followUps } = createChannels(options).forTurn(turn, held, openDeadline(clock, null, options.shutdown));
  const ends = openFormEnds(turn, { ...options, robot: options.config, followUps, lease, forms });
  ends.show();
  ends.show();
  await world.done(ends.done());
  const record = await state.lookUp(asked.id);
  return { ...world, note: readNote(record?.formNote), calls: lease.progress.calls, cardId: asked.id };
}

const WHEN = '(27 Nov, 14:32 China time)';

describe('the card of a form that was answered', () => {
  test('says who chose what and when, below what stood there, for one call', async () => {
    const { chat, cardId, calls, note } = await end();
    const content = [
      '> Ann: apply',
      'Wait.',
      texts.form.title('Approval', null),
      'May I?',
      `✅ Ann chose: Yes ${WHEN}`,
    ].join('\n\n');
    expect(chat.amended).toEqual([{ cardId, variables: { content } }]);
    expect(calls).toBe(1);
    expect(note).toMatchObject({ kind: 'chosen', action: 'Yes', by: 'Ann' });
  });

  test('takes back what the one who pressed reads there alone, in the same call', async () => {
    const { chat, calls } = await end({ pressed: true });
    expect(chat.amended).toMatchObject([{ own: { person: { staffId: 'staff-1' }, variables: { notice: '' } } }]);
    expect(calls).toBe(1);
  });

  test('loses its buttons, where the template has some', async () => {
    const { chat } = await end({ env: { DINGTALK_CARD_BUTTONS: 'true' } });
    expect(chat.amended).toMatchObject([{ variables: { form_actions: '[]', form_fields: '{"fields":[]}' } }]);
    expect(chat.amended[0]?.variables['content']).not.toContain('> ');
  });

  test.each([
    ['the asker without a name', { ...asker, nick: '' }, `✅ Chosen: Yes ${WHEN}`],
    ['an administrator', senderOf('admin-7'), `✅ An administrator chose: Yes ${WHEN}`],
  ])('by %s shows no id', async (_, by, line) => {
    const { chat } = await end({ by });
    const content = chat.amended[0]?.variables['content'] ?? '';
    expect(content.split('\n').at(-1)).toBe(line);
    expect(content).not.toMatch(/staff-1|admin-7|sender-/u);
  });

  test.each<[string, Setting]>([
    ['from 80 % of the month on', { level: 'few' }],
    ['at the end of the month', { level: 'none' }],
    ['where it was shown as a message', { form: { onCard: false } }],
  ])('stays as it is %s, and its buttons know', async (_, setting) => {
    const { chat, calls, note } = await end(setting);
    expect([chat.amended, calls]).toEqual([[], 0]);
    expect(note).toMatchObject({ kind: 'chosen' });
  });
});

describe('the card of a form that is over without an answer from here', () => {
  test.each<[NonNullable<Setting['how']>, string]>([
    ['closed', texts.form.closed],
    ['expired', texts.form.expired('Approval')],
  ])('says that it is %s', async (how, line) => {
    const { chat, calls } = await end({ how });
    expect(chat.amended[0]?.variables['content']?.split('\n').at(-1)).toBe(line);
    expect(calls).toBe(1);
  });
});

test('a card that cannot be changed is in the log', async () => {
  const world = await end();
  expect(world.events()).not.toContain('extras_failed');
  const failing = createWorld();
  const forms = openTurnForms(
    await failing.accept({ form: { ...shownForm, cardId: 'card-9', user: 'u', appType: 'chatflow', inputs: {} } }),
  );
  forms.noteChosen('token-1', { action: 'Yes', atMs: 0 });
  failing.state.lookUp = async () => Promise.reject(new BridgeError('store_unavailable', 'on purpose'));
  const turn = await failing.accept();
  const lease = keepProgress(noProgress);
  const followUps = { closeForm: async () => undefined };
  const ends = openFormEnds(turn, { ...failing.options, robot: failing.options.config, followUps, lease, forms });
  ends.show();
  await failing.done(ends.done());
  expect(failing.events()).toContain('extras_failed');
});
