import { namesOf, type Setting, type SetValues, type Values } from './settings.ts';
import { address, choice, flag, idList, jsonObject, rate, secrets, text, whole } from './values.ts';

/**
 * The settings that each robot can have for itself. An entry of BOTS spells the same name in camelCase. This table is
 * the only place of a setting in the code; `.env.example` and the tables of `docs/configuration.md` are checked against it.
 */
export const robotSettings = {
  DINGTALK_CLIENT_ID: {
    schema: text,
    isRequired: true,
    isInherited: false,
    isAscii: true,
    meaning: "The app's Client ID (AppKey), from 凭证与基础信息.",
  },
  DINGTALK_CLIENT_SECRET: {
    schema: secrets,
    isRequired: true,
    isInherited: false,
    isSecret: true,
    isAscii: true,
    meaning: "The app's Client Secret (AppSecret). While it is being rotated: new,old.",
  },
  DINGTALK_ROBOT_CODE: {
    schema: text,
    unset: 'the Client ID',
    isInherited: false,
    meaning: "The robot's code, where it is not the Client ID.",
  },
  DINGTALK_CONNECTION: {
    schema: choice(['http', 'stream']),
    default: 'http',
    meaning:
      'How messages come: http, by callback; stream, over a connection that npm run serve keeps open. stream needs no public address.',
  },
  DINGTALK_CARD_TEMPLATE_ID: {
    schema: text,
    unset: 'unset',
    isInherited: false,
    isAscii: true,
    meaning: "The AI card template's id (….schema). Without it answers are markdown messages and need no permission.",
  },
  DINGTALK_CARD_CONTENT_KEY: {
    schema: text,
    default: 'content',
    isInherited: false,
    meaning: "The template's streaming variable.",
  },
  DINGTALK_CARD_MAX_CHARS: {
    schema: whole(300, 20_000),
    default: '3000',
    meaning: 'The longest text on a card, in characters, 300 to 20000; the rest goes below it.',
  },
  DINGTALK_CARD_SETTLE_MS: {
    schema: whole(0, 10_000),
    default: '0',
    meaning: 'Pause after delivery and before the last frame, in ms, for tenants that need it.',
  },
  DINGTALK_CARD_WIDE: {
    schema: flag,
    default: 'true',
    meaning: 'true: cards are as wide as the chat. false: they have the width of the template.',
  },
  DINGTALK_CARD_BUTTONS: {
    schema: flag,
    default: 'false',
    isInherited: false,
    meaning: 'true: the template has the buttons of docs/card-template.md. false: links or words to type instead.',
  },
  DINGTALK_API_URL: {
    schema: address,
    default: 'https://api.dingtalk.com',
    meaning: "The API's address, for international or dedicated tenants.",
  },
  DINGTALK_OAPI_URL: {
    schema: address,
    default: 'https://oapi.dingtalk.com',
    meaning: 'The origin that session replies may go to.',
  },
  DINGTALK_QPS: {
    schema: whole(1, 10_000),
    default: '20',
    meaning: 'Calls one app may make a second to one API, all instances together.',
  },
  DINGTALK_MONTHLY_CALLS: {
    schema: whole(0, 1_000_000_000),
    default: '0',
    meaning:
      "The organisation's API calls a month; 0 is no budget. Near the end updates get fewer, at the end answers are messages.",
  },
  DIFY_API_URL: {
    schema: address,
    default: 'https://api.dify.ai/v1',
    meaning: "The API's base address.",
  },
  DIFY_FILES_URL: {
    schema: address,
    unset: 'origin of DIFY_API_URL; https://upload.dify.ai for Dify Cloud',
    meaning: 'Where the /files/… links of an answer are fetched; may be in a private network.',
  },
  DIFY_API_KEY: {
    schema: text,
    isRequired: true,
    isSecret: true,
    isAscii: true,
    meaning: 'The API key of one Dify app (app-…).',
  },
  DIFY_APP_TYPE: {
    schema: choice(['auto', 'chat', 'agent', 'chatflow', 'workflow', 'completion']),
    default: 'auto',
    meaning: 'auto asks the app; or chat, agent, chatflow, workflow, completion.',
  },
  DIFY_INPUTS: {
    schema: jsonObject,
    default: '{}',
    meaning:
      'Inputs of the app as a JSON object; values may hold {{staffId}} {{nick}} {{chatId}} {{chatTitle}} {{corpId}} {{isAdmin}} {{query}}.',
  },
  DIFY_QUERY_INPUT: {
    schema: text,
    default: 'query',
    meaning: 'The input that carries the question in workflow and completion apps.',
  },
  CONVERSATION_SCOPE: {
    schema: choice(['user-in-chat', 'user', 'chat']),
    default: 'user-in-chat',
    meaning: 'Who shares a context: user-in-chat, user or chat.',
  },
  CONVERSATION_TTL_MINUTES: {
    schema: whole(0, 10_000_000),
    default: '43200',
    meaning: 'Minutes after the last message until a context is forgotten; 0 keeps it. 43200 are 30 days.',
  },
  STREAMING: {
    schema: choice(['smooth', 'balanced', 'thrifty', 'off']),
    default: 'balanced',
    meaning: 'DingTalk calls per answer: smooth, balanced, thrifty or off.',
  },
  ALLOWED_USERS: {
    schema: idList,
    unset: 'everybody',
    meaning: 'Staff ids of the people who may ask, separated by commas.',
  },
  ALLOWED_CHATS: {
    schema: idList,
    unset: 'every group',
    meaning: 'Conversation ids of the groups where people may ask, separated by commas.',
  },
  ADMIN_USERS: {
    schema: idList,
    unset: 'none',
    meaning:
      "Staff ids that pass both lists and the limit of questions, and are told when the month's calls run short or the model cannot be used.",
  },
  USER_RATE_LIMIT: {
    schema: rate,
    unset: 'unset',
    meaning: 'Questions that one person may ask, for example 20/1h; s, m, h or d. Without it there is no limit.',
  },
  FILE_ALONE: {
    schema: choice(['hold', 'ask']),
    default: 'hold',
    meaning:
      "A picture or file without words in a single chat: hold keeps it for the person's next words, ask asks about it at once.",
  },
  SHOW_THINKING: {
    schema: flag,
    default: 'false',
    meaning: "true shows the model's reasoning as a quote above the answer.",
  },
  NOTIFY_AFTER_S: {
    schema: whole(0, 86_400),
    default: '60',
    meaning:
      'In a group, an answer on a card that took longer than so many seconds ends with a message that mentions the asker; 0 is never.',
  },
  AI_LABEL: {
    schema: flag,
    unset: 'true where REPLY_LANGUAGE is zh-CN, else false',
    meaning: "true: messages (not cards) with a model's text end with 内容由 AI 生成.",
  },
  REPLY_LANGUAGE: {
    schema: choice(['zh-CN', 'en']),
    default: 'zh-CN',
    meaning: 'zh-CN or en: every sentence of the bridge.',
  },
} as const satisfies Record<string, Setting>;

type RobotSettings = typeof robotSettings;

/** What was set for a robot. */
export type SetRobotValues = SetValues<RobotSettings>;

/** What holds for a robot, defaults included. */
export type RobotValues = Values<RobotSettings>;

type RequiredName = {
  [K in keyof RobotSettings]: RobotSettings[K] extends { isRequired: true } ? K : never;
}[keyof RobotSettings];

/** What each robot must have. */
export const REQUIRED_OF_ROBOT = namesOf(robotSettings).filter(
  (name): name is RequiredName => 'isRequired' in robotSettings[name],
);
