/** The workers of a queue: so many runs at a time, the others in the order of their coming. */
export interface Workers {
  /** How many wait. */
  readonly queued: number;
  /** Resolves when a worker is free for this run, with the function that gives it back. */
  take(): Promise<() => void>;
}

export function createWorkers(count: number): Workers {
  let free = count;
  const waiting: (() => void)[] = [];

  const giveBack = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };

  return {
    get queued() {
      return waiting.length;
    },
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isTaken = true;
      return () => {
        if (isTaken) giveBack();
        isTaken = false;
      };
    },
  };
}
