// Forms whose time is over: what is done about each.
import { describe, expect, test } from 'vitest';
import type { FormSubmission } from '../../lib/ask/form.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createDueForms } from '../../lib/robot/due-forms.ts';
import type { TurnRecord } from '../../lib/state/told.ts';
import type { AnsweredTurn } from '../../lib/turn/answered.ts';
import { createWorld, texts } from '../support/turn.ts';

const answered: AnsweredTurn = {
  ids: {},
  appType: 'chatflow',
  user: 'user-1',
  chat: { id: 'chat-1', isGroup: true },
  sender: { staffId: 'staff-1', unionId: null, id: 'sender-1', nick: '' },
  session: null,
  corpId: 'corp',
  form: {
    token: 'token-1',
    runId: 'run-1',
    action: 'yes',
    shownChars: 9,
    earlierChars: 4,
    title: 'Approval',
    actions: [],
    number: 1,
    expiresAtMs: 0,
    cardId: 'card-1',
  },
};
const over = (code: 'form_closed' | 'form_expired', status = 412) => new BridgeError(code, 'over', { status });

async function look({
  receipt = answered,
  failure,
  expiresAtMs = null,
}: { receipt?: AnsweredTurn | null; failure?: Error; expiresAtMs?: number | null } = {}) {
  const world = createWorld();
  const { options, dify, clock, lines } = world;
  const postponed: unknown[] = [];
  const taken: { message: Message; form: FormSubmission }[] = [];
  let worked = 0;
  const record = { receipt: receipt && JSON.stringify(receipt) } as TurnRecord;
  const state = {
    ...options.state,
    lookUp: async () => record,
    postponeForm: async ({ untilMs }: { untilMs: number | null }) => void postponed.push(untilMs),
  };
  if (failure) dify.failures['getForm'] = [failure];
  dify.pendingForm = { ...dify.pendingForm, expiresAtMs };
  const due = createDueForms({ ...options, state }, async (message, form) => {
    taken.push({ message, form });
    return taken.length > 1 ? null : async () => void (worked += 1);
  });
  await due.look(['card-1'], world.platform);
  return {
    postponed,
    taken,
    worked: () => worked,
    lines,
    now: clock.now(),
    again: () => due.look(['card-1'], world.platform),
  };
}

describe('a form whose time is over', () => {
  test('is taken for a message of its asker, which has one id', async () => {
    const { taken, worked, postponed } = await look({ failure: over('form_expired') });
    expect(taken[0]?.message).toMatchObject({
      sender: answered.sender,
      chat: answered.chat,
      content: { text: texts.form.expired('Approval') },
    });
    expect(taken[0]?.form).toMatchObject({
      token: 'token-1',
      cardId: 'card-1',
      action: '',
      expired: { title: 'Approval', earlierChars: 4 },
    });
    const other = await look({ failure: over('form_expired') });
    expect(other.taken[0]?.message.id).toBe(taken[0]?.message.id);
    expect([worked(), postponed]).toEqual([1, []]);
  });

  test.each<[string, Parameters<typeof look>[0], (now: number) => number | null]>([
    ['was answered elsewhere', { failure: over('form_closed') }, () => null],
    ['is not shown by Dify', { failure: over('form_expired', 404) }, () => null],
    ['is not known any more', { receipt: null }, () => null],
    ['was none', { receipt: { ...answered, form: null } }, () => null],
    ['is of an app of unknown type', { receipt: { ...answered, appType: null } }, () => null],
    ['is still open for a time that Dify tells', { expiresAtMs: 4_000_000_000_000 }, () => 4_000_000_000_000],
    ['is still open', { expiresAtMs: 1 }, (now) => now + 3_600_000],
  ])('that %s is no message', async (_, scene, expected) => {
    const { postponed, taken, now } = await look(scene);
    expect([postponed, taken]).toEqual([[expected(now)], []]);
  });

  test('that Dify does not tell about is looked at again', async () => {
    const down = await look({ failure: new BridgeError('dify_unreachable', 'no connection') });
    expect([down.taken, down.postponed]).toEqual([[], []]);
    expect(down.lines).toMatchObject([{ event: 'form_not_expired', code: 'dify_unreachable' }]);
  });
});
