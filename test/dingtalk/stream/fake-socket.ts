import type { OpenSocket, Socket, SocketEvents } from '../../../lib/dingtalk/stream/socket.ts';

/** One end of a WebSocket, in the hand of a test. */
export interface FakeSocket {
  url: string;
  sent: string[];
  pings: number;
  /** What this side asked for: `close`, `cut`. */
  ends: string[];
  open(): void;
  /** A frame from DingTalk. */
  frame(type: string, topic: string, data?: unknown, messageId?: string): void;
  events: SocketEvents;
}

export function createFakeSockets(): { openSocket: OpenSocket; all: FakeSocket[]; newest: () => FakeSocket } {
  const all: FakeSocket[] = [];
  const openSocket: OpenSocket = (url, events): Socket => {
    let isOver = false;
    const end = (how: string) => {
      fake.ends.push(how);
      if (isOver) return;
      isOver = true;
      events.onEnd({ status: null, network: null });
    };
    const fake: FakeSocket = {
      url,
      sent: [],
      pings: 0,
      ends: [],
      open: () => events.onOpen(),
      frame(type, topic, data = {}, messageId = 'm1') {
        const headers = { topic, messageId, contentType: 'application/json' };
        events.onText(JSON.stringify({ specVersion: '1.0', type, headers, data: JSON.stringify(data) }));
      },
      events,
    };
    all.push(fake);
    return {
      send: (text) => void fake.sent.push(text),
      ping: () => void (fake.pings += 1),
      close: () => end('close'),
      cut: () => end('cut'),
    };
  };
  return {
    openSocket,
    all,
    newest() {
      const last = all.at(-1);
      if (!last) throw new Error('no socket was opened');
      return last;
    },
  };
}
