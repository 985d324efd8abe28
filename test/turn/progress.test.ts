import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { RunIds } from '../../lib/answer/event.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { createProgress } from '../../lib/turn/progress.ts';
import { keepProgress, noProgress } from '../../lib/turn/record.ts';
import type { TurnProgress } from '../../lib/turn/turn.ts';
import { createFakeOpenCard } from '../support/fake-chat.ts';
import { IDS, RUN_IDS } from '../support/fake-dify.ts';
import { texts } from '../support/turn.ts';

const view = { texts, showThinking: false, cardMaxChars: 3_000 };
const says = (text: string, changes: Partial<Answer> = {}): Answer => ({
  ...emptyAnswer,
  ids: IDS,
  texts: { ...emptyAnswer.texts, message: text },
  ...changes,
});

function open({
  hasCard = true,
  isLookedFor = false,
  hasWaited = false,
  opened = Promise.resolve(true),
  appType = 'chat',
  askedIn = null,
  form = null,
}: {
  hasCard?: boolean;
  isLookedFor?: boolean;
  hasWaited?: boolean;
  opened?: Promise<boolean>;
  appType?: AppType | null;
  askedIn?: string | null;
  form?: TurnProgress['form'];
} = {}) {
  const kept = keepProgress({ ...noProgress, appType, form });
  const writes: [number, Promise<unknown> | undefined][] = [];
  const clock = createVirtualClock();
  const { card, shown, hints, firstTexts } = createFakeOpenCard(opened);
  const seen: Answer[] = [];
  const waited: unknown[] = [];
  const progress = createProgress({
    lease: {
      note: kept.note,
      noteText: kept.noteText,
      get progress() {
        return kept.progress;
      },
      writeWithin: (ms, ready) => void writes.push([ms, ready]),
    },
    card: hasCard ? card : null,
    waiting: {
      see: ({ texts: { message } }) => void waited.push(message),
      wait: (activity) => void waited.push(activity),
    },
    attachments: { see: (answer) => void seen.push(answer), send: async () => ({ failed: [], leftOut: 0 }) },
    view,
    clock,
    isLookedFor,
    hasWaited,
    askedIn,
  });
  return { progress, waited, kept, writes, shown, hints, seen, opened, firstTexts, clock };
}

describe('an answer that grows', () => {
  test('is kept and shown; its files are fetched at once', () => {
    const { progress, kept, shown, seen, firstTexts } = open();
    progress.see(says('so far'));
    expect(progress.answer.texts.message).toBe('so far');
    expect(kept.progress).toMatchObject({ text: 'so far', ids: IDS });
    expect(shown).toEqual(['so far']);
    expect(firstTexts()).toBe(1);
    expect(seen).toEqual([progress.answer]);
  });

  test('is kept without a card, too', () => {
    const { progress, kept } = open({ hasCard: false });
    progress.see(says('', { activity: { kind: 'thinking', name: '' } }));
    progress.see(says('so far'));
    progress.showContinuing();
    expect(kept.progress.text).toBe('so far');
  });

  test('is kept as far as it can be shown', () => {
    const { progress, kept } = open();
    progress.see(says('x'.repeat(60_000)));
    expect(kept.progress.text).toHaveLength(50_000);
  });

  test('shows what the app does as long as there is no text', () => {
    const { progress, hints, shown } = open();
    progress.see(says(''));
    progress.see(says('', { activity: { kind: 'thinking', name: '' } }));
    expect(hints).toEqual([texts.progress.thinking]);
    expect(shown).toEqual([]);
  });

  test('that has not begun shows what its app does meanwhile, and is not on record as begun', () => {
    const { progress, hints, kept, waited } = open();
    progress.wait({ kind: 'queued', name: '' });
    progress.wait({ kind: 'unseen', name: '' });
    expect(waited).toEqual([
      { kind: 'queued', name: '' },
      { kind: 'unseen', name: '' },
    ]);
    expect(hints).toEqual([texts.progress.queued, texts.progress.unseen]);
    expect(progress.answer).toBe(emptyAnswer);
    expect(kept.progress.ids).toEqual({});
    expect(() => open({ hasCard: false }).progress.wait({ kind: 'queued', name: '' })).not.toThrow();
  });

  test.each<[string, Parameters<typeof open>[0], boolean]>([
    ['another conversation than it was asked in', { askedIn: 'earlier' }, true],
    ['the conversation that it was asked in', { askedIn: IDS.conversationId ?? '' }, false],
    ['a conversation of its own', {}, false],
    [
      'a form, which may belong to another conversation',
      { askedIn: 'earlier', form: { user: 'u', shownChars: 0 } },
      false,
    ],
  ])('in %s', (_, options, isAnew) => {
    const { progress, kept } = open(options);
    progress.see(says('', { ids: {} }));
    expect(kept.progress.isAnew).toBe(false);
    progress.see(says('so far'));
    expect(kept.progress.isAnew).toBe(isAnew);
  });

  test('says that it goes on when it is looked for', () => {
    const { progress, shown } = open();
    progress.see(says('so far'));
    progress.showContinuing();
    expect(shown.at(-1)).toBe(`so far\n\n${texts.continuing}`);
  });

  test('is not shown piece by piece by an instance that looks for it', () => {
    const { progress, kept, shown } = open({ isLookedFor: true });
    progress.see(says('a piece'));
    expect(shown).toEqual([]);
    expect(kept.progress).toMatchObject({ text: '', ids: IDS });
  });
});

describe('the ids of a run', () => {
  test.each<[string, AppType | null, RunIds, boolean]>([
    ['of a chat are written within 700 ms', 'chat', IDS, false],
    ['of an app of unknown type are written within 700 ms', null, RUN_IDS, false],
    ['of a run that goes on by itself are written as soon as the card is open', 'workflow', RUN_IDS, true],
  ])('%s', (_, appType, ids, waitsForCard) => {
    const { progress, writes, opened } = open({ appType });
    progress.see(says('', { ids: {} }));
    expect(writes).toEqual([]);
    progress.see(says('', { ids }));
    progress.see(says('more', { ids }));
    expect(writes).toEqual([[700, waitsForCard ? opened : undefined]]);
  });

  test.each(['chat', 'workflow'] as const)(
    'of a question that waited are written once it is known whether its card is there: %s',
    async (appType) => {
      const { promise: opened, resolve } = Promise.withResolvers<boolean>();
      const { progress, writes } = open({ appType, hasWaited: true, opened });
      progress.see(says('', { ids: RUN_IDS }));
      await Promise.resolve();
      expect(writes).toEqual([]);
      resolve(true);
      await opened;
      expect(writes).toHaveLength(1);
    },
  );

  test('of a run that goes on by itself are written at once without a card', async () => {
    const { progress, writes } = open({ appType: 'workflow', hasCard: false });
    progress.see(says('', { ids: RUN_IDS }));
    expect(writes).toHaveLength(1);
    await expect(writes[0]?.[1]).resolves.toBeUndefined();
  });
});

describe('a second try', () => {
  test('leaves the card as it is until it has as much to show', () => {
    const { progress, kept, shown, hints } = open();
    progress.see(says('a long beginning'));
    progress.beginAgain();
    progress.wait({ kind: 'queued', name: '' });
    progress.see({ ...emptyAnswer, ids: IDS, activity: { kind: 'thinking', name: '' } });
    progress.see(says('another'));
    expect([shown.length, hints.length]).toEqual([1, 0]);
    expect(kept.progress.text).toBe('a long beginning');
    progress.see(says('another beginning'));
    progress.see(says('short'));
    expect(shown).toHaveLength(3);
    expect(kept.progress.text).toBe('short');
  });

  test('waits longer on the card of an instance that died: it may show more than the record says', () => {
    const { progress, kept, shown } = open({ isLookedFor: true });
    kept.noteText(() => 'so far');
    progress.beginAgain();
    progress.see(says('x'.repeat(3_605)));
    expect(shown).toEqual([]);
    expect(kept.progress.text).toHaveLength(3_605);
    progress.see(says('x'.repeat(3_606)));
    expect(shown).toHaveLength(1);
  });

  test('is shown at once where nothing was shown before', () => {
    const { progress, shown } = open({ isLookedFor: true });
    progress.beginAgain();
    progress.see(says('a'));
    expect(shown).toHaveLength(1);
  });

  test('has its own ids put on record', () => {
    const { progress, writes } = open();
    progress.see(says('a'));
    progress.beginAgain();
    progress.see(says('b'));
    expect(writes).toHaveLength(2);
  });
});

describe('what another instance has to know', () => {
  test('when the last event came; what Dify tells of the past of a run is none', async () => {
    const { progress, kept, clock } = open();
    progress.see(says('a'));
    const { eventAtMs } = kept.progress;
    expect(eventAtMs).toBe(clock.now());
    await clock.advance(5_000);
    progress.see(says('b'), false);
    expect(kept.progress.eventAtMs).toBe(eventAtMs);
  });

  test('that moderation replaced the text, soon', () => {
    const { progress, kept, writes } = open();
    progress.see(says('blocked'));
    progress.see(says('no', { isReplaced: true }));
    progress.see(says('no', { isReplaced: true }));
    expect(kept.progress).toMatchObject({ isReplaced: true, text: 'no' });
    expect(writes).toHaveLength(2);
  });
});
