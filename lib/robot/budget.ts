import type { RobotConfig } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { Chat } from '../dingtalk/chat.ts';
import { quotedFilesOf, sentFilesOf } from '../dingtalk/message-kinds.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { monthOf, type BudgetRequest } from '../state/budget.ts';
import type { Texts } from '../texts/texts.ts';

/** The most that an answer of five minutes takes in each mode, and one repeat of the last frame. */
const FULL_RESERVE: Readonly<Record<RobotConfig['streaming'], number>> = {
  smooth: 91,
  balanced: 41,
  thrifty: 6,
  off: 3,
};

/** What belongs to no answer: the address for buttons, and the notices that a step of the month is reached. */
const REGISTRATION_CALLS = 1;

const NOTICE_CALLS = 3;

/** Two for each of the three files that an answer may have from 80 % of the month on. */
const FEW_FILES_CALLS = 6;

/** What an answer may cost of the organisation's month; null without a budget. */
export function budgetOf(
  { corpId, content, quoted }: Pick<Message, 'corpId' | 'content' | 'quoted'>,
  { dingtalk, streaming, access }: RobotConfig,
  nowMs: number,
): BudgetRequest | null {
  if (dingtalk.monthlyCalls === 0) return null;
  // The address of each file that a person sends costs a call.
  const sent = sentFilesOf(content).length + quotedFilesOf(quoted).length;
  const full = FULL_RESERVE[streaming];
  return {
    account: `${corpId ?? dingtalk.clientId}:${monthOf(nowMs)}`,
    limit: Math.max(1, dingtalk.monthlyCalls - REGISTRATION_CALLS - (access.adminUsers.length > 0 ? NOTICE_CALLS : 0)),
    reserve: {
      full: full + sent,
      few: Math.min(full, FULL_RESERVE.thrifty) + FEW_FILES_CALLS + sent,
      last: Math.min(full, FULL_RESERVE.off) + sent,
    },
  };
}

export interface BudgetNoticePorts {
  config: RobotConfig;
  texts: Texts;
  chat: Pick<Chat, 'notify'>;
  log: Log;
}

/** Tells administrators that a step of the month is reached; where there are none, the log does. Never rejects. */
export async function notifyBudget(percent: number, { config, texts, chat, log }: BudgetNoticePorts): Promise<void> {
  log.warn('month_budget_reached', { robot: config.name, percent });
  const { adminUsers } = config.access;
  if (adminUsers.length === 0) return;
  const text = texts.monthReached(percent);
  try {
    await chat.notify(adminUsers, { title: texts.messageTitle, text });
  } catch (error) {
    log.warn('month_notice_failed', { robot: config.name, ...errorFields(error) });
  }
}
