import { describe, expect, test } from 'vitest';
import type { CardSink } from '../../lib/delivery/sink.ts';
import { cardRefusals } from '../../lib/dingtalk/failures.ts';
import { createCardBreaker, watchCard, type CardBreaker } from '../../lib/dingtalk/card-breaker.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const LEFT_ALONE_MS = 600_000;
const failure = (code: ErrorCode) => new BridgeError(code, 'on purpose');

function scene() {
  const clock = createVirtualClock();
  const breaker = createCardBreaker(clock);
  const fail = (code: ErrorCode, times = 1, asker?: string) => {
    for (let count = 0; count < times; count += 1) breaker.note(failure(code), asker);
  };
  return { clock, breaker, fail };
}

describe('cards', () => {
  test('are tried until three in a row fail for good, and the reason is known', () => {
    const { breaker, fail } = scene();
    fail('dingtalk_template_missing', 2);
    expect(breaker.mayOpen()).toBe(true);
    expect(breaker.reason()).toBeNull();
    fail('dingtalk_template_unpublished');
    expect(breaker.mayOpen()).toBe(false);
    expect(breaker.reason()).toBe('dingtalk_template_unpublished');
  });

  test.each([
    'dingtalk_template_missing',
    'dingtalk_template_unpublished',
    'dingtalk_permission_missing',
    'dingtalk_card_variable',
    'dingtalk_card_undelivered',
    'dingtalk_refused',
    'dingtalk_credentials',
    'dingtalk_ip_refused',
    'dingtalk_month_used_up',
  ] as const)('are given up for %s', (code) => {
    const { breaker, fail } = scene();
    fail(code, 3);
    expect(breaker.reason()).toBe(code);
  });

  test.each([
    'dingtalk_qps',
    'dingtalk_timeout',
    'dingtalk_unreachable',
    'dingtalk_server_error',
    'dingtalk_token_invalid',
    'dingtalk_card_exists',
    'dingtalk_card_no_target',
    'dingtalk_content_unsafe',
  ] as const)('are not given up for %s, which does not interrupt a row either', (code) => {
    const { breaker, fail } = scene();
    fail(code, 20);
    expect(breaker.mayOpen()).toBe(true);
    fail('dingtalk_permission_missing', 2);
    fail(code, 20);
    expect(breaker.mayOpen()).toBe(true);
    fail('dingtalk_permission_missing');
    expect(breaker.mayOpen()).toBe(false);
  });

  test('are not given up for an error of our own', () => {
    const { breaker } = scene();
    for (let count = 0; count < 5; count += 1) breaker.note(new TypeError('a mistake'));
    expect(breaker.mayOpen()).toBe(true);
  });

  test('are not given up when one works in between', () => {
    const { breaker, fail } = scene();
    for (let count = 0; count < 5; count += 1) {
      fail('dingtalk_card_variable', 2);
      expect(breaker.mayOpen()).toBe(true);
      breaker.note('opened');
    }
  });

  test('are not given up because of one asker who cannot be reached', () => {
    const { breaker, fail } = scene();
    fail('dingtalk_card_undelivered', 9, 'external');
    expect(breaker.mayOpen()).toBe(true);
    fail('dingtalk_card_undelivered', 9, 'other');
    expect(breaker.mayOpen()).toBe(true);
    fail('dingtalk_card_undelivered', 1, 'third');
    expect(breaker.mayOpen()).toBe(false);
  });

  test('are given up for a missing template even if only one person asks', () => {
    const { breaker, fail } = scene();
    fail('dingtalk_template_missing', 3, 'one');
    expect(breaker.mayOpen()).toBe(false);
  });
});

describe('cards that were given up', () => {
  const givenUp = () => {
    const it = scene();
    it.fail('dingtalk_permission_missing', 3);
    return it;
  };

  test('are left alone for ten minutes, then one is tried', async () => {
    const { clock, breaker } = givenUp();
    await clock.advance(LEFT_ALONE_MS - 1);
    expect(breaker.mayOpen()).toBe(false);
    await clock.advance(1);
    expect([breaker.mayOpen(), breaker.mayOpen()]).toEqual([true, false]);
    expect(breaker.reason()).toBe('dingtalk_permission_missing');
  });

  test('are back when the trial works, with a clean record', async () => {
    const { clock, breaker, fail } = givenUp();
    await clock.advance(LEFT_ALONE_MS);
    breaker.mayOpen();
    breaker.note('opened');
    expect(breaker.reason()).toBeNull();
    fail('dingtalk_permission_missing', 2);
    expect(breaker.mayOpen()).toBe(true);
  });

  test('are left alone for another ten minutes when the trial fails, for its reason', async () => {
    const { clock, breaker, fail } = givenUp();
    await clock.advance(LEFT_ALONE_MS);
    breaker.mayOpen();
    fail('dingtalk_card_variable');
    expect(breaker.reason()).toBe('dingtalk_card_variable');
    await clock.advance(LEFT_ALONE_MS - 1);
    expect(breaker.mayOpen()).toBe(false);
    await clock.advance(1);
    expect(breaker.mayOpen()).toBe(true);
  });

  test('get another trial when the first told nothing', async () => {
    const { clock, breaker, fail } = givenUp();
    await clock.advance(LEFT_ALONE_MS);
    breaker.mayOpen();
    fail('dingtalk_qps');
    expect([breaker.mayOpen(), breaker.mayOpen()]).toEqual([true, false]);
  });

  test('get another trial when nothing was heard of the first for a minute', async () => {
    const { clock, breaker } = givenUp();
    await clock.advance(LEFT_ALONE_MS);
    breaker.mayOpen();
    await clock.advance(59_999);
    expect(breaker.mayOpen()).toBe(false);
    await clock.advance(1);
    expect([breaker.mayOpen(), breaker.mayOpen()]).toEqual([true, false]);
  });

  test('are not left alone longer because of cards that were under way', async () => {
    const { clock, breaker, fail } = givenUp();
    await clock.advance(5_000);
    fail('dingtalk_permission_missing', 5);
    fail('dingtalk_timeout');
    await clock.advance(LEFT_ALONE_MS - 5_000);
    expect(breaker.mayOpen()).toBe(true);
  });

  test('are back when one that was under way works after all', () => {
    const { breaker } = givenUp();
    breaker.note('opened');
    expect(breaker.mayOpen()).toBe(true);
  });
});

describe('a watched card', () => {
  const frame = { text: 'x', state: 'typing', id: '1' } as const;

  /** A breaker that remembers what it was told, and a card that does as it is told. */
  function watched(opening: ErrorCode | null, ...writing: (ErrorCode | null)[]) {
    const told: unknown[] = [];
    const breaker: CardBreaker = {
      mayOpen: () => true,
      note: (outcome) => void told.push(outcome instanceof BridgeError ? outcome.code : outcome),
      reason: () => null,
    };
    const results = [opening, ...writing];
    const act = async () => {
      const code = results.shift();
      if (code) throw failure(code);
    };
    return {
      told,
      card: watchCard({ ...cardRefusals, open: act, write: act, close: act } satisfies CardSink, breaker),
    };
  }

  async function use(card: CardSink, frames: number): Promise<number> {
    let failed = 0;
    const count = () => (failed += 1);
    await card.open().catch(count);
    for (let sent = 0; sent < frames; sent += 1) await card.write(frame).catch(count);
    return failed;
  }

  test('has worked with its first frame, not when it was opened', async () => {
    const { told, card } = watched(null);
    await use(card, 0);
    expect(told).toEqual([]);
    expect(await use(card, 3)).toBe(0);
    expect(told).toEqual(['opened']);
  });

  test('that does not open has failed', async () => {
    const { told, card } = watched('dingtalk_template_missing');
    expect(await use(card, 0)).toBe(1);
    expect(told).toEqual(['dingtalk_template_missing']);
  });

  test('whose frames all fail has failed once', async () => {
    const { told, card } = watched(null, 'dingtalk_card_variable', 'dingtalk_card_variable', 'dingtalk_card_variable');
    expect(await use(card, 3)).toBe(3);
    expect(told).toEqual(['dingtalk_card_variable']);
  });

  test('that shows a later frame has worked', async () => {
    const { told, card } = watched(null, 'dingtalk_qps', 'dingtalk_card_variable', null);
    expect(await use(card, 3)).toBe(2);
    expect(told).toEqual(['dingtalk_qps', 'dingtalk_card_variable', 'opened']);
  });

  test('that has shown something has not failed any more', async () => {
    const { told, card } = watched(null, null, 'dingtalk_refused');
    expect(await use(card, 2)).toBe(1);
    expect(told).toEqual(['opened']);
  });
});
