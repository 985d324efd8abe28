import * as z from 'zod';
import type { DingTalkConfig } from '../../config/robot.ts';
import { BridgeError, safeUpstreamCode } from '../../errors.ts';
import type { Fetch } from '../../net/http.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isOfGateway } from '../failures.ts';
import { send } from '../http.ts';
import { withAnySecret } from '../token.ts';
import { TOPICS } from './frames.ts';

export type StreamConfig = Pick<DingTalkConfig, 'clientId' | 'clientSecrets' | 'apiUrl'>;

/** Where one connection can be opened, within 90 s. */
export interface Ticket {
  endpoint: URL;
  ticket: string;
}

export interface TicketPorts {
  fetch: Fetch;
  clock: Clock;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 8_000;

const SUBSCRIPTIONS = Object.values(TOPICS).map((topic) => ({ type: 'CALLBACK', topic }));

const opened = z.object({ endpoint: z.string().min(1), ticket: z.string().min(1) });

const refused = z.object({ code: z.string().nullish() });

/**
 * Asks DingTalk for a connection.
 *
 * @throws BridgeError `dingtalk_credentials`, `dingtalk_stream_refused`, `dingtalk_server_error`, `dingtalk_qps`,
 * `dingtalk_unreachable` or `dingtalk_timeout`.
 */
export function requestTicket(config: StreamConfig, ports: TicketPorts): Promise<Ticket> {
  return withAnySecret(config, (secret) => requestWith(secret, config, ports));
}

async function requestWith(
  clientSecret: string,
  { clientId, apiUrl }: StreamConfig,
  { fetch, clock, signal }: TicketPorts,
): Promise<Ticket> {
  const { status, json } = await send(fetch, clock, 'openStream', {
    method: 'POST',
    url: `${apiUrl}/v1.0/gateway/connections/open`,
    body: { clientId, clientSecret, subscriptions: SUBSCRIPTIONS, ua: 'dify-on-dingtalk-serverless' },
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  const ticket = opened.safeParse(json).data;
  const endpoint = ticket ? URL.parse(ticket.endpoint) : null;
  if (status !== 200 || !ticket || !endpoint) throw refusalOf(status, json);
  // The ticket opens the robot's messages, so it goes nowhere unencrypted where the API itself is encrypted.
  const protocols = apiUrl.startsWith('https:') ? ['wss:'] : ['wss:', 'ws:'];
  if (!protocols.includes(endpoint.protocol)) {
    throw new BridgeError('dingtalk_stream_refused', 'DingTalk named no encrypted address for the connection', {
      status,
    });
  }
  return { endpoint, ticket: ticket.ticket };
}

/** The address at which the connection opens. */
export function addressOf({ endpoint, ticket }: Ticket): string {
  const url = new URL(endpoint);
  url.searchParams.set('ticket', ticket);
  return url.href;
}

/** 401 `authFailed` was seen for a wrong pair of id and secret; the other codes are not documented. */
function refusalOf(status: number, json: unknown): BridgeError {
  const upstreamCode = safeUpstreamCode(refused.safeParse(json).data?.code);
  const facts = { api: 'openStream', status, upstreamCode };
  if (status === 401) {
    return new BridgeError('dingtalk_credentials', 'DingTalk does not know this client id with this secret', facts);
  }
  if (status === 429) return new BridgeError('dingtalk_qps', 'DingTalk refused the connection for speed', facts);
  if (status >= 500 || (status === 200 && isOfGateway(json))) {
    return new BridgeError('dingtalk_server_error', 'DingTalk could not open a connection', facts);
  }
  return new BridgeError('dingtalk_stream_refused', 'DingTalk refused to open a connection', facts);
}
