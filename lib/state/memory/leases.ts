/** Turns by the end of their lease, within this process. */
export function createMemoryLeases() {
  const leases = new Map<string, number>();
  return {
    hold(turnId: string, untilMs: number): void {
      leases.set(turnId, untilMs);
    },
    drop(turnId: string): void {
      leases.delete(turnId);
    },
    has: (turnId: string) => leases.has(turnId),
    isHeld: (turnId: string, nowMs: number) => (leases.get(turnId) ?? 0) > nowMs,
    isOverdue: (turnId: string, nowMs: number) => (leases.get(turnId) ?? Number.POSITIVE_INFINITY) <= nowMs,
    size: () => leases.size,
    /** How many leases have not lapsed. */
    running: (nowMs: number) => [...leases.values()].filter((until) => until > nowMs).length,
    /** The turns whose lease has lapsed, oldest first. */
    overdue: (nowMs: number, limit: number) =>
      [...leases]
        .filter(([, until]) => until <= nowMs)
        .toSorted(([, a], [, b]) => a - b)
        .slice(0, limit)
        .map(([id]) => id),
  };
}
