import type { Fetch } from '../../net/http.ts';
import { sleep, type Clock } from '../../runtime/clock.ts';
import { errorFields, type Log } from '../../runtime/log.ts';
import { openConnection, type Callbacks, type Connection } from './connection.ts';
import type { OpenSocket } from './socket.ts';
import { addressOf, requestTicket, type StreamConfig } from './ticket.ts';

/** A robot's Stream connection, which is made again whenever it ends. */
export interface Stream {
  status(): StreamStatus;
  /** Resolves when the connection is closed: from then on no message comes. Never rejects. */
  close(): Promise<void>;
}

export interface StreamStatus {
  /** Milliseconds since the epoch; null while no connection is open. */
  openSinceMs: number | null;
  /** How often a connection was opened after the first one. */
  remade: number;
  /** Why the last attempt failed; null when it succeeded. */
  failure: string | null;
}

export interface StreamOptions {
  config: StreamConfig;
  callbacks: Callbacks;
  openSocket: OpenSocket;
  fetch: Fetch;
  clock: Clock;
  /** From 0 up to 1. It spreads the attempts of robots that lost their connections together. */
  random: () => number;
  /** With the robot's name in each line. */
  log: Log;
}

/** How a host hands the connection in: the deployed function has none, and carries nothing of it. */
export type OpenStream = (options: Omit<StreamOptions, 'openSocket' | 'random'>) => Stream;

/** Between two attempts: the first pause, doubled each time up to the last, and of each at least the half. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;

/**
 * A connection that ended sooner counts as one more failure, or a gateway that closes each at once would be stormed. It
 * is short, because connections that end every 30 s were seen in the field, and a pause is a time without messages.
 */
const STABLE_MS = 10_000;

/** Opens the connection, and keeps one open until `close`. */
export function keepStream({ config, callbacks, openSocket, fetch, clock, random, log }: StreamOptions): Stream {
  const closing = new AbortController();
  const { signal } = closing;
  let current: Connection | null = null;
  let judged: Connection | null = null;
  let opened = 0;
  /** Attempts in a row that brought no lasting connection. */
  let failures = 0;
  let failure: string | null = null;
  let connecting: Promise<void> | null = null;
  const leaving = new Set<Promise<void>>();

  /** Does what the end of the current connection asks for. */
  function look(): void {
    if (signal.aborted || (current && current.ending() === null)) return;
    connecting ??= connect().finally(() => {
      connecting = null;
    });
  }

  /** Tries until a connection is there. The one before stays open meanwhile, as long as DingTalk lets it. */
  async function connect(): Promise<void> {
    while (!signal.aborted && (current === null || current.ending() !== null)) {
      if (current && current !== judged) judge(current);
      await attempt();
    }
  }

  async function attempt(): Promise<void> {
    try {
      await sleep(clock, pauseMs(), signal);
      const address = addressOf(await requestTicket(config, { fetch, clock, signal }));
      const connection = await openConnection({ address, callbacks, openSocket, clock, onEnding: look, signal });
      if (current) letGo(current);
      current = connection;
      opened += 1;
      failure = null;
      log.info('stream_opened', { opened });
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const fields = errorFields(error);
      failure = String(fields['code']);
      log.warn('stream_not_opened', { ...fields, attempt: failures });
    }
  }

  /** How soon the next attempt comes. An end that DingTalk announces in time leaves 10 s, so that one comes at once. */
  function judge(connection: Connection): void {
    judged = connection;
    const reason = connection.ending();
    const lastedMs = clock.now() - connection.openedAtMs;
    if (lastedMs < STABLE_MS) failures += 1;
    else failures = connection.isOpen() ? 0 : 1;
    log.info('stream_ending', { reason, lastedS: Math.round(lastedMs / 1000) });
  }

  function pauseMs(): number {
    if (failures === 0) return 0;
    const wholeMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LAST_PAUSE_MS);
    return Math.round((wholeMs * (1 + random())) / 2);
  }

  function letGo(connection: Connection): void {
    const left = connection.leave();
    leaving.add(left);
    void left.then(() => leaving.delete(left));
  }

  look();
  return {
    status: () => ({
      openSinceMs: current?.isOpen() ? current.openedAtMs : null,
      remade: Math.max(0, opened - 1),
      failure,
    }),
    async close() {
      closing.abort();
      await connecting;
      if (current) letGo(current);
      await Promise.all(leaving);
    },
  };
}
