import { describe, expect, test } from 'vitest';
import { readConfig, type Config, type Environment } from '../../lib/config/config.ts';
import { deploymentSettings } from '../../lib/config/deployment-settings.ts';
import { robotSettings } from '../../lib/config/robot-settings.ts';
import { camelCase } from '../../lib/config/settings.ts';

const minimal = { DINGTALK_CLIENT_ID: 'ding1', DINGTALK_CLIENT_SECRET: 's1', DIFY_API_KEY: 'app-1' };

function config(env: Environment): Config {
  const result = readConfig(env);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function wrong(env: Environment): string[] {
  const result = readConfig(env);
  return result.ok ? [] : result.problems.map(({ variable }) => variable);
}

test('three variables are enough, and the defaults are those of the contract', () => {
  const { robots, store, publicUrl, port } = config(minimal);
  expect(robots).toHaveLength(1);
  expect(robots[0]).toMatchObject({
    name: null,
    dingtalk: {
      clientSecrets: ['s1'],
      robotCode: 'ding1',
      cardTemplateId: null,
      cardContentKey: 'content',
      cardMaxChars: 3000,
      cardSettleMs: 0,
      cardWide: true,
      apiUrl: 'https://api.dingtalk.com',
      oapiUrl: 'https://oapi.dingtalk.com',
      callsPerSecond: 20,
      monthlyCalls: 0,
    },
    dify: {
      apiUrl: 'https://api.dify.ai/v1',
      filesUrl: 'https://upload.dify.ai',
      appType: 'auto',
      inputs: {},
      queryInput: 'query',
    },
    conversation: { scope: 'user-in-chat', ttlMs: 43_200 * 60_000 },
    streaming: 'balanced',
    access: { allowedUsers: null, allowedChats: null, adminUsers: [], rateLimit: null },
    showThinking: false,
    notifyAfterMs: 60_000,
    aiLabel: true,
    language: 'zh-CN',
  });
  expect(store).toEqual({ kind: 'memory' });
  expect(publicUrl).toBe('http://127.0.0.1:3000');
  expect(port).toBe(3000);
});

test.each([
  [{}, true],
  [{ REPLY_LANGUAGE: 'en' }, false],
  [{ REPLY_LANGUAGE: 'en', AI_LABEL: 'true' }, true],
  [{ AI_LABEL: 'false' }, false],
])('messages are labelled as the language or AI_LABEL says: %j', (env, aiLabel) => {
  expect(config({ ...minimal, ...env }).robots[0]).toMatchObject({ aiLabel });
});

test('NOTIFY_AFTER_S of 0 is never', () => {
  expect(config({ ...minimal, NOTIFY_AFTER_S: '0' }).robots[0]).toMatchObject({ notifyAfterMs: null });
});

describe('a wrong configuration', () => {
  test('names everything that is missing at once', () => {
    expect(wrong({})).toEqual(['DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY']);
  });

  test('names everything that is malformed at once, and never a value', () => {
    const env = {
      ...minimal,
      DIFY_API_URL: 'dify.internal-secret',
      DIFY_INPUTS: '[1]',
      STREAMING: 'warp',
      USER_RATE_LIMIT: '20 an hour',
      PORT: '70000',
      SHOW_THINKING: 'perhaps',
      CONVERSATION_TTL_MINUTES: '-1',
      DINGTALK_CLIENT_SECRET: 'a,b,c',
    };
    const result = readConfig(env);
    if (result.ok) throw new Error('accepted');
    expect(result.problems.map(({ variable }) => variable).toSorted()).toEqual(
      Object.keys(env)
        .filter((name) => name !== 'DINGTALK_CLIENT_ID' && name !== 'DIFY_API_KEY')
        .toSorted(),
    );
    const printed = JSON.stringify(result.problems);
    for (const value of ['internal-secret', 'warp', 'perhaps', '70000', 'a,b,c']) expect(printed).not.toContain(value);
  });

  test('an empty value counts as unset', () => {
    expect(wrong({ ...minimal, DIFY_API_KEY: '  ', STREAMING: '' })).toEqual(['DIFY_API_KEY']);
  });

  test('on Vercel a store is required, and half a store is never one', () => {
    expect(wrong({ ...minimal, VERCEL: '1' })).toEqual(['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN']);
    expect(wrong({ ...minimal, UPSTASH_REDIS_REST_URL: 'https://a.upstash.io' })).toEqual(['UPSTASH_REDIS_REST_TOKEN']);
    expect(wrong({ ...minimal, VERCEL: '1', KV_REST_API_TOKEN: 't' })).toEqual(['KV_REST_API_URL']);
  });

  test('of the store is named whole: a malformed address hides no missing token, and is not called missing', () => {
    const malformed = { ...minimal, UPSTASH_REDIS_REST_URL: 'a.upstash.io' };
    expect(wrong(malformed)).toEqual(['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN']);
    expect(wrong({ ...malformed, UPSTASH_REDIS_REST_TOKEN: 't' })).toEqual(['UPSTASH_REDIS_REST_URL']);
  });
});

test('a Stream connection is a setting of the robot, and only one robot can have it for a client id', () => {
  const other = { name: 'hr', dingtalkClientId: 'ding2', dingtalkClientSecret: 's2' };
  const bots = (...robots: object[]) => ({ ...minimal, BOTS: JSON.stringify(robots) });
  const connections = (env: Environment) => config(env).robots.map(({ dingtalk }) => dingtalk.connection);
  expect(connections(bots({ ...other, dingtalkConnection: 'stream' }))).toEqual(['http', 'stream']);
  expect(connections({ ...bots(other), DINGTALK_CONNECTION: 'stream' })).toEqual(['stream', 'stream']);
  const same = { ...other, dingtalkClientId: 'ding1' };
  expect(wrong({ ...bots(other, { ...same, name: 'it' }), DINGTALK_CONNECTION: 'stream' })).toEqual([
    'BOTS[1].dingtalkConnection',
  ]);
  expect(connections({ ...bots({ ...same, dingtalkConnection: 'http' }), DINGTALK_CONNECTION: 'stream' })).toEqual([
    'stream',
    'http',
  ]);
  expect(wrong({ ...minimal, DINGTALK_CONNECTION: 'socket' })).toEqual(['DINGTALK_CONNECTION']);
});

test('the store is found under both pairs of names', () => {
  const upstash = { UPSTASH_REDIS_REST_URL: 'https://a.upstash.io/', UPSTASH_REDIS_REST_TOKEN: 't' };
  const kv = { KV_REST_API_URL: 'https://a.upstash.io', KV_REST_API_TOKEN: 't' };
  for (const names of [upstash, kv]) {
    expect(config({ ...minimal, ...names }).store).toEqual({
      kind: 'upstash',
      url: 'https://a.upstash.io',
      token: 't',
    });
  }
});

test('a self-hosted Dify serves its files itself', () => {
  const robot = config({ ...minimal, DIFY_API_URL: 'http://dify.example:8080/v1/' }).robots[0];
  expect(robot?.dify).toMatchObject({ apiUrl: 'http://dify.example:8080/v1', filesUrl: 'http://dify.example:8080' });
});

test('a secret being rotated, lists and rates are read', () => {
  const robot = config({
    ...minimal,
    DINGTALK_CLIENT_SECRET: 'new, old',
    ALLOWED_USERS: 'u1, u2，u3',
    ADMIN_USERS: 'boss',
    USER_RATE_LIMIT: '20/1h',
    CONVERSATION_TTL_MINUTES: '0',
  }).robots[0];
  expect(robot?.dingtalk.clientSecrets).toEqual(['new', 'old']);
  expect(robot?.access).toEqual({
    allowedUsers: ['u1', 'u2', 'u3'],
    allowedChats: null,
    adminUsers: ['boss'],
    rateLimit: { questions: 20, windowMs: 3_600_000 },
  });
  expect(robot?.conversation.ttlMs).toBeNull();
});

describe('the public address', () => {
  test('is the production domain on Vercel, the deployment in a preview, and never guessed from a request', () => {
    const vercel = { ...minimal, VERCEL_PROJECT_PRODUCTION_URL: 'bot.example', VERCEL_URL: 'x-preview.example' };
    expect(config(vercel).publicUrl).toBe('https://bot.example');
    expect(config({ ...vercel, VERCEL_ENV: 'preview' }).publicUrl).toBe('https://x-preview.example');
    expect(config({ ...vercel, PUBLIC_URL: 'https://own.example/' }).publicUrl).toBe('https://own.example');
    expect(config({ ...minimal, PORT: '8080' }).publicUrl).toBe('http://127.0.0.1:8080');
  });
});

describe('several robots', () => {
  const bot = { name: 'hr', dingtalkClientId: 'ding-hr', dingtalkClientSecret: 's-hr' };

  test('inherit the flat settings, but never what belongs to one DingTalk app', () => {
    const { robots } = config({
      ...minimal,
      DINGTALK_CARD_TEMPLATE_ID: 't1.schema',
      DINGTALK_CARD_CONTENT_KEY: 'body',
      DINGTALK_ROBOT_CODE: 'code1',
      STREAMING: 'thrifty',
      BOTS: JSON.stringify([{ ...bot, difyInputs: { team: 'hr' }, allowedUsers: ['u1', 'u2'], showThinking: true }]),
    });
    expect(robots.map(({ name }) => name)).toEqual([null, 'hr']);
    expect(robots[1]).toMatchObject({
      dingtalk: { robotCode: 'ding-hr', cardTemplateId: null, cardContentKey: 'content', clientSecrets: ['s-hr'] },
      dify: { apiKey: 'app-1', inputs: { team: 'hr' } },
      streaming: 'thrifty',
      showThinking: true,
      access: { allowedUsers: ['u1', 'u2'] },
    });
  });

  test('take every setting of a robot and none of the deployment', () => {
    const empty = (settings: object) => Object.fromEntries(Object.keys(settings).map((name) => [camelCase(name), '']));
    const entry = { ...empty(robotSettings), ...bot, difyApiKey: 'app-2' };
    expect(config({ BOTS: JSON.stringify([entry]) }).robots).toHaveLength(1);
    expect(wrong({ BOTS: JSON.stringify([{ ...entry, ...empty(deploymentSettings) }]) })).toEqual(
      Object.keys(empty(deploymentSettings)).map((key) => `BOTS[0].${key}`),
    );
  });

  test('inherit the pause and the rate, but not the buttons, which belong to the template', () => {
    const flat = { ...minimal, DINGTALK_CARD_BUTTONS: 'true', DINGTALK_CARD_SETTLE_MS: '500', USER_RATE_LIMIT: '1/1h' };
    const { robots } = config({ ...flat, BOTS: JSON.stringify([bot]) });
    expect(robots.map(({ dingtalk }) => dingtalk.cardButtons)).toEqual([true, false]);
    expect(robots.map(({ dingtalk }) => dingtalk.cardSettleMs)).toEqual([500, 500]);
    expect(robots[1]?.access.rateLimit).toEqual({ questions: 1, windowMs: 3_600_000 });
  });

  test('take ids that are written as numbers', () => {
    const { robots } = config({ ...minimal, BOTS: JSON.stringify([{ ...bot, allowedUsers: [10023, '10024'] }]) });
    expect(robots[1]?.access.allowedUsers).toEqual(['10023', '10024']);
  });

  test('do not need the flat variables', () => {
    const { robots } = config({ BOTS: JSON.stringify([{ ...bot, difyApiKey: 'app-2' }]) });
    expect(robots.map(({ name }) => name)).toEqual(['hr']);
  });

  test('are refused with every mistake named', () => {
    expect(wrong({ BOTS: '{' })).toEqual(['BOTS']);
    expect(wrong({ BOTS: '[]' })).toEqual(['BOTS']);
    expect(wrong({ BOTS: JSON.stringify([{ ...bot, name: 'HR Team', difyApiKey: 'a' }]) })).toEqual(['BOTS[0].name']);
    expect(
      wrong({ BOTS: JSON.stringify(['hr', { name: 'HR', typo: 1 }, { ...bot, difyApiKey: 'a', qps: 1 }]) }),
    ).toEqual([
      'BOTS[0]',
      'BOTS[1].name',
      'BOTS[1].typo',
      'BOTS[1].dingtalkClientId',
      'BOTS[1].dingtalkClientSecret',
      'BOTS[1].difyApiKey',
      'BOTS[2].qps',
    ]);
    expect(
      wrong({
        BOTS: JSON.stringify([
          { ...bot, difyApiKey: 'a', difyApiKye: 'typo' },
          { ...bot, streaming: 'fast' },
        ]),
      }),
    ).toEqual(['BOTS[0].difyApiKye', 'BOTS[1].name', 'BOTS[1].streaming', 'BOTS[1].difyApiKey']);
  });
});
