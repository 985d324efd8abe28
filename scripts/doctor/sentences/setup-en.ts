import { facts, isMissing, line, needOf, ofRobot } from './line.ts';

const CONSOLE = 'open-dev.dingtalk.com → 应用开发 → the app';
const CREDENTIALS = `${CONSOLE} → 凭证与基础信息`;
const UPSTASH = 'console.upstash.com → the database → REST API';
const VARIABLES = 'in .env, or on Vercel: Settings → Environment Variables, then deploy again';

/** Configuration, platform and store. */
export const setupEn = {
  configurationRead: (robots: readonly { name: string | null; clientId: string }[]) =>
    line(
      `complete; robots: ${robots.map(({ name, clientId }) => `${name ?? '(default robot)'} ${clientId}`).join(', ')}`,
    ),
  variable: (variable: string, expected: string) =>
    isMissing(expected)
      ? line(`${variable} is missing`, `set ${variable} (${needOf(expected)})`, VARIABLES)
      : line(`${variable} has a wrong form`, `set ${variable} to ${expected}`, VARIABLES),
  valuesFine: () => line('no suspicious values'),
  valueQuoted: (variable: string) =>
    line(
      `${variable} begins and ends with a quotation mark`,
      'remove the quotation marks: outside of files they are part of the value',
      VARIABLES,
    ),
  valueUnusable: (variable: string) =>
    line(
      `${variable} holds a space or a character that no id, key or token has`,
      'copy it again: often a full-width character, a line break or a second value came along',
      VARIABLES,
    ),
  templateIdOdd: (id: string, robot: string | null) =>
    line(
      `DINGTALK_CARD_TEMPLATE_ID${ofRobot(robot)} is ${id}, without .schema at its end`,
      'copy the whole template ID from the list of templates: it ends in .schema',
      'open-dev.dingtalk.com/fe/card → 模板列表',
    ),
  secretLooksLikeId: (robot: string | null) =>
    line(
      `DINGTALK_CLIENT_SECRET${ofRobot(robot)} looks like a Client ID`,
      'copy the Client Secret, which stands below the Client ID',
      CREDENTIALS,
    ),
  robotCodeDiffers: (robot: string | null) =>
    line(
      `DINGTALK_ROBOT_CODE${ofRobot(robot)} is not the Client ID; for the robot of an internal app both are the same`,
      'leave DINGTALK_ROBOT_CODE out, unless the page of the robot shows this very code: messages for another robot are ignored',
      `${CONSOLE} → 机器人`,
    ),
  staffIdsOdd: (variable: string, count: number, robot: string | null) =>
    line(
      `entries of ${variable}${ofRobot(robot)} that are no staff ids, such as names or ids of chats: ${count}; they match no person`,
      'list staff ids, separated by commas: /id in a chat with the robot tells one’s own',
      VARIABLES,
    ),
  chatIdsOdd: (count: number, robot: string | null) =>
    line(
      `entries of ALLOWED_CHATS${ofRobot(robot)} that are no ids of groups: ${count}; they match none`,
      'list conversation ids (cid…), not titles: /id in the group tells its own',
      VARIABLES,
    ),
  placeholdersUnknown: (unknown: readonly string[], known: readonly string[], robot: string | null) =>
    line(
      `DIFY_INPUTS${ofRobot(robot)} holds {{${unknown.join('}}, {{')}}}, which nothing replaces: the app gets it as it stands`,
      `use one of ${known.map((name) => `{{${name}}}`).join(', ')}`,
      VARIABLES,
    ),
  difyKeyDataset: (robot: string | null) =>
    line(
      `DIFY_API_KEY${ofRobot(robot)} is the key of a knowledge base (dataset-…)`,
      'create a key of the app: it begins with app-',
      'Dify → the app → API Access → API Key',
    ),
  difyKeyOdd: (robot: string | null) =>
    line(
      `DIFY_API_KEY${ofRobot(robot)} does not begin with app-`,
      'check that it is the key of an app',
      'Dify → the app → API Access → API Key',
    ),
  difyUrlOdd: (robot: string | null) =>
    line(
      `DIFY_API_URL${ofRobot(robot)} does not end in /v1`,
      'copy the API address as Dify shows it; nearly always it ends in /v1',
      'Dify → the app → API Access',
    ),
  storeTwice: () =>
    line(
      'UPSTASH_REDIS_REST_… and KV_REST_API_… name different stores; the first pair is used',
      'remove the pair that is not wanted, or there are two sets of records',
      VARIABLES,
    ),
  publicUrlDiffers: (host: string) =>
    line(
      `PUBLIC_URL is not at ${host}`,
      'set PUBLIC_URL to the address that DingTalk calls: handovers of long answers and card buttons go there',
      VARIABLES,
    ),
  publicUrlPath: () =>
    line(
      'PUBLIC_URL holds the path /api/dingtalk, which the function adds by itself: buttons and handovers would go nowhere',
      'set PUBLIC_URL to the beginning alone, such as https://bot.example.com',
      VARIABLES,
    ),
  nodeFine: (version: string) => line(`Node ${version}`),
  nodeTooOld: (version: string) =>
    line(
      `Node ${version} is too old`,
      'use Node 24: install it, or start by npm run, which fetches it',
      'on Vercel: Settings → Build and Deployment → Node.js Version → 24.x',
    ),
  nodeUntried: (version: string) =>
    line(`Node ${version} is newer than what this was tried with`, 'use Node 24 if something odd happens'),
  limitUnset: () =>
    line(
      'FUNCTION_MAX_DURATION_S is not set: the platform says when an invocation ends (vercel.json: 300 s); elsewhere nothing does',
    ),
  limitFine: (seconds: number) => line(`an invocation may run for ${seconds} s`),
  limitShort: (seconds: number) =>
    line(
      `an invocation may run for ${seconds} s only: most answers will be handed over in the middle`,
      'raise FUNCTION_MAX_DURATION_S and maxDuration in vercel.json to 300',
      VARIABLES,
    ),
  limitAboveHobby: (seconds: number) =>
    line(
      `FUNCTION_MAX_DURATION_S is ${seconds}, and Vercel's Hobby plan allows 300 s`,
      'on Hobby set it to 300 or leave it out; on Pro raise maxDuration in vercel.json as well',
      VARIABLES,
    ),
  limitAboveAll: (seconds: number) =>
    line(
      `FUNCTION_MAX_DURATION_S is ${seconds}, and Vercel allows 300 s (Hobby) or 800 s (Pro)`,
      'set it to what the platform allows; on a server of your own leave it out',
      VARIABLES,
    ),
  clockFine: (host: string) => line(`agrees with ${host}`),
  clockUnknown: () => line('no answer told the time, so it was not compared'),
  clockOff: (minutes: number, isAhead: boolean) =>
    line(
      `this machine's clock is ${minutes} minutes ${isAhead ? 'ahead' : 'behind'}`,
      'set the clock, best by NTP; from an hour on every message is refused',
      'on this machine, e.g. timedatectl set-ntp true',
    ),
  clockWrong: (minutes: number, isAhead: boolean) =>
    line(
      `this machine's clock is ${minutes} minutes ${isAhead ? 'ahead' : 'behind'}: signatures more than an hour off are refused`,
      'set the clock, best by NTP',
      'on this machine, e.g. timedatectl set-ntp true',
    ),
  storeNone: () =>
    line(
      'none: an in-process store, which forgets everything at a restart and does not work with several instances',
      'create an Upstash Redis and set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN; it is required on Vercel. On a server of your own REDIS_URL will do',
      'Vercel → Storage → Upstash for Redis',
    ),
  storeFine: (host: string) => line(`${host}: reachable, scripts run and may write`),
  storeTokenWrong: (host: string, status: number) =>
    line(
      `${host} does not take the token (${facts(status)})`,
      'copy UPSTASH_REDIS_REST_TOKEN (or KV_REST_API_TOKEN) again; it belongs to this address only',
      UPSTASH,
    ),
  storeReadOnly: (host: string) =>
    line(
      `${host}: the token or user may only read`,
      'use the token that may write, not the Read-Only Token (KV_REST_API_READ_ONLY_TOKEN); with REDIS_URL a user that may run EVAL, EVALSHA and SET',
      UPSTASH,
    ),
  storeUnreachable: (host: string, reason: string) =>
    line(
      `no connection to ${host} (${reason})`,
      'check UPSTASH_REDIS_REST_URL; a database that was unused for a month is archived and must be restored',
      UPSTASH,
    ),
  storeTcpUnreachable: (host: string) =>
    line(
      `REDIS_URL: ${host} cannot be used`,
      'check host, port, user and password, rediss:// where it wants TLS, the firewall, and that the user may run EVAL and EVALSHA; Redis 7 or Valkey',
    ),
  storeForeign: (host: string, status: number) =>
    line(
      `${host} does not answer like Upstash (${facts(status)})`,
      'UPSTASH_REDIS_REST_URL is the https address under REST API; a redis:// address goes into REDIS_URL',
      UPSTASH,
    ),
  storeLoginWrong: (host: string, said: string) =>
    line(
      `REDIS_URL: ${host} does not accept the user or password (${said})`,
      'check both in REDIS_URL, redis://USER:PASSWORD@HOST:PORT; write characters such as @ and / percent-encoded',
    ),
  storeUsedUp: (host: string, said: string) =>
    line(
      `${host}: the requests of its plan are used up (${said})`,
      'choose a larger plan, or wait until the month (or the day) is over',
      UPSTASH,
    ),
  storeFull: (host: string, said: string) =>
    line(
      `${host} is full and takes nothing new (${said})`,
      'choose a larger plan, or delete what other programs keep there; on a server of your own raise maxmemory',
      UPSTASH,
    ),
  storeNotReady: (host: string, said: string) =>
    line(
      `${host} is there but refuses for now (${said})`,
      'LOADING and BUSY pass; READONLY and MASTERDOWN: REDIS_URL names a replica, use the primary; MISCONF: the server cannot save to its disk; CROSSSLOT and MOVED: a cluster, which is not served, use a single Redis; max …: too many clients are connected',
    ),
  storeRefused: (host: string, status: number, code: string) =>
    line(
      `${host} refuses scripts (${facts(status, code)})`,
      'use a Redis that runs EVAL: Upstash, Redis 7, Valkey',
      UPSTASH,
    ),
  storeFast: (ms: number) => line(`a round trip takes ${ms} ms from here`),
  storeSlow: (ms: number) =>
    line(
      `a round trip takes ${ms} ms from here; each message waits for one before it is acknowledged`,
      'put database and function into the same region (regions in vercel.json, for example sin1); from a far machine this line means nothing',
      'Upstash → the database → Region',
    ),
};
