// What each instance did in a chaos run, and how questions passed from one version to the other: told from the logs.
import type { Records } from './world.ts';

export interface InstanceTally {
  instance: number;
  /** The name of its code. */
  code: string;
  accepted: number;
  ended: number;
  takenOver: number;
  handedOver: number;
  kills: number;
}

export interface Tally {
  instances: InstanceTally[];
  /** How many questions went on at an instance with other code, by `from → to`; every pair of codes has its entry. */
  passed: Record<string, number>;
}

/** The log events in which an instance has a question, which operators know by these names (docs/operations.md). */
const FIELDS = {
  message_accepted: 'accepted',
  turn_taken_over: 'takenOver',
  turn_handed_over: 'handedOver',
  turn_finished: 'ended',
} as const;

export function tallyOf({ codes, kills, logs }: Pick<Records, 'codes' | 'kills' | 'logs'>): Tally {
  const names = [...new Set(codes.map(({ name }) => name))];
  const instances = codes.map(({ name }, instance) => ({
    instance,
    code: name,
    accepted: 0,
    ended: 0,
    takenOver: 0,
    handedOver: 0,
    kills: kills.filter((kill) => kill.instance === instance).length,
  }));
  const passed = Object.fromEntries(
    names.flatMap((from) => names.filter((to) => to !== from).map((to) => [`${from} → ${to}`, 0])),
  );
  const holders = new Map<unknown, string>();
  for (const { instance, line } of logs.toSorted((a, b) =>
    String(a.line['time']).localeCompare(String(b.line['time'])),
  )) {
    const field = FIELDS[line['event'] as keyof typeof FIELDS];
    const tally = instances[instance];
    const isQuestion = field !== 'accepted' || /^question-(?:started|queued|unrecorded)$/u.test(String(line['kind']));
    if (!field || !tally || !isQuestion) continue;
    tally[field] += 1;
    const from = holders.get(line['turn']);
    holders.set(line['turn'], tally.code);
    if (from !== undefined && from !== tally.code)
      passed[`${from} → ${tally.code}`] = (passed[`${from} → ${tally.code}`] ?? 0) + 1;
  }
  return { instances, passed };
}
