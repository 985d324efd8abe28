// The wrong set-ups of the doctor's table test: how each is made, and what has to be said about it.
import { freePort } from '../support/loopback.ts';
import type { WrongSetup } from './doctor-setup.ts';
import { WRONG_DEPLOYMENTS } from './doctor-address-cases.ts';
import { WRONG_SCHEDULES } from './doctor-schedule-cases.ts';
import { WRONG_STREAMS } from './doctor-stream-cases.ts';
import { BOT, CLIENT_ID, clockOffBy, MARK, page, STORE_TOKEN, TEMPLATE } from './doctor-stage.ts';

const card = { request: { cardTo: 'staff-1' } };
const without = (scope: string): NonNullable<WrongSetup['arrange']> => {
  return ({ dingtalk }) => {
    dingtalk.settings.permissions = dingtalk.settings.permissions.filter((permission) => permission !== scope);
  };
};
const difyAnswers =
  (api: 'info' | 'parameters', name: string): NonNullable<WrongSetup['arrange']> =>
  ({ dify }) => {
    dify.faults.inject({ api, kind: 'http', name, times: Infinity });
  };
const textInputs = (...names: string[]) => ({
  user_input_form: names.map((variable) => ({ 'text-input': { variable, label: variable, required: true } })),
});

const CONFIGURATION: WrongSetup[] = [
  {
    name: 'malformed variables',
    run: { env: { STREAMING: 'warp', DIFY_API_URL: 'nonsense' } },
    code: 'variable',
    says: /STREAMING.*balanced/su,
  },
  {
    name: 'a missing variable',
    run: { env: { DIFY_API_KEY: '' } },
    code: 'variable',
    says: /DIFY_API_KEY/u,
  },
  {
    name: 'BOTS with an unknown key',
    run: {
      env: {
        BOTS: JSON.stringify([
          { name: 'hr', dingtalkClientId: 'dinghr', dingtalkClientSecret: `${MARK}-hr`, difyKey: `app-${MARK}-hr` },
        ]),
      },
    },
    code: 'variable',
    says: /BOTS\[0\]\.difyKey/u,
  },
  {
    name: 'no store on Vercel',
    run: { env: { VERCEL: '1', UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '' } },
    code: 'variable',
    says: /UPSTASH_REDIS_REST_URL.*Vercel/su,
  },
  {
    name: 'no store anywhere',
    run: { env: { UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '' } },
    code: 'storeNone',
    level: 'warning',
    says: /UPSTASH_REDIS_REST_URL/u,
  },
  {
    name: 'two stores',
    run: { env: { KV_REST_API_URL: 'https://other.upstash.io', KV_REST_API_TOKEN: `${MARK}-kv` } },
    code: 'storeTwice',
    level: 'warning',
    says: /KV_REST_API_/u,
  },
  {
    name: 'a template id without its end',
    run: { env: { DINGTALK_CARD_TEMPLATE_ID: 'template-1' } },
    code: 'templateIdOdd',
    level: 'warning',
    says: /\.schema/u,
  },
  {
    name: 'the client id in place of the secret',
    run: { env: { DINGTALK_CLIENT_SECRET: CLIENT_ID } },
    code: 'secretLooksLikeId',
    level: 'warning',
    says: /Client Secret.*凭证与基础信息/su,
    also: ['credentials', 'otherSecret'],
  },
  {
    name: 'a value in quotation marks',
    run: { env: { CRON_SECRET: `"${MARK}"` } },
    code: 'valueQuoted',
    level: 'warning',
    says: /CRON_SECRET/u,
    also: ['statusClosed'],
  },
  {
    name: 'a key with a full-width character',
    run: { env: { DIFY_API_KEY: `app-${MARK}\uff01` } },
    code: 'valueUnusable',
    level: 'warning',
    says: /DIFY_API_KEY/u,
    also: ['difyUnreachable'],
  },
  {
    name: 'the key of a knowledge base',
    run: { env: { DIFY_API_KEY: `dataset-${MARK}` } },
    code: 'difyKeyDataset',
    says: /DIFY_API_KEY.*app-/su,
    also: ['difyKeyWrong'],
  },
  {
    name: 'a name in place of a staff id',
    run: { env: { ALLOWED_USERS: 'staff-1,王小明' } },
    code: 'staffIdsOdd',
    level: 'warning',
    says: /ALLOWED_USERS.*1.*\/id/su,
  },
  {
    name: "a group's title in place of its id",
    run: { env: { ALLOWED_CHATS: '人事群' } },
    code: 'chatIdsOdd',
    level: 'warning',
    says: /ALLOWED_CHATS.*cid….*\/id/su,
  },
  {
    name: 'a placeholder that does not exist',
    run: { env: { DIFY_INPUTS: '{"person":"{{staff_id}}"}' } },
    stage: { app: { parameters: textInputs('person') } },
    code: 'placeholdersUnknown',
    level: 'warning',
    says: /\{\{staff_id\}\}.*\{\{staffId\}\}/su,
  },
  {
    name: "a public address with the function's path",
    run: { env: { PUBLIC_URL: `${BOT}/api/dingtalk` } },
    code: 'publicUrlPath',
    says: /PUBLIC_URL.*https:\/\/bot\.example\.com/su,
  },
  {
    name: 'the address of Redis in place of that of its REST interface',
    run: { env: { UPSTASH_REDIS_REST_URL: `rediss://default:${MARK}@db.upstash.io:6379` } },
    code: 'variable',
    says: /^(?!.*UPSTASH_REDIS_REST_TOKEN).*UPSTASH_REDIS_REST_URL.*https:\/\//su,
  },
  { name: 'Node too old', run: { nodeVersion: 'v20.19.0' }, code: 'nodeTooOld', says: /Node 24/u },
  {
    name: 'invocations shorter than answers',
    run: { env: { FUNCTION_MAX_DURATION_S: '10' } },
    code: 'limitShort',
    level: 'warning',
    says: /FUNCTION_MAX_DURATION_S.*300/su,
  },
  { name: 'a clock 2 hours off', run: { clock: clockOffBy(120) }, code: 'clockWrong', says: /120.*NTP/su },
  {
    name: 'a clock 10 minutes off',
    run: { clock: clockOffBy(-10) },
    code: 'clockOff',
    level: 'warning',
    says: /10.*NTP/su,
  },
];

/** Something at the address of the store that refuses everything in these words. */
function storeThatSays(error: string, code: string, says: RegExp): WrongSetup {
  return {
    name: `a store that says ${error.split(' ', 4).join(' ')}`,
    stage: {
      instead: page(400, JSON.stringify({ error: `${error} ${MARK}` }), { 'content-type': 'application/json' }),
    },
    run: { env: { UPSTASH_REDIS_REST_URL: BOT } },
    code,
    says,
    also: ['addressForeign'],
  };
}

const STORE: WrongSetup[] = [
  {
    name: 'a wrong token of the store',
    run: { env: { UPSTASH_REDIS_REST_TOKEN: `${MARK}-wrong` } },
    code: 'storeTokenWrong',
    says: /UPSTASH_REDIS_REST_TOKEN/u,
  },
  {
    name: 'a read-only token of the store',
    run: { env: { UPSTASH_REDIS_REST_TOKEN: `${STORE_TOKEN}-read-only` } },
    code: 'storeReadOnly',
    says: /Read-Only Token/u,
  },
  {
    name: 'a store that cannot be reached',
    run: async () => ({ env: { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${await freePort()}` } }),
    code: 'storeUnreachable',
    says: /ECONNREFUSED.*UPSTASH_REDIS_REST_URL/su,
  },
  {
    name: 'a web page in place of the store',
    stage: { instead: page(200, '<html>') },
    run: { env: { UPSTASH_REDIS_REST_URL: BOT } },
    code: 'storeForeign',
    says: /UPSTASH_REDIS_REST_URL/u,
    also: ['addressForeign'],
  },
  storeThatSays('ERR max requests limit exceeded. Limit: 500000, Usage: 500000.', 'storeUsedUp', /max requests limit/u),
  storeThatSays(
    'ERR max daily request limit exceeded. Limit: 10000, Usage: 10001.',
    'storeUsedUp',
    /max daily request limit/u,
  ),
  storeThatSays('ERR DB capacity quota exceeded. Threshold: 268435456 bytes.', 'storeFull', /DB capacity.*maxmemory/su),
  storeThatSays('WRONGPASS invalid or missing auth token', 'storeTokenWrong', /UPSTASH_REDIS_REST_TOKEN/u),
  storeThatSays('LOADING Redis is loading the dataset in memory', 'storeNotReady', /LOADING/u),
  storeThatSays("CROSSSLOT Keys in request don't hash to the same slot", 'storeNotReady', /single Redis/u),
  {
    name: 'a Redis over TCP that cannot be reached',
    run: async () => ({
      env: {
        UPSTASH_REDIS_REST_URL: '',
        UPSTASH_REDIS_REST_TOKEN: '',
        REDIS_URL: `redis://user:${MARK}@127.0.0.1:${await freePort()}`,
      },
    }),
    code: 'storeTcpUnreachable',
    says: /REDIS_URL/u,
  },
];

const DINGTALK: WrongSetup[] = [
  {
    name: 'a wrong client secret',
    run: { env: { DINGTALK_CLIENT_SECRET: `${MARK}-wrong` } },
    code: 'credentials',
    says: /invalidClientIdOrSecret.*DINGTALK_CLIENT_SECRET.*凭证与基础信息/su,
    also: ['otherSecret'],
  },
  {
    name: 'a wrong client id',
    run: { env: { DINGTALK_CLIENT_ID: 'dingwrong00000000000' } },
    code: 'credentials',
    says: /DINGTALK_CLIENT_ID.*凭证与基础信息/su,
  },
  {
    name: 'a list of egress addresses without ours',
    arrange: ({ dingtalk }) =>
      dingtalk.faults.inject({
        api: 'updateCard',
        kind: 'status',
        status: 403,
        code: 'Forbidden.AccessDenied.IpNotInWhiteList',
      }),
    code: 'ipRefused',
    says: /服务器出口IP/u,
  },
  {
    name: 'a month used up',
    arrange: ({ dingtalk }) => {
      dingtalk.settings.monthlyCalls = 0;
    },
    code: 'monthUsedUp',
    says: /ApiCountLimitForOrg.*DINGTALK_MONTHLY_CALLS/su,
  },
  {
    name: 'a DingTalk that cannot be reached',
    run: async () => ({ env: { DINGTALK_API_URL: `http://127.0.0.1:${await freePort()}` } }),
    code: 'dingtalkUnreachable',
    says: /ECONNREFUSED.*DINGTALK_API_URL/su,
  },
  ...(['Card.Instance.Write', 'Card.Streaming.Write', 'qyapi_robot_sendmsg', 'qyapi_base'] as const).map(
    (scope): WrongSetup => ({
      name: `no permission ${scope}`,
      arrange: without(scope),
      code: 'permissionMissing',
      level: scope === 'qyapi_base' ? 'warning' : 'failed',
      says: new RegExp(`${scope}.*立即开通.*权限管理`, 'su'),
    }),
  ),
  {
    name: 'an older interface that is somewhere else',
    run: { env: { DINGTALK_OAPI_URL: BOT } },
    code: 'permissionUnclear',
    level: 'warning',
    says: /qyapi_base/u,
  },
  {
    name: 'a template that does not exist',
    run: { ...card, env: { DINGTALK_CARD_TEMPLATE_ID: 'other.schema' } },
    code: 'templateMissing',
    says: /other\.schema.*DINGTALK_CARD_TEMPLATE_ID.*关联应用/su,
  },
  {
    name: 'a template that is not published',
    run: card,
    arrange: ({ dingtalk }) => {
      dingtalk.settings.templates[TEMPLATE] = { published: false, variables: ['content'], failedState: true };
    },
    code: 'templateUnpublished',
    says: /发布/u,
  },
  {
    name: 'a wrong variable',
    run: { ...card, env: { DINGTALK_CARD_CONTENT_KEY: 'text' } },
    code: 'cardVariable',
    says: /500.*unknownError.*流式组件.*DINGTALK_CARD_CONTENT_KEY/su,
  },
  {
    name: 'a template without a failed state',
    run: card,
    arrange: ({ dingtalk }) => {
      dingtalk.settings.templates[TEMPLATE] = { published: true, variables: ['content'], failedState: false };
    },
    code: 'failedStateOff',
    level: 'warning',
    says: /失败/u,
  },
  {
    name: 'a wrong robot code',
    run: { ...card, env: { DINGTALK_ROBOT_CODE: 'dingother' } },
    code: 'cardRobotCode',
    says: /DINGTALK_ROBOT_CODE/u,
    also: ['robotCodeDiffers'],
  },
  {
    name: "another app's robot code",
    run: { env: { DINGTALK_ROBOT_CODE: 'dingother' } },
    code: 'robotCodeDiffers',
    level: 'warning',
    says: /DINGTALK_ROBOT_CODE.*机器人/su,
  },
  {
    name: 'an address for buttons that DingTalk does not register',
    run: { request: { isFixing: true } },
    arrange: ({ dingtalk }) =>
      dingtalk.faults.inject({
        api: 'registerCallback',
        kind: 'status',
        status: 400,
        code: 'param.error',
        times: Infinity,
      }),
    code: 'callbackRefused',
    level: 'warning',
    says: /400.*Card\.Instance\.Write/su,
  },
  {
    name: 'a person whom the robot cannot reach',
    run: { request: { cardTo: 'nobody' } },
    code: 'cardPerson',
    says: /可用范围/u,
  },
];

const DIFY: WrongSetup[] = [
  {
    name: 'a wrong Dify key',
    run: { env: { DIFY_API_KEY: `app-${MARK}-wrong` } },
    code: 'difyKeyWrong',
    says: /401.*DIFY_API_KEY/su,
  },
  {
    name: 'a Dify app that is not published',
    arrange: difyAnswers('parameters', 'app-unavailable'),
    code: 'difyUnpublished',
    says: /Publish|发布/u,
  },
  {
    name: 'a Dify app that is closed to the API',
    arrange: difyAnswers('info', 'forbidden-api-disabled'),
    code: 'difyForbidden',
    says: /Backend Service API|后端服务 API/u,
  },
  {
    name: 'a Dify address without /v1',
    run: { env: { DIFY_API_URL: 'https://dify.example.com' } },
    code: 'difyWithoutV1',
    says: /\/v1.*DIFY_API_URL/su,
    also: ['difyUrlOdd'],
  },
  {
    name: 'a web page in place of Dify',
    stage: { instead: page(200, '<html>') },
    run: { env: { DIFY_API_URL: `${BOT}/v1` } },
    code: 'difyPage',
    says: /DIFY_API_URL.*https:\/\/api\.dify\.ai\/v1/su,
    also: ['addressForeign'],
  },
  {
    name: 'a Dify address that redirects',
    stage: { instead: page(301, '', { location: 'https://www.example.com/v1/info' }) },
    run: { env: { DIFY_API_URL: `${BOT}/v1` } },
    code: 'difyRedirects',
    says: /www\.example\.com.*DIFY_API_URL/su,
    also: ['addressRedirects'],
  },
  {
    name: 'a Dify that cannot be reached',
    run: async () => ({ env: { DIFY_API_URL: `http://127.0.0.1:${await freePort()}/v1` } }),
    code: 'difyUnreachable',
    says: /ECONNREFUSED.*DIFY_API_URL/su,
  },
  {
    name: 'another type of app',
    run: { env: { DIFY_APP_TYPE: 'workflow' } },
    code: 'difyTypeDiffers',
    says: /workflow.*chat.*DIFY_APP_TYPE/su,
  },
  {
    name: 'a Dify whose runs die with their client',
    stage: { app: { mode: 'workflow' }, version: '0.15' },
    run: { env: { DIFY_APP_TYPE: 'workflow' } },
    code: 'difyRunsDie',
    level: 'warning',
    says: /1\.9\.2/u,
  },
  {
    name: 'a workflow without an input for the question',
    stage: { app: { mode: 'workflow', parameters: textInputs('topic', 'tone') } },
    code: 'difyNoQuestion',
    says: /topic.*DIFY_QUERY_INPUT/su,
  },
  {
    name: 'a required input that nobody fills',
    stage: { app: { parameters: textInputs('city') } },
    code: 'difyInputsEmpty',
    says: /city.*DIFY_INPUTS/su,
  },
  {
    name: 'an input that does not take its value',
    stage: {
      app: { parameters: { user_input_form: [{ select: { variable: 'tone', label: 'Tone', options: ['dry'] } }] } },
    },
    run: { env: { DIFY_INPUTS: '{"tone":"warm"}' } },
    code: 'difyInputWrong',
    says: /DIFY_INPUTS.*Tone/su,
  },
  {
    name: 'files where nobody answers',
    run: async () => ({ env: { DIFY_FILES_URL: `http://127.0.0.1:${await freePort()}` } }),
    code: 'filesUnreachable',
    says: /DIFY_FILES_URL/u,
  },
  {
    name: 'a web page in place of the files',
    stage: { instead: page(200, '<html>') },
    run: { env: { DIFY_FILES_URL: BOT } },
    code: 'filesForeign',
    level: 'warning',
    says: /DIFY_FILES_URL/u,
    also: ['addressForeign'],
  },
];

export const WRONG_SETUPS: readonly WrongSetup[] = [
  ...CONFIGURATION,
  ...STORE,
  ...DINGTALK,
  ...WRONG_STREAMS,
  ...WRONG_SCHEDULES,
  ...DIFY,
  ...WRONG_DEPLOYMENTS,
];
