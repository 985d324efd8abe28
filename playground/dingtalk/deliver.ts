import { isText, parseJson, recordOf, textMapOf, type Json } from '../http/shape.ts';
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

  /** protocol 4.8: what a button's response changes, only for the person who tapped. */
  const applyResponse = (callback: Callback, body: Json) => {
    const card = world.cards.get(String(callback.body['outTrackId']));
    if (!card) return;
    const userId = String(callback.body['userId']);
    const given = {
      ...textMapOf(recordOf(body['cardData'])['cardParamMap']),
      ...textMapOf(recordOf(body['userPrivateData'])['cardParamMap']),
    };
    if (Object.keys(given).length === 0) return;
    card.privateVariables[userId] = { ...card.privateVariables[userId], ...given };
    world.emit({ type: 'card', card });
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
    if (response.ok) {
      const parsed = recordOf(parseJson(body));
      if (callback.body['type'] === 'actionCallback') applyResponse(callback, parsed);
      else showResponse(callback, parsed);
    }
    return { status: response.status, body, ms: world.clock.now() - startedAt };
  };
}
