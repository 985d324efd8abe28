import { BridgeError } from '../../errors.ts';
import { withTimeout, type Clock } from '../../runtime/clock.ts';
import { acknowledgement, readFrame, responseData, type AckCode, type Frame } from './frames.ts';
import { watchSilence } from './silence.ts';
import type { OpenSocket } from './socket.ts';

/** What is done with the callbacks of a connection. What these resolve with goes back to DingTalk. */
export interface Callbacks {
  /** Resolves when the message is on record. `sentAtMs` is null where DingTalk did not say when it sent the frame. */
  message(body: string, sentAtMs: number | null): Promise<AckCode>;
  press(body: string, sentAtMs: number | null): Promise<{ code: AckCode; response: object }>;
}

/**
 * Why a connection is about to end, or has ended: DingTalk said so, DingTalk sends nothing more, the network is gone,
 * the other side closed it.
 */
export type EndReason = 'announced' | 'silent' | 'dead' | 'closed';

export interface Connection {
  openedAtMs: number;
  /** Set as soon as nothing new is to be expected of it. */
  ending(): EndReason | null;
  isOpen(): boolean;
  /** Resolves when it is closed. What has arrived by then is put on record; DingTalk hears so if it is quick. */
  leave(): Promise<void>;
}

export interface ConnectionOptions {
  address: string;
  callbacks: Callbacks;
  openSocket: OpenSocket;
  clock: Clock;
  /** Called when `ending` changes, and once more when the connection is closed. */
  onEnding: () => void;
  /** Ends the attempt to open it. */
  signal: AbortSignal;
}

const HANDSHAKE_MS = 10_000;
/** A message is on record within 800 ms (the time limit of the store), a press is answered within 2 s. */
const LEAVE_MS = 2_000;
/** For the other side to agree to the end. */
const CLOSE_MS = 1_000;

/**
 * Opens one connection and answers its frames.
 *
 * @throws BridgeError `dingtalk_stream_handshake`, with the HTTP status if there was one.
 */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { address, callbacks, openSocket, clock, onEnding, signal } = options;
  const opened = Promise.withResolvers<Connection>();
  const closed = Promise.withResolvers<void>();
  let ending: EndReason | null = null;
  let isOpen = false;
  let underWay = 0;
  let onIdle = () => {};
  let watch: ReturnType<typeof watchSilence> | null = null;

  const socket = openSocket(address, {
    onOpen() {
      settle();
      isOpen = true;
      watch = watchSilence({
        clock,
        ping: () => socket.ping(),
        onDead: () => end('dead'),
        onSilent: () => fade('silent'),
      });
      opened.resolve({ openedAtMs: clock.now(), ending: () => ending, isOpen: () => isOpen, leave });
    },
    onText(text) {
      watch?.onFrame();
      void take(readFrame(text));
    },
    onPing: () => watch?.onFrame(),
    onPong: () => watch?.onPong(),
    onEnd(why) {
      settle();
      watch?.stop();
      opened.reject(new BridgeError('dingtalk_stream_handshake', 'the WebSocket did not open', why));
      ending ??= 'closed';
      closed.resolve();
      if (!isOpen) return;
      isOpen = false;
      onEnding();
    },
  });

  const cancelTimer = clock.schedule(HANDSHAKE_MS, () => socket.cut());
  const cut = () => socket.cut();
  signal.addEventListener('abort', cut, { once: true });
  /** From here on the attempt is over, well or badly. */
  function settle(): void {
    cancelTimer();
    signal.removeEventListener('abort', cut);
  }

  function fade(reason: EndReason): void {
    if (ending !== null) return;
    ending = reason;
    onEnding();
  }

  function end(reason: EndReason): void {
    ending = reason;
    socket.cut();
  }

  async function take(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case 'ping':
        socket.send(acknowledgement(frame.id, 200, frame.data));
        return;
      case 'disconnect':
        fade('announced');
        return;
      case 'foreign':
        socket.send(acknowledgement(frame.id, 404, responseData({})));
        return;
      case 'message':
      case 'press':
        underWay += 1;
        socket.send(await answer(frame));
        underWay -= 1;
        if (underWay === 0) onIdle();
        return;
      case 'other':
    }
  }

  async function answer({ kind, id, body, sentAtMs }: Extract<Frame, { body: string }>): Promise<string> {
    if (kind === 'message') return acknowledgement(id, await callbacks.message(body, sentAtMs), responseData({}));
    const { code, response } = await callbacks.press(body, sentAtMs);
    return acknowledgement(id, code, responseData(response));
  }

  async function leave(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve;
      if (underWay === 0) resolve();
    });
    await withTimeout(clock, LEAVE_MS, () => Promise.race([idle, closed.promise])).catch(() => undefined);
    socket.close();
    const cancel = clock.schedule(CLOSE_MS, () => socket.cut());
    await closed.promise;
    cancel();
  }

  return opened.promise;
}
