import { facts, line } from './line.ts';

const VARIABLES = '.env; or Vercel → Settings → Environment Variables, then deploy again';
const QSTASH = 'console.upstash.com → QStash → Quickstart';
const SCHEDULES = 'console.upstash.com → QStash → Schedules';
const ROBOT = 'open-dev.dingtalk.com → 应用开发 → the app → 机器人 → 消息接收模式';
const FIX = 'npm run doctor -- --fix sets it right';

/** The schedule that calls the sweep, and the sweep itself. */
export const scheduleEn = {
  scheduleUnknown: () =>
    line(
      'QSTASH_TOKEN is not set, so no schedule at QStash is looked for. npm run serve sweeps by itself and needs none',
    ),
  cronSecretMissing: () =>
    line(
      'CRON_SECRET is not set: ?sweep refuses every request (HTTP 401), so no schedule can complete interrupted answers',
      'set CRON_SECRET to a long random text, here and in the deployment, and deploy again',
      VARIABLES,
    ),
  scheduleNowhere: (host: string) =>
    line(
      `PUBLIC_URL names ${host}, which QStash cannot reach`,
      'set PUBLIC_URL to the public https address of the deployment',
      VARIABLES,
    ),
  scheduleMissing: (host: string) =>
    line(
      `no schedule at QStash calls the sweep of ${host}`,
      'npm run doctor -- --fix creates it: every two minutes, 720 messages a day of the 1,000 free',
      SCHEDULES,
    ),
  scheduleElsewhere: (found: string, host: string) =>
    line(`the schedule calls another address, at ${found}, and not the sweep of ${host}`, FIX, SCHEDULES),
  scheduleMethod: (method: string) =>
    line(`the schedule sends ${method}, and the sweep answers only GET`, FIX, SCHEDULES),
  scheduleRare: (cron: string) =>
    line(`the schedule runs too rarely (${cron}): an interrupted answer waits that long`, FIX, SCHEDULES),
  scheduleSecret: (isMissing: boolean) =>
    line(
      `the schedule sends ${isMissing ? 'no' : 'another'} CRON_SECRET, so the sweep refuses it (HTTP 401)`,
      FIX,
      SCHEDULES,
    ),
  schedulePaused: () => line('the schedule is paused', 'resume it', SCHEDULES),
  scheduleTwice: (count: number) =>
    line(
      `${count} schedules call this sweep; together they use up the 1,000 free messages of a day`,
      'delete all but one',
      SCHEDULES,
    ),
  scheduleStopped: (last: string | null) =>
    line(
      `the schedule does not run${last === null ? ': it has never fired' : ` any more: it fired last at ${last}`}`,
      'see whether the messages of the day are used up; they count anew each day',
      'console.upstash.com → QStash → Usage',
    ),
  scheduleFails: (last: string | null) =>
    line(
      `the schedule runs${last === null ? '' : `, last at ${last}`}, and the sweep refuses or fails`,
      'set the same CRON_SECRET here and in the deployment, then npm run doctor -- --fix; the log of QStash shows the status',
      'console.upstash.com → QStash → Logs',
    ),
  scheduleNew: () => line('the schedule is there; it has not fired yet'),
  scheduleRuns: (last: string) => line(`the schedule calls the sweep, last at ${last}`),
  scheduleMade: (host: string, isUpdate: boolean) =>
    line(`${isUpdate ? 'set right' : 'created'}: the schedule calls the sweep of ${host} every two minutes`),
  qstashToken: (host: string, status: number) =>
    line(
      `${host} does not take QSTASH_TOKEN (${facts(status)})`,
      'copy QSTASH_TOKEN again, and QSTASH_URL with it: each region has a token of its own',
      QSTASH,
    ),
  qstashReadOnly: (host: string, status: number) =>
    line(
      `${host} lets QSTASH_TOKEN only read (${facts(status)})`,
      'use the token that may write, not the Read-only token',
      QSTASH,
    ),
  qstashUnreachable: (host: string, reason: string) =>
    line(`no connection to ${host} (${reason})`, 'check the network, a proxy or firewall, and QSTASH_URL', QSTASH),
  qstashRefused: (host: string, status: number) =>
    line(
      `${host} does not do what was asked (${facts(status)})`,
      'check QSTASH_URL, and how many schedules the plan allows (10 on the free one); then run the doctor again',
      SCHEDULES,
    ),
  sweepComes: (time: string) => line(`the sweep came last at ${time}`),
  sweepRare: (time: string | null) =>
    line(
      `the sweep ${time === null ? 'has never come' : `came last at ${time}`}: an answer whose function was killed stays unfinished until the next question or the daily cron, and so does a form whose time is over`,
      'set QSTASH_TOKEN and run npm run doctor -- --fix; or, on a paid Vercel plan, let the cron in vercel.json run every minute',
      QSTASH,
    ),
  callbacksElsewhere: (door: string, connection: string) =>
    line(
      `the last callback came by ${door}, but DINGTALK_CONNECTION is ${connection} here`,
      'set the same DINGTALK_CONNECTION here as where the robot runs, and choose the same 消息接收模式 in the console',
      VARIABLES,
    ),
  functionClockOff: (minutes: number, isAhead: boolean) =>
    line(
      `the clock where the function runs was ${minutes} minutes ${isAhead ? 'ahead of' : 'behind'} DingTalk's at the last callback`,
      'set that clock, best by NTP; from an hour on every message is refused',
      'on the server of the function, e.g. timedatectl set-ntp true',
    ),
  consoleUnknown: () =>
    line(
      'mode and address of the robot are not read: only DingTalk’s dws can, where a developer of the app is logged in (dws auth login)',
    ),
  consoleFine: (mode: string) => line(`the robot is on, its mode is ${mode}, and the address is right`),
  robotOffline: (status: string) =>
    line(`the robot is switched off (${status})`, 'switch it on and publish a version', ROBOT),
  modeDiffers: (mode: string, connection: string) =>
    line(
      `the robot's mode is ${mode || 'not set'}, but DINGTALK_CONNECTION is ${connection}: its messages do not come here`,
      `choose 消息接收模式 ${connection === 'stream' ? 'Stream 模式' : 'HTTP 模式'} and publish a version; or set DINGTALK_CONNECTION`,
      ROBOT,
    ),
  consoleAddress: (found: string, expected: string) =>
    line(
      `DingTalk sends messages to ${found || 'no address'}, not to ${expected}`,
      `set 消息接收地址 to ${expected} and publish a version`,
      ROBOT,
    ),
  streamNever: () =>
    line(
      'no message has ever come over the Stream connection',
      'start npm run serve, choose Stream 模式 for the robot and publish a version with the askers within 可用范围; in groups only messages that @ the robot arrive',
      ROBOT,
    ),
  callbackUntried: () =>
    line(
      'the function registers its address for buttons before its first card; npm run doctor -- --fix registers it now and shows whether DingTalk takes it',
    ),
};
