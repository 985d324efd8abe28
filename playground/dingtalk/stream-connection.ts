import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Clock } from '../../lib/runtime/clock.ts';
import { isRecord, isText, parseJson, recordOf } from '../http/shape.ts';

/** What a client sends back for a frame. Code 200: it has taken what came. */
export interface Ack {
  code: number;
  data: string;
}

/** Protocol notes, second page, 6: other codes are not known. */
const codes = [200, 400, 404, 500];

/** What comes of a frame that wants an acknowledgement. */
export type Outcome = { kind: 'acknowledged'; ack: Ack } | { kind: 'late' | 'ended' };

/** The gateway's end of one connection. */
export interface StreamConnection {
  readonly id: string;
  readonly topics: readonly string[];
  /** It was told that it ends: nothing new is sent on it. */
  isLeaving: boolean;
  /** DingTalk has forgotten it, though it is open: what is sent on it is lost. */
  isForgotten: boolean;
  /** Sends a frame that wants no answer. */
  tell(topic: string, data: object): void;
  /** Sends a frame and waits for its acknowledgement, at most `deadlineMs` by the wall clock. */
  exchange(type: 'CALLBACK' | 'SYSTEM', topic: string, data: string, deadlineMs: number): Promise<Outcome>;
  onMessage(text: string): void;
  onEnd(): void;
  readonly socket: WebSocket;
}

export function createStreamConnection(
  socket: WebSocket,
  topics: readonly string[],
  { clock, violate }: { clock: Clock; violate: (what: string) => void },
): StreamConnection {
  const id = randomUUID();
  /** By message id. The acknowledgement of a late frame may still come, and then does nothing. */
  const waiting = new Map<string, (outcome: Outcome) => void>();

  function sendFrame(type: string, topic: string, data: string): string {
    const messageId = randomUUID();
    const time = String(clock.now());
    const headers = { appId: 'app-1', connectionId: id, contentType: 'application/json', messageId, time, topic };
    if (!connection.isForgotten) socket.send(JSON.stringify({ specVersion: '1.0', type, headers, data }));
    return messageId;
  }

  const connection: StreamConnection = {
    id,
    socket,
    topics,
    isLeaving: false,
    isForgotten: false,
    tell: (topic, data) => void sendFrame('SYSTEM', topic, JSON.stringify(data)),
    async exchange(type, topic, data, deadlineMs) {
      const messageId = sendFrame(type, topic, data);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<Outcome>((resolve) => {
        timer = setTimeout(() => resolve({ kind: 'late' }), deadlineMs);
      });
      const settled = new Promise<Outcome>((settle) => waiting.set(messageId, settle));
      const outcome = await Promise.race([settled, late]);
      clearTimeout(timer);
      if (outcome.kind === 'late') waiting.set(messageId, () => undefined);
      return outcome;
    },
    onMessage(text) {
      const ack = parseJson(text);
      const headers = recordOf(recordOf(ack)['headers']);
      const messageId = headers['messageId'];
      const settle = isText(messageId) ? waiting.get(messageId) : undefined;
      const code = isRecord(ack) ? ack['code'] : undefined;
      if (!isRecord(ack) || typeof code !== 'number' || !codes.includes(code) || !isText(ack['message'])) {
        violate('an acknowledgement has a code that is known, and a message');
      } else if (headers['contentType'] !== 'application/json') {
        violate('an acknowledgement says application/json');
      } else if (!settle || !isText(messageId)) {
        violate('an acknowledgement names a frame of its own connection that waits for one');
      } else if (typeof ack['data'] !== 'string') {
        violate('the data of an acknowledgement is a string');
      } else {
        waiting.delete(messageId);
        settle({ kind: 'acknowledged', ack: { code, data: ack['data'] } });
      }
    },
    onEnd() {
      for (const settle of waiting.values()) settle({ kind: 'ended' });
      waiting.clear();
    },
  };
  return connection;
}
