import { robotSettings, type RobotValues, type SetRobotValues } from './robot-settings.ts';
import { withDefaults } from './settings.ts';

/** How to reach DingTalk as one robot. */
export type DingTalkConfig = Readonly<ReturnType<typeof dingtalkConfig>>;

/** How to reach one Dify app. */
export type DifyConfig = Readonly<ReturnType<typeof difyConfig>>;

/** How an app is asked: the path and the parser follow from it. */
export type AppType = Exclude<RobotValues['DIFY_APP_TYPE'], 'auto'>;

/** Everything about one robot. */
export type RobotConfig = Readonly<ReturnType<typeof configOf>>;

interface Credentials {
  clientId: string;
  clientSecrets: readonly [string, ...string[]];
  apiKey: string;
}

/** Null when a required setting is missing or malformed. The caller has put the problem on its list. */
export function robotConfig(name: string | null, given: SetRobotValues): RobotConfig | null {
  const { DINGTALK_CLIENT_ID: clientId, DINGTALK_CLIENT_SECRET: secrets, DIFY_API_KEY: apiKey } = given;
  const [secret, ...oldSecrets] = secrets ?? [];
  if (clientId === undefined || secret === undefined || apiKey === undefined) return null;
  return configOf(
    name,
    { clientId, clientSecrets: [secret, ...oldSecrets], apiKey },
    withDefaults(robotSettings, given),
  );
}

function configOf(name: string | null, credentials: Credentials, values: RobotValues) {
  return {
    /** The last part of the path, or null for the robot of the flat variables. */
    name,
    dingtalk: dingtalkConfig(credentials, values),
    dify: difyConfig(credentials, values),
    conversation: {
      scope: values.CONVERSATION_SCOPE,
      /** Null: kept for ever. */
      ttlMs: values.CONVERSATION_TTL_MINUTES === 0 ? null : values.CONVERSATION_TTL_MINUTES * 60_000,
    },
    streaming: values.STREAMING,
    access: {
      /** Null: everybody. */
      allowedUsers: values.ALLOWED_USERS,
      /** Null: every group. */
      allowedChats: values.ALLOWED_CHATS,
      adminUsers: values.ADMIN_USERS ?? [],
      rateLimit: values.USER_RATE_LIMIT,
    },
    fileAlone: values.FILE_ALONE,
    showThinking: values.SHOW_THINKING,
    /** A longer answer ends with a message that mentions its asker, in groups. Null: never. */
    notifyAfterMs: values.NOTIFY_AFTER_S === 0 ? null : values.NOTIFY_AFTER_S * 1_000,
    /** Messages with a model's text say so at their end. */
    aiLabel: values.AI_LABEL ?? values.REPLY_LANGUAGE === 'zh-CN',
    language: values.REPLY_LANGUAGE,
  };
}

function dingtalkConfig({ clientId, clientSecrets }: Credentials, values: RobotValues) {
  return {
    clientId,
    /** The client secret first; a second one is still accepted while the secret is being rotated. */
    clientSecrets,
    robotCode: values.DINGTALK_ROBOT_CODE ?? clientId,
    connection: values.DINGTALK_CONNECTION,
    /** Null: answers are markdown messages. */
    cardTemplateId: values.DINGTALK_CARD_TEMPLATE_ID,
    cardContentKey: values.DINGTALK_CARD_CONTENT_KEY,
    cardMaxChars: values.DINGTALK_CARD_MAX_CHARS,
    cardSettleMs: values.DINGTALK_CARD_SETTLE_MS,
    /** Cards are as wide as the chat. */
    cardWide: values.DINGTALK_CARD_WIDE,
    /** The template shows the actions as buttons; otherwise they are written as text below the answer. */
    cardButtons: values.DINGTALK_CARD_BUTTONS,
    apiUrl: values.DINGTALK_API_URL,
    oapiUrl: values.DINGTALK_OAPI_URL,
    callsPerSecond: values.DINGTALK_QPS,
    monthlyCalls: values.DINGTALK_MONTHLY_CALLS,
  };
}

function difyConfig({ apiKey }: Credentials, values: RobotValues) {
  const { origin } = new URL(values.DIFY_API_URL);
  return {
    apiUrl: values.DIFY_API_URL,
    // Dify Cloud signs its file links for another host than its API's.
    filesUrl: values.DIFY_FILES_URL ?? (origin === 'https://api.dify.ai' ? 'https://upload.dify.ai' : origin),
    apiKey,
    appType: values.DIFY_APP_TYPE,
    inputs: values.DIFY_INPUTS,
    queryInput: values.DIFY_QUERY_INPUT,
  };
}
