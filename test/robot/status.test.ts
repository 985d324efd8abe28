import { expect, test } from 'vitest';
import { reportOf } from '../../lib/robot/status.ts';
import type { RobotStatus } from '../../lib/state/state.ts';
import { robotOf } from '../support/turn.ts';

const report = (status: Partial<RobotStatus>, env: Record<string, string> = {}) =>
  reportOf(
    robotOf(env),
    {
      status: async () => ({
        running: 1,
        waiting: 2,
        calls: 3,
        lastAcceptedAtMs: null,
        arrivals: [],
        failures: [],
        ...status,
      }),
    },
    0,
  );

test('an operator sees how a robot fares', async () => {
  const lastAcceptedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  expect(await report({ lastAcceptedAtMs }, { DINGTALK_MONTHLY_CALLS: '5000' })).toEqual({
    running: 1,
    waiting: 2,
    callsThisMonth: 3,
    monthlyCalls: 5_000,
    lastCallback: '2026-01-02T03:04:05.000Z',
    callbacks: [],
    lastSweep: null,
    failures: [],
  });
});

test('a robot without an allowance, or that nobody has asked, has none to show', async () => {
  expect(await report({})).toMatchObject({ monthlyCalls: null, lastCallback: null });
});

test('an operator sees by which way callbacks come, and how far the clocks are apart', async () => {
  const arrivals = [
    { door: 'http', atMs: 1_000, offsetMs: -200 },
    { door: 'stream', atMs: 3_000, offsetMs: null },
    { door: 'sweep', atMs: 2_000, offsetMs: null },
  ] as const;
  expect(await report({ lastAcceptedAtMs: 500, arrivals })).toMatchObject({
    // A command is no question, and yet a callback.
    lastCallback: '1970-01-01T00:00:03.000Z',
    callbacks: [
      { door: 'http', last: '1970-01-01T00:00:01.000Z', clockOffsetMs: -200 },
      { door: 'stream', last: '1970-01-01T00:00:03.000Z', clockOffsetMs: null },
    ],
    lastSweep: '1970-01-01T00:00:02.000Z',
  });
});

test('the last failure comes first', async () => {
  const failures = [
    { code: 'dify_busy', count: 3, lastMs: 1_000 },
    { code: 'internal', count: 1, lastMs: 2_000 },
  ];
  expect((await report({ failures })).failures).toEqual([
    { code: 'internal', count: 1, last: '1970-01-01T00:00:02.000Z' },
    { code: 'dify_busy', count: 3, last: '1970-01-01T00:00:01.000Z' },
  ]);
});
