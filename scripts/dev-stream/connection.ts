import axios, { isAxiosError } from 'axios';
import { DWClient, GATEWAY_URL, TOPIC_CARD, TOPIC_ROBOT } from 'dingtalk-stream';
import type { Clock } from '../../lib/runtime/clock.ts';

export interface StreamOptions {
  clientId: string;
  clientSecret: string;
  /** `DINGTALK_API_URL`: where the gateway is. */
  apiUrl: string;
  /** Neither rejects. The message has been acknowledged by then; what a tap resolves with goes into its acknowledgement. */
  onMessage: (body: string) => Promise<void>;
  onTap: (body: string) => Promise<object>;
  say: (sentence: string) => void;
  /** The credentials are wrong: no further attempt is made. */
  onRefused: () => void;
  clock: Clock;
}

export interface Stream {
  close(): void;
}

/** Pauses between attempts: the first, doubled up to the last. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;
/** Silence for so long after the first connection is worth a hint. */
const HINT_AFTER_MS = 60_000;

const HINT =
  'no message has come for a minute. If you have sent one: the robot is in HTTP mode (开发者后台 → the app → 机器人 → ' +
  '消息接收模式: choose Stream 模式, then 发布), or another program is connected with the same client id, or the ' +
  'robot was not mentioned in a group';

/**
 * A robot's connection in Stream mode, by the official package.
 *
 * Each connection has a client of its own: one that is used again keeps the heartbeat of the connection before, which
 * then ends the new one, and it begins two attempts for each that fails.
 */
export function openStream(options: StreamOptions): Stream {
  const { clientId, clientSecret, apiUrl, clock, say } = options;
  let current: DWClient | null = null;
  let isClosed = false;
  let pauseMs = FIRST_PAUSE_MS;
  let cancelRetry = () => {};
  let cancelHint: (() => void) | null = null;

  // The package has the gateway's address as a constant. It asks through the shared axios, so that is where it is
  // changed, for this app's requests only.
  const redirect = axios.interceptors.request.use((request) => {
    const data = request.data as { clientId?: unknown } | undefined;
    if (request.url === GATEWAY_URL && data?.clientId === clientId) {
      request.url = `${apiUrl}${new URL(GATEWAY_URL).pathname}`;
    }
    return request;
  });

  function createClient(): DWClient {
    const client = new DWClient({ clientId, clientSecret, keepAlive: true });
    // By default it asks for all events as well, and acknowledges them: they would be lost to whom they are meant for.
    client.config.subscriptions = [];
    client.registerCallbackListener(TOPIC_ROBOT, ({ headers, data }) => {
      client.socketCallBackResponse(headers.messageId, {});
      cancelHint?.();
      cancelHint = () => {};
      void options.onMessage(data);
    });
    client.registerCallbackListener(TOPIC_CARD, ({ headers, data }) => {
      void options.onTap(data).then((answer) => client.socketCallBackResponse(headers.messageId, answer));
    });
    // The package calls this one second after a connection has ended.
    client.connect = async () => {
      if (client !== current || isClosed) return;
      say('the connection has ended, connecting again');
      await connect();
    };
    return client;
  }

  async function connect(): Promise<void> {
    current?.disconnect();
    const client = createClient();
    current = client;
    try {
      await client.getEndpoint();
      if (isClosed) return;
      await client._connect();
    } catch (error) {
      // What the package does about an end is meant for connections that were there.
      current = null;
      if (isClosed) return;
      const { sentence, isFinal } = describe(error, apiUrl);
      if (isFinal) {
        say(sentence);
        options.onRefused();
        return;
      }
      say(`${sentence}. Trying again in ${pauseMs / 1_000} s`);
      cancelRetry = clock.schedule(pauseMs, () => void connect());
      pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
      return;
    }
    pauseMs = FIRST_PAUSE_MS;
    say('connected, waiting for messages');
    cancelHint ??= clock.schedule(HINT_AFTER_MS, () => say(HINT));
  }

  void connect();
  return {
    close() {
      isClosed = true;
      cancelRetry();
      cancelHint?.();
      current?.disconnect();
      axios.interceptors.request.eject(redirect);
    },
  };
}

/** Why a connection could not be opened, and the remedy. The error itself holds the secret, so it is never shown. */
function describe(error: unknown, apiUrl: string): { sentence: string; isFinal: boolean } {
  const again = (sentence: string) => ({ sentence, isFinal: false });
  if (!isAxiosError(error)) {
    const refusal = /^Unexpected server response: (\d+)/.exec(error instanceof Error ? error.message : '');
    if (refusal) return again(`DingTalk refused the ticket (${refusal[1]}): it was too old, or used already`);
    return again('the connection could not be opened: look for a proxy or firewall that lets no WebSocket through');
  }
  const status = error.response?.status;
  if (status === 401) {
    const sentence =
      'DingTalk does not know this pair of client id and client secret (401). Copy both again (开发者后台 → the app → ' +
      '凭证与基础信息) into .env, without blanks, and start again';
    return { sentence, isFinal: true };
  }
  if (status === 400) {
    return again(
      'DingTalk refused to open a stream (400): a proxy in HTTP_PROXY or HTTPS_PROXY may spoil the request (set ' +
        'NO_PROXY), or the app has no robot',
    );
  }
  if (status !== undefined) return again(`DingTalk refused to open a stream (${status})`);
  return again(`${apiUrl} cannot be reached (${error.code ?? 'no answer'}): look at the network and DINGTALK_API_URL`);
}
