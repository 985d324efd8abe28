import { onTestFinished } from 'vitest';
import { readConfig } from '../../lib/config/config.ts';
import type { DingTalkConfig, RobotConfig } from '../../lib/config/robot.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { CardTemplate, DingTalkOptions, DingTalkSimulator } from '../../playground/dingtalk/types.ts';

export const GROUP = 'cidGroup0001==';
export const TEMPLATE = 'template-1.schema';

/** The tenant's card template. */
export const templates = (changes: Partial<CardTemplate> = {}) => ({
  [TEMPLATE]: { published: true, variables: ['content'], failedState: true, ...changes },
});

export const app = { clientId: 'dingclientid0001', clientSecret: 'client-secret-1', robotCode: 'dingrobot0001' };

/** The robot of these settings; those that every robot must have are filled in. */
export function robotConfig(env: Record<string, string> = {}): RobotConfig {
  const result = readConfig({
    DINGTALK_CLIENT_ID: app.clientId,
    DINGTALK_CLIENT_SECRET: app.clientSecret,
    DINGTALK_ROBOT_CODE: app.robotCode,
    DIFY_API_KEY: 'app-key',
    ...env,
  });
  const robot = result.ok ? result.config.robots[0] : undefined;
  if (!robot) throw new Error('the configuration is not complete');
  return robot;
}

/** A simulated DingTalk with one group and people staff-1, staff-2 …, and the settings that lead to it. */
export async function startDingTalk(
  options: Partial<DingTalkOptions> = {},
  env: Record<string, string> = {},
): Promise<{ dingtalk: DingTalkSimulator; config: DingTalkConfig }> {
  const dingtalk = await createDingTalkSimulator({
    app,
    people: [1, 2, 3].map((n) => ({ staffId: `staff-${n}`, unionId: `union-${n}`, nick: `${n}` })),
    groups: [{ conversationId: GROUP, title: '售后支持群', members: ['staff-1'] }],
    templates: templates(),
    ...options,
  });
  onTestFinished(() => dingtalk.close());
  const { origin } = dingtalk;
  return { dingtalk, config: robotConfig({ DINGTALK_API_URL: origin, DINGTALK_OAPI_URL: origin, ...env }).dingtalk };
}

/** Who wrote a message. */
export const senderOf = (changes: Partial<Message['sender']> = {}): Message['sender'] => ({
  staffId: 'staff-1',
  unionId: null,
  id: 'encrypted',
  nick: '王小明',
  isAdmin: false,
  ...changes,
});
