import type { Behind } from '../told.ts';
import type { ExpiringMap } from './expiring-map.ts';
import type { MemoryTurn } from './turn.ts';

/** The turn that runs in each conversation, and those that wait behind it, within this process. */
export function createMemoryLines(turns: ExpiringMap<MemoryTurn>) {
  const running = new Map<string, string>();
  /** A dropped turn stays in its line until it would have been started. */
  const lines = new Map<string, string[]>();
  const lineOf = (key: string): readonly string[] => lines.get(key) ?? [];
  const queued = (ids: readonly string[]) => ids.map((id) => turns.get(id)).filter((turn) => turn?.state === 'queued');
  const runningIn = (key: string) => running.get(key);

  return {
    size: () => running.size + lines.size,
    lineOf,
    runningIn,
    isBusy: (key: string) => turns.get(runningIn(key) ?? '')?.state === 'started',
    /** How many wait in a conversation; in all of them without one. */
    waiting: (key?: string) => queued(key === undefined ? [...lines.values()].flat() : lineOf(key)).length,
    enter(key: string, turnId: string): void {
      lines.set(key, [...lineOf(key), turnId]);
    },
    start(key: string, turnId: string): void {
      running.set(key, turnId);
    },
    /** Takes the next turn out of the line; null when none waits, and then none runs. */
    next(key: string): { id: string; turn: MemoryTurn } | null {
      const line = lines.get(key) ?? [];
      for (let id = line.shift(); id !== undefined; id = line.shift()) {
        const turn = turns.get(id);
        if (turn?.state === 'queued') return { id, turn };
      }
      lines.delete(key);
      running.delete(key);
      return null;
    },
    /** Whose questions wait behind a turn. */
    behind({ conversationKey, asker }: MemoryTurn): Behind {
      const others = queued(lineOf(conversationKey));
      if (others.some((turn) => turn?.asker === asker)) return 'asker';
      return others.length > 0 ? 'others' : 'nothing';
    },
  };
}
