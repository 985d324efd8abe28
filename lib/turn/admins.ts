import type { RobotConfig } from '../config/robot.ts';
import type { Chat } from '../dingtalk/chat.ts';
import { adminErrorCode, type AdminErrorCode, type BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import { turnIdOf } from './record.ts';

/** How often administrators are told of the same failure, in milliseconds. */
const GAP_MS = 3_600_000;

export interface AdminsOptions {
  config: Pick<RobotConfig, 'name' | 'access'>;
  texts: Texts;
  state: Pick<State, 'claim'>;
  clock: Clock;
  newId: () => string;
  log: Log;
}

/** The administrators of a robot (`ADMIN_USERS`). */
export interface Admins {
  /**
   * Tells them of a failure that only they can mend, once in each hour, whichever instance meets it. True where they were
   * told now or before in this hour. Never rejects.
   */
  tell(failure: BridgeError, reference: string, chat: Pick<Chat, 'notify'>): Promise<boolean>;
}

export function createAdmins({ config, texts, state, clock, newId, log }: AdminsOptions): Admins {
  const { adminUsers } = config.access;
  /** What this instance knows of the hour. Without it every failure would be told while the store is down. */
  const known = new Map<AdminErrorCode, { hour: number; told: Promise<boolean> }>();

  async function claimAndTell(
    code: AdminErrorCode,
    hour: number,
    reference: string,
    chat: Pick<Chat, 'notify'>,
  ): Promise<boolean> {
    const turnId = turnIdOf(['admins', code, hour].join('\n'));
    const text = texts.adminNoticeOf({ robot: config.name, notice: texts.adminNotice[code], reference });
    try {
      const { isNew } = await state.claim({ turnId, owner: newId(), nowMs: clock.now() });
      if (isNew) await chat.notify(adminUsers, { title: texts.messageTitle, text });
      return true;
    } catch (error) {
      log.warn('admin_notice_failed', { turn: reference, ...errorFields(error) });
      return false;
    }
  }

  return {
    async tell(failure, reference, chat) {
      const code = adminErrorCode(failure);
      if (code === null || adminUsers.length === 0) return false;
      const hour = Math.floor(clock.now() / GAP_MS);
      const before = known.get(code);
      if (before?.hour === hour) return before.told;
      const told = claimAndTell(code, hour, reference, chat);
      known.set(code, { hour, told });
      return told;
    },
  };
}
