import type { DingTalkConfig } from '../config/robot.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { createCardBreaker } from './card-breaker.ts';
import { createCardCallback, streamCallback, type CardCallbackOptions } from './card-callback.ts';
import { createCardExtras } from './card-extras.ts';
import { createChat, type Chat } from './chat.ts';
import { createDingTalkClient } from './client.ts';
import type { TokenStore } from './token.ts';

export interface DingTalkPorts {
  /** The function's own address for this robot. */
  address: string;
  /** What all instances share: without a store each has a token of its own. */
  tokens: TokenStore | null;
  flags: CardCallbackOptions['flags'];
  fetch: Fetch;
  clock: Clock;
  log: Log;
}

/** DingTalk for one robot: its ways into its chats. */
export function createDingTalk(config: DingTalkConfig, { address, tokens, flags, ...ports }: DingTalkPorts): Chat {
  const { fetch, clock, log } = ports;
  const client = createDingTalkClient(config, fetch, clock, tokens);
  const onFailed = (error: unknown) => log.warn('callback_not_registered', callbackFields(error));
  const callback =
    config.connection === 'stream'
      ? streamCallback
      : createCardCallback({ client, config, address, flags, clock, onFailed });
  return createChat({
    config,
    client,
    callback,
    breaker: createCardBreaker(clock),
    extras: createCardExtras(clock),
    ...ports,
  });
}

function callbackFields(error: unknown) {
  const { code: cause, ...fields } = errorFields(error);
  return { ...fields, code: 'dingtalk_callback_unregistered', cause: cause ?? null };
}
