import type * as z from 'zod';
import type { RobotSettings } from './settings.ts';

/** How an app is asked: the path and the parser follow from it. */
export type AppType = Exclude<AppTypeSetting, 'auto'>;

/** How to reach DingTalk as one robot. */
export interface DingTalkConfig {
  clientId: string;
  /** The client secret first; a second one is still accepted while the secret is being rotated. */
  clientSecrets: readonly [string, ...string[]];
  robotCode: string;
  cardTemplateId: string | null;
  cardContentKey: string;
  cardMaxChars: number;
  cardSettleMs: number;
  /** The template shows what can be pressed; otherwise it is written below the text. */
  cardButtons: boolean;
  apiUrl: string;
  oapiUrl: string;
  callsPerSecond: number;
  monthlyCalls: number;
}

export type AppTypeSetting = NonNullable<RobotSettings['DIFY_APP_TYPE']>;

type Json = z.infer<ReturnType<typeof z.json>>;

/** How to reach one Dify app. */
export interface DifyConfig {
  apiUrl: string;
  filesUrl: string;
  apiKey: string;
  appType: AppTypeSetting;
  inputs: Readonly<Record<string, Json>>;
  queryInput: string;
}

export interface RobotConfig {
  /** The last part of the path, or null for the robot of the flat variables. */
  name: string | null;
  dingtalk: DingTalkConfig;
  dify: DifyConfig;
  conversation: { scope: 'user-in-chat' | 'user' | 'chat'; ttlMs: number | null };
  streaming: 'smooth' | 'balanced' | 'thrifty' | 'off';
  access: {
    allowedUsers: readonly string[] | null;
    allowedChats: readonly string[] | null;
    adminUsers: readonly string[];
    rateLimit: { questions: number; windowMs: number } | null;
  };
  showThinking: boolean;
  language: 'zh-CN' | 'en';
}

/** What each robot must have. */
export const REQUIRED_OF_ROBOT = ['DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY'] as const;

/** Null when a required setting is missing or malformed; the problem is on the list by then. */
export function robotConfig(name: string | null, settings: RobotSettings): RobotConfig | null {
  const { DINGTALK_CLIENT_ID: clientId, DINGTALK_CLIENT_SECRET: secrets, DIFY_API_KEY: apiKey } = settings;
  const [secret, ...oldSecrets] = secrets ?? [];
  if (clientId === undefined || secret === undefined || apiKey === undefined) return null;
  const difyUrl = settings.DIFY_API_URL ?? 'https://api.dify.ai/v1';
  const origin = new URL(difyUrl).origin;
  const ttlMinutes = settings.CONVERSATION_TTL_MINUTES ?? 43_200;
  return {
    name,
    dingtalk: {
      clientId,
      clientSecrets: [secret, ...oldSecrets],
      robotCode: settings.DINGTALK_ROBOT_CODE ?? clientId,
      cardTemplateId: settings.DINGTALK_CARD_TEMPLATE_ID ?? null,
      cardContentKey: settings.DINGTALK_CARD_CONTENT_KEY ?? 'content',
      cardMaxChars: settings.DINGTALK_CARD_MAX_CHARS ?? 3000,
      cardSettleMs: settings.DINGTALK_CARD_SETTLE_MS ?? 0,
      cardButtons: settings.DINGTALK_CARD_BUTTONS ?? false,
      apiUrl: settings.DINGTALK_API_URL ?? 'https://api.dingtalk.com',
      oapiUrl: settings.DINGTALK_OAPI_URL ?? 'https://oapi.dingtalk.com',
      callsPerSecond: settings.DINGTALK_QPS ?? 20,
      monthlyCalls: settings.DINGTALK_MONTHLY_CALLS ?? 0,
    },
    dify: {
      apiUrl: difyUrl,
      // Dify Cloud signs its file links for another host than its API's.
      filesUrl: settings.DIFY_FILES_URL ?? (origin === 'https://api.dify.ai' ? 'https://upload.dify.ai' : origin),
      apiKey,
      appType: settings.DIFY_APP_TYPE ?? 'auto',
      inputs: settings.DIFY_INPUTS ?? {},
      queryInput: settings.DIFY_QUERY_INPUT ?? 'query',
    },
    conversation: {
      scope: settings.CONVERSATION_SCOPE ?? 'user-in-chat',
      ttlMs: ttlMinutes === 0 ? null : ttlMinutes * 60_000,
    },
    streaming: settings.STREAMING ?? 'balanced',
    access: {
      allowedUsers: settings.ALLOWED_USERS ?? null,
      allowedChats: settings.ALLOWED_CHATS ?? null,
      adminUsers: settings.ADMIN_USERS ?? [],
      rateLimit: settings.USER_RATE_LIMIT ?? null,
    },
    showThinking: settings.SHOW_THINKING ?? false,
    language: settings.REPLY_LANGUAGE ?? 'zh-CN',
  };
}
