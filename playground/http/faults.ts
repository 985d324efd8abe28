/** Trouble on demand: which request is disturbed. What the disturbance is belongs to each simulator. */

export interface FaultTarget<Api extends string> {
  api: Api | '*';
  /** How many matching requests are disturbed. Default 1; `Infinity` until removed. */
  times?: number;
  /** Only requests whose parsed body passes. */
  when?: (body: unknown) => boolean;
}

export interface Injection {
  /** How many requests it has disturbed so far. */
  readonly fired: number;
  remove(): void;
}

export interface RandomFaults<Api extends string, Effect> {
  /** Numbers in [0, 1); pass `createRandom(seed)` for a run that can be repeated. */
  random: () => number;
  /** The share of requests that are disturbed, 0 to 1. */
  chance: number;
  effects: readonly Effect[];
  /** Default: every API. */
  apis?: readonly Api[];
  /** Stops after so many. Default: none. */
  limit?: number;
}

export interface Faults<Api extends string, Effect> {
  inject(fault: FaultTarget<Api> & Effect): Injection;
  /** Disturbs requests at random. The returned function ends that. */
  random(plan: RandomFaults<Api, Effect>): () => void;
  clear(): void;
}

export interface FaultSource<Api extends string, Effect> extends Faults<Api, Effect> {
  /** The disturbance for this request, if any. Injected faults come before random ones, oldest first. */
  next(api: Api, body: unknown): Effect | undefined;
}

export function createFaults<Api extends string, Effect>(): FaultSource<Api, Effect> {
  interface Entry {
    fault: FaultTarget<Api> & Effect;
    fired: number;
  }
  let entries: Entry[] = [];
  let plans: { plan: RandomFaults<Api, Effect>; fired: number }[] = [];

  const inject = (fault: FaultTarget<Api> & Effect): Injection => {
    const entry: Entry = { fault, fired: 0 };
    entries.push(entry);
    return {
      get fired() {
        return entry.fired;
      },
      remove() {
        entries = entries.filter((other) => other !== entry);
      },
    };
  };

  const random = (plan: RandomFaults<Api, Effect>) => {
    const entry = { plan, fired: 0 };
    plans.push(entry);
    return () => {
      plans = plans.filter((other) => other !== entry);
    };
  };

  const nextInjected = (api: Api, body: unknown): Effect | undefined => {
    const entry = entries.find(
      ({ fault, fired }) =>
        (fault.api === '*' || fault.api === api) && fired < (fault.times ?? 1) && (fault.when?.(body) ?? true),
    );
    if (!entry) return undefined;
    entry.fired += 1;
    return entry.fault;
  };

  const nextRandom = (api: Api): Effect | undefined => {
    for (const entry of plans) {
      const { plan } = entry;
      if (plan.apis && !plan.apis.includes(api)) continue;
      if (entry.fired >= (plan.limit ?? Infinity) || plan.random() >= plan.chance) continue;
      entry.fired += 1;
      return plan.effects[Math.floor(plan.random() * plan.effects.length)];
    }
    return undefined;
  };

  return {
    inject,
    random,
    next: (api, body) => nextInjected(api, body) ?? nextRandom(api),
    clear() {
      entries = [];
      plans = [];
    },
  };
}
