import type { Clock } from '../../runtime/clock.ts';
import { CLAIM_TTL_MS, ROBOT_ROW_TTL_MS } from '../lifetimes.ts';
import type { AcceptRequest, RobotRow } from '../state.ts';
import { createExpiringMap } from './expiring-map.ts';

/** The answers that robots got in a row, by chat; and their messages that got none. */
export function createMemoryRobotRows(clock: Clock) {
  const rows = createExpiringMap<number>(clock);
  const silenced = createExpiringMap<string>(clock);
  const lengthOf = ({ chat }: RobotRow) => rows.get(chat) ?? 0;
  return {
    /** A person's message ends the row. */
    note(row: RobotRow | undefined): void {
      if (row?.most === null) rows.delete(row.chat);
    },
    /** Whether a new message is a robot's that gets no answer. */
    isSilent({ turnId, owner, row }: AcceptRequest): boolean {
      if (!row || row.most === null || lengthOf(row) < row.most) return false;
      rows.set(row.chat, row.most, ROBOT_ROW_TTL_MS);
      silenced.set(turnId, owner, CLAIM_TTL_MS);
      return true;
    },
    count(row: RobotRow | undefined): void {
      if (row && row.most !== null) rows.set(row.chat, lengthOf(row) + 1, ROBOT_ROW_TTL_MS);
    },
    /** The delivery of a message that got no answer. */
    silencedBy: (turnId: string) => silenced.get(turnId),
    size: () => rows.size() + silenced.size(),
  };
}
