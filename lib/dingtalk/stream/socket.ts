/** A WebSocket, as a parameter. */
export interface Socket {
  send(text: string): void;
  /** A ping of WebSocket itself, which the other side answers with a pong. */
  ping(): void;
  /** Begins to close: what arrives before the other side agrees is still handed on. */
  close(): void;
  /** Ends the connection at once, also while it opens. */
  cut(): void;
}

export interface SocketEvents {
  onOpen(): void;
  onText(text: string): void;
  /** The other side pinged. The pong is sent already. */
  onPing(): void;
  onPong(): void;
  /** Once, however it ended, also when it never opened: `status` is then the HTTP status, if there was one. */
  onEnd(why: { status: number | null; network: string | null }): void;
}

/** Begins to open a WebSocket. Never throws. */
export type OpenSocket = (url: string, events: SocketEvents) => Socket;
