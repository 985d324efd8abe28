// The wrong schedules of the sweep for the doctor's table test.
import { ensureSchedule } from '../../scripts/schedule/schedule.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { freePort } from '../support/loopback.ts';
import type { KeptSchedule } from '../support/qstash.ts';
import type { WrongSetup } from './doctor-setup.ts';
import { BOT, CLIENT_ID, MARK, QSTASH_TOKEN, type Stage } from './doctor-stage.ts';

const known = { env: { QSTASH_TOKEN } };
const ports = { fetch: (url: string, init: RequestInit) => globalThis.fetch(url, init), clock: systemClock };
const HOUR_MS = 3_600_000;

/** The schedule as it is made, changed. */
const changed = (changes: Partial<KeptSchedule>) => async (stage: Stage) => {
  const account = { url: stage.qstash.origin, token: QSTASH_TOKEN };
  await ensureSchedule(ports, account, { clientId: CLIENT_ID, publicUrl: BOT, cronSecret: `${MARK}-cron-secret` });
  for (const schedule of stage.qstash.schedules.values()) Object.assign(schedule, changes);
};

/** Each is a warning: answers come all the same. */
const wrong = (
  name: string,
  code: string,
  says: RegExp,
  more: Pick<WrongSetup, 'run' | 'arrange' | 'also'>,
): WrongSetup => ({ name, code, level: 'warning', says, run: known, ...more });

export const WRONG_SCHEDULES: readonly WrongSetup[] = [
  wrong('no schedule', 'scheduleMissing', /bot\.example\.com.*--fix.*720/su, {}),
  wrong('a schedule without a secret to send', 'cronSecretMissing', /CRON_SECRET.*401/su, {
    run: { env: { QSTASH_TOKEN, CRON_SECRET: '' } },
  }),
  wrong('a schedule for an address that is not public', 'scheduleNowhere', /PUBLIC_URL/u, {
    run: { env: { QSTASH_TOKEN, PUBLIC_URL: 'http://127.0.0.1:3000' } },
  }),
  wrong('a wrong token of QStash', 'qstashToken', /QSTASH_TOKEN.*401.*QSTASH_URL/su, {
    run: { env: { QSTASH_TOKEN: `${MARK}-wrong` } },
  }),
  wrong('a read-only token of QStash', 'qstashReadOnly', /403.*Read-only token/su, {
    run: { env: { QSTASH_TOKEN: `${QSTASH_TOKEN}-read-only` }, request: { isFixing: true } },
  }),
  wrong('a QStash that cannot be reached', 'qstashUnreachable', /ECONNREFUSED.*QSTASH_URL/su, {
    run: async () => ({ env: { QSTASH_TOKEN, QSTASH_URL: `http://127.0.0.1:${await freePort()}` } }),
  }),
  wrong('a QStash that fails', 'qstashRefused', /500/u, {
    arrange: ({ qstash }) => {
      qstash.refuseWith = 500;
    },
  }),
  wrong('a schedule for the old address', 'scheduleElsewhere', /old\.example\.com.*bot\.example\.com.*--fix/su, {
    arrange: changed({ destination: 'https://old.example.com/api/dingtalk?sweep' }),
  }),
  wrong('a schedule that posts', 'scheduleMethod', /POST.*GET.*--fix/su, { arrange: changed({ method: 'POST' }) }),
  wrong('a schedule that runs every hour', 'scheduleRare', /0 \* \* \* \*.*--fix/su, {
    arrange: changed({ cron: '0 * * * *' }),
  }),
  wrong('a schedule without the bearer', 'scheduleSecret', /CRON_SECRET.*401.*--fix/su, {
    arrange: changed({ forwarded: {}, redacted: [] }),
  }),
  wrong('a schedule with an old secret', 'scheduleSecret', /CRON_SECRET.*401.*--fix/su, {
    arrange: changed({ forwarded: { authorization: `Bearer ${MARK}-old` }, redacted: [] }),
  }),
  wrong('a schedule that is paused', 'schedulePaused', /Schedules/u, { arrange: changed({ isPaused: true }) }),
  wrong('two schedules', 'scheduleTwice', /2.*1,?000.*Schedules/su, {
    async arrange(stage) {
      await changed({})(stage);
      const [own] = stage.qstash.schedules.values();
      if (own) stage.qstash.schedules.set('scd_by_hand', { ...own, scheduleId: 'scd_by_hand' });
    },
  }),
  wrong('a schedule that has stopped', 'scheduleStopped', /\d{4}-\d\d-\d\dT.*Usage/su, {
    arrange: changed({ createdAt: Date.now() - 9 * HOUR_MS, lastScheduleTime: Date.now() - HOUR_MS }),
  }),
  wrong('a schedule that has never fired', 'scheduleStopped', /Usage/u, {
    arrange: changed({ createdAt: Date.now() - HOUR_MS }),
  }),
  wrong('a schedule that the sweep refuses', 'scheduleFails', /CRON_SECRET.*--fix.*Logs/su, {
    arrange: changed({ lastScheduleTime: Date.now(), lastScheduleStates: { msg_1: 'FAIL' } }),
  }),
];
