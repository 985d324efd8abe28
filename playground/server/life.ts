import type { OpenSocket } from '../../lib/dingtalk/stream/socket.ts';
import { createFetch } from '../../lib/net/fetch.ts';
import type { Fetch } from '../../lib/net/http.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { State } from '../../lib/state/state.ts';

/** What a function reaches the world through, until it is killed: after that nothing it does comes to anything. */
export interface Life {
  clock(clock: Clock): Clock;
  fetch: Fetch;
  state(state: State): State;
  socket(open: OpenSocket): OpenSocket;
  end(): void;
  isOver: () => boolean;
  /** Aborts when it is killed. */
  over: AbortSignal;
}

export function createLife(ask: Fetch = createFetch()): Life {
  const death = new AbortController();
  const isOver = () => death.signal.aborted;
  const never = new Promise<never>(() => undefined);
  /** Also what was under way when it was killed comes to nothing. */
  async function alive<T>(work: () => Promise<T>): Promise<T> {
    if (isOver()) return never;
    try {
      return await work();
    } finally {
      if (isOver()) await never;
    }
  }
  return {
    clock: (clock) => ({
      now: () => clock.now(),
      schedule: (ms, run) => clock.schedule(ms, () => isOver() || run()),
    }),
    fetch: (url, init) =>
      alive(() =>
        ask(url, {
          ...init,
          signal: AbortSignal.any([death.signal, ...(init.signal ? [init.signal] : [])]),
        }),
      ),
    state: (state) =>
      new Proxy(state, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function'
            ? (...args: unknown[]) => alive(() => Reflect.apply(value, target, args) as Promise<unknown>)
            : value;
        },
      }),
    socket: (open) => (url, events) => {
      const socket = open(url, events);
      death.signal.addEventListener('abort', () => socket.cut(), { once: true });
      return socket;
    },
    end: () => death.abort(new Error('the function was killed')),
    isOver,
    over: death.signal,
  };
}
