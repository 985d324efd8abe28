// When administrators are told of what only they can mend.
import { describe, expect, test } from 'vitest';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { createLog } from '../../lib/runtime/log.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createAdmins } from '../../lib/turn/admins.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;
const texts = textsFor('en');

function robot(adminUsers = ['boss']) {
  const clock = createVirtualClock(1_800_000_000_000 - (1_800_000_000_000 % HOUR_MS));
  const state = createMemoryState(clock);
  const sent: string[] = [];
  const instance = (claim: State['claim'] = (request) => state.claim(request)) => {
    const access = { allowedUsers: null, allowedChats: null, adminUsers, rateLimit: null };
    const admins = createAdmins({
      config: { name: 'hr', access },
      texts,
      state: { claim },
      clock,
      newId: () => crypto.randomUUID(),
      log: createLog(clock, 'error', () => {}),
    });
    const chat = { notify: async (_to: readonly string[], { text }: { text: string }) => void sent.push(text) };
    return (code: ErrorCode) => admins.tell(new BridgeError(code, 'x'), '3f9a1c07', chat);
  };
  return { clock, sent, instance };
}

describe('administrators', () => {
  test('are told once in an hour, by whichever instance, and of each failure', async () => {
    const { clock, sent, instance } = robot();
    const [one, other] = [instance(), instance()];
    expect(await Promise.all([one('dify_quota'), one('dify_quota'), other('dify_quota')])).toEqual([true, true, true]);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toBe(
      `⚠️ The robot hr cannot answer now: ${texts.adminNotice.dify_quota} Reference 3f9a1c07. You get this message at most once an hour.`,
    );
    expect(await other('dify_model_account')).toBe(true);
    expect(sent).toHaveLength(2);
    await clock.advance(HOUR_MS);
    expect(await other('dify_quota')).toBe(true);
    expect(sent).toHaveLength(3);
  });

  test('are told once by an instance whose store is away', async () => {
    const { sent, instance } = robot();
    const tell = instance(async () => ({ isNew: true, overdue: [] }));
    for (let failures = 0; failures < 5; failures += 1) expect(await tell('dify_quota')).toBe(true);
    expect(sent).toHaveLength(1);
  });

  test('are not told of what passes, or where there are none', async () => {
    const { sent, instance } = robot();
    expect(await instance()('dify_model_busy')).toBe(false);
    expect(await robot([]).instance()('dify_quota')).toBe(false);
    expect(sent).toEqual([]);
  });
});
