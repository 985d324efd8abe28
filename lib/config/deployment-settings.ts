import type { Setting, Values } from './settings.ts';
import { address, choice, redisAddress, text, whole } from './values.ts';

/** The settings of the deployment as a whole, which no entry of BOTS can have. Otherwise as in `robot-settings.ts`. */
export const deploymentSettings = {
  UPSTASH_REDIS_REST_URL: {
    schema: address,
    unset: 'unset; required on Vercel',
    meaning: 'Upstash Redis, REST address.',
  },
  UPSTASH_REDIS_REST_TOKEN: {
    schema: text,
    unset: 'unset; required on Vercel',
    isSecret: true,
    isAscii: true,
    meaning: 'Upstash Redis, REST token (the one that may write).',
  },
  KV_REST_API_URL: {
    schema: address,
    unset: 'unset',
    meaning:
      "UPSTASH_REDIS_REST_URL under the name that Vercel's integration uses; read when both of UPSTASH are unset.",
  },
  KV_REST_API_TOKEN: {
    schema: text,
    unset: 'unset',
    isSecret: true,
    isAscii: true,
    meaning: 'UPSTASH_REDIS_REST_TOKEN under that name.',
  },
  REDIS_URL: {
    schema: redisAddress,
    unset: 'unset',
    // It may hold a password.
    isSecret: true,
    meaning:
      'A Redis 7 or Valkey over TCP (redis://…, rediss://…), for npm run serve; read when the four above are unset, never on Vercel.',
  },
  LOG_LEVEL: {
    schema: choice(['debug', 'info', 'warn', 'error']),
    default: 'info',
    meaning: 'debug, info, warn or error.',
  },
  CRON_SECRET: {
    schema: text,
    unset: 'unset',
    isSecret: true,
    isAscii: true,
    meaning:
      "A long random text that opens ?sweep, which completes interrupted answers, and ?status; Vercel's cron sends it. Without it both are closed.",
  },
  QSTASH_TOKEN: {
    schema: text,
    unset: 'unset',
    isSecret: true,
    isAscii: true,
    meaning:
      'The token of an account at QStash (Upstash), where npm run setup and npm run doctor -- --fix create the schedule that calls ?sweep every two minutes. The function does not read it.',
  },
  QSTASH_URL: {
    schema: text,
    // Of the region that Upstash's console shows first; the other one is `https://qstash-us-east-1.upstash.io`.
    default: 'https://qstash.upstash.io',
    meaning: "The address of that account's region, as Upstash's console shows it.",
  },
  PUBLIC_URL: {
    schema: address,
    unset: 'the production domain; else http://127.0.0.1:PORT',
    meaning:
      "The function's own origin: hands long answers to a fresh invocation, and is where DingTalk sends presses on card buttons.",
  },
  FUNCTION_MAX_DURATION_S: {
    schema: whole(1, 3600),
    unset: 'what the platform says',
    meaning: 'Seconds one invocation may run, 1 to 3600; before that an answer is handed over or ended.',
  },
  PORT: {
    schema: whole(0, 65_535),
    default: '3000',
    meaning: 'The port where npm start and npm run serve listen.',
  },
  HOST: {
    schema: text,
    unset: '127.0.0.1 for npm start, 0.0.0.0 for npm run serve',
    meaning: 'The address where they listen.',
  },
  BOTS: {
    schema: text,
    unset: 'unset',
    // It holds the keys of the robots.
    isSecret: true,
    meaning: 'Several robots as a JSON array; see "Several robots" in docs/configuration.md.',
  },
} as const satisfies Record<string, Setting>;

/** The names of the store's address and token over HTTP, the first pair before the second. */
export const STORE_PAIRS = [
  ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'],
  ['KV_REST_API_URL', 'KV_REST_API_TOKEN'],
] as const;

/** What holds for the deployment, defaults included. */
export type DeploymentValues = Values<typeof deploymentSettings>;
