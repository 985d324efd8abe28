import type { Clock } from '../../runtime/clock.ts';
import { ROBOT_ROW_TTL_MS } from '../lifetimes.ts';
import type { RobotRow } from '../state.ts';
import { createExpiringMap } from './expiring-map.ts';

/** The answers that robots got in a row, by chat. */
export function createMemoryRobotRows(clock: Clock) {
  const rows = createExpiringMap<number>(clock);
  const lengthOf = ({ chat }: RobotRow) => rows.get(chat) ?? 0;
  return {
    size: rows.size,
    /** A person's message ends the row. */
    note(row: RobotRow | undefined): void {
      if (row?.most === null) rows.delete(row.chat);
    },
    /** Whether a new message is a robot's that gets no answer. */
    isSilent(row: RobotRow | undefined): boolean {
      if (!row || row.most === null || lengthOf(row) < row.most) return false;
      rows.set(row.chat, row.most, ROBOT_ROW_TTL_MS);
      return true;
    },
    count(row: RobotRow | undefined): void {
      if (row && row.most !== null) rows.set(row.chat, lengthOf(row) + 1, ROBOT_ROW_TTL_MS);
    },
  };
}
