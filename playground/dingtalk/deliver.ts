import { isText, parseJson, recordOf, type Json } from '../http/shape.ts';
import { takeCardResponse } from './card-response.ts';
import type { Callback, Delivery, SimulatedMessage } from './types.ts';
import type { World } from './world.ts';

/** Posts callbacks as DingTalk does, and shows what the response itself says. */
export function createDeliver(world: World) {
  /** protocol 1.7: the response may be a message itself; `{"msgtype":"empty"}` and an empty body mean none. */
  const showResponse = (callback: Callback, body: Json) => {
    const kind = body['msgtype'];
    if (!isText(kind) || kind === 'empty') return;
    const part = recordOf(body[kind]);
    const text = part['text'] ?? part['content'];
    const message: SimulatedMessage = {
      id: world.createId(),
      at: world.clock.now(),
      channel: 'response',
      kind,
      conversationId: String(callback.body['conversationId']),
      title: isText(part['title']) ? part['title'] : null,
      text: isText(text) ? text : '',
      mentions: [],
      mentionsAll: false,
      raw: body,
    };
    world.messages.push(message);
    world.emit({ type: 'message', message });
  };

  return async (url: string, callback: Callback): Promise<Delivery> => {
    const startedAt = world.clock.now();
    const response = await fetch(url, {
      method: 'POST',
      headers: callback.headers,
      body: JSON.stringify(callback.body),
      redirect: 'manual',
    });
    const body = await response.text();
    if (callback.body['type'] === 'actionCallback')
      takeCardResponse(world, callback.body, { status: response.status, body });
    else if (response.ok) showResponse(callback, recordOf(parseJson(body)));
    return { status: response.status, body, ms: world.clock.now() - startedAt };
  };
}
