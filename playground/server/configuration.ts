import { readConfig, type ConfigResult, type Environment } from '../../lib/config/config.ts';
import { SAMPLE_CHOICES, sampleKey } from './cast.ts';
import { REPLY_LANGUAGES, type Setup } from './protocol.ts';

/** The playground's own DingTalk app. */
export const DINGTALK_APP = { clientId: 'dingplayground0001', clientSecret: 'playground-client-secret' };
export const PLAIN_TEMPLATE = 'playground-card.schema';
export const BUTTON_TEMPLATE = 'playground-card-buttons.schema';
/** The choice of the app that the environment's DIFY_API_KEY opens. */
export const REAL_APP = 'own';

/**
 * What the environment may decide (the contract's list): the look and the pace of answers, and the real Dify app.
 * DingTalk and the store are always the playground's own, and access lists do not apply.
 */
const PRESENTATION = [
  'STREAMING',
  'FILE_ALONE',
  'SHOW_THINKING',
  'REPLY_LANGUAGE',
  'CONVERSATION_SCOPE',
  'CONVERSATION_TTL_MINUTES',
  'DINGTALK_CARD_MAX_CHARS',
  'DINGTALK_CARD_SETTLE_MS',
  'DINGTALK_CARD_WIDE',
  'DINGTALK_CARD_BUTTONS',
  'FUNCTION_MAX_DURATION_S',
  'LOG_LEVEL',
  'PORT',
  'HOST',
];
const DIFY = ['DIFY_API_URL', 'DIFY_FILES_URL', 'DIFY_API_KEY', 'DIFY_APP_TYPE', 'DIFY_INPUTS', 'DIFY_QUERY_INPUT'];

const pick = (env: Environment, names: readonly string[]): Environment =>
  Object.fromEntries(names.map((name) => [name, env[name]]));

const robot = {
  DINGTALK_CLIENT_ID: DINGTALK_APP.clientId,
  DINGTALK_CLIENT_SECRET: DINGTALK_APP.clientSecret,
};

/** Reads what `npm start` takes from the environment, so that mistakes in it are told before anything starts. */
export function readOwnConfig(env: Environment): ConfigResult {
  const apiKey = env['DIFY_API_KEY']?.trim() || 'sample';
  return readConfig({ ...pick(env, [...PRESENTATION, ...DIFY]), ...robot, DIFY_API_KEY: apiKey });
}

/** Whether cards have buttons at first: here they do, unless the environment says otherwise. */
export function wantsButtons(env: Environment, ownWish: boolean): boolean {
  return env['DINGTALK_CARD_BUTTONS']?.trim() ? ownWish : true;
}

export const hasRealApp = (env: Environment): boolean => Boolean(env['DIFY_API_KEY']?.trim());

/** What must not leave in an export, wherever it occurs. */
export function secretsOf(env: Environment): string[] {
  const keys = SAMPLE_CHOICES.flatMap(({ id }) => REPLY_LANGUAGES.map((language) => sampleKey(id, language)));
  return [env['DIFY_API_KEY']?.trim() ?? '', DINGTALK_APP.clientSecret, ...keys];
}

/** The environment of the function for the next question. */
export function functionEnvironment(
  env: Environment,
  setup: Setup,
  addresses: { dingtalk: string; dify: string; own: string },
): Environment {
  const dify =
    setup.app === REAL_APP
      ? pick(env, DIFY)
      : { DIFY_API_URL: addresses.dify, DIFY_API_KEY: sampleKey(setup.app, setup.replyLanguage) };
  const template = setup.buttons ? BUTTON_TEMPLATE : PLAIN_TEMPLATE;
  return {
    ...pick(env, PRESENTATION),
    ...robot,
    ...dify,
    ...(setup.trouble.noTemplate ? {} : { DINGTALK_CARD_TEMPLATE_ID: template }),
    DINGTALK_API_URL: addresses.dingtalk,
    DINGTALK_OAPI_URL: addresses.dingtalk,
    PUBLIC_URL: addresses.own,
    STREAMING: setup.streaming,
    SHOW_THINKING: String(setup.showThinking),
    REPLY_LANGUAGE: setup.replyLanguage,
    DINGTALK_CARD_BUTTONS: String(setup.buttons),
  };
}
