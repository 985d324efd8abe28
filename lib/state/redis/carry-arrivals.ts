import type { Arrival } from '../arrival.ts';
import { LOOK_UP } from './record-scripts.ts';
import type { RunScript } from './run-script.ts';
import { ACCEPT, CLAIM, OVERDUE } from './scripts.ts';

/** The scripts that begin with `KEEP_ARRIVAL`. */
const CARRIERS: ReadonlySet<string> = new Set([CLAIM, ACCEPT, LOOK_UP, OVERDUE]);

/** How old an arrival must be before this instance stores another one of the same door. */
const EVERY_MS = 60_000;

/** Stores arrivals under `key`, along with the calls that are made anyway. */
export function carryArrivals(runScript: RunScript, key: string) {
  const storedAtMs = new Map<string, number>();
  let waiting: Arrival | null = null;
  return {
    note: (arrival: Arrival): void => {
      if (arrival.atMs - (storedAtMs.get(arrival.door) ?? -Infinity) >= EVERY_MS) waiting = arrival;
    },
    run(...[script, keys, args]: Parameters<RunScript>): Promise<unknown> {
      if (waiting === null || !CARRIERS.has(script)) return runScript(script, keys, args);
      const { door, atMs, offsetMs } = waiting;
      waiting = null;
      storedAtMs.set(door, atMs);
      return runScript(script, [...keys, key], [...args, door, `${atMs} ${offsetMs ?? ''}`]);
    },
  };
}
