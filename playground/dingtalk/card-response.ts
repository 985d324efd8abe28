import { isRecord, isTextMap, parseJson, type Json } from '../http/shape.ts';
import type { CardResponse } from './types.ts';
import type { World } from './world.ts';

/** `undefined` where the part is not there, a sentence where it is not what protocol 4.8 says. */
function readMap(body: Json, name: string): Record<string, string> | string | undefined {
  const part = body[name];
  if (part === undefined || part === null) return undefined;
  const map = isRecord(part) ? part['cardParamMap'] : undefined;
  if (!isRecord(map)) return `${name} has no cardParamMap`;
  return isTextMap(map) ? map : `every value of ${name}.cardParamMap must be a string`;
}

/** The response to a tap, or what is wrong with it. */
function readCardResponse(text: string): CardResponse | string {
  const body = parseJson(text);
  if (!isRecord(body)) return 'the response is not a JSON object';
  // Keyed by user id it belongs into PUT card/instances; here DingTalk would pass over it (protocol 4.8).
  if ('privateData' in body) return 'a response has userPrivateData, not privateData';
  const options = body['cardUpdateOptions'] ?? {};
  if (!isRecord(options)) return 'cardUpdateOptions must be an object';
  const flags = [options['updateCardDataByKey'] ?? false, options['updatePrivateDataByKey'] ?? false];
  if (!flags.every((flag) => typeof flag === 'boolean')) return 'cardUpdateOptions must hold booleans';
  const cardData = readMap(body, 'cardData');
  if (typeof cardData === 'string') return cardData;
  const userPrivateData = readMap(body, 'userPrivateData');
  if (typeof userPrivateData === 'string') return userPrivateData;
  return {
    cardUpdateOptions: { updateCardDataByKey: flags[0] === true, updatePrivateDataByKey: flags[1] === true },
    cardData: cardData ?? null,
    userPrivateData: userPrivateData ?? null,
  };
}

/** protocol 4.8: a response changes the card only for the person who tapped, cardData included. */
function apply(world: World, outTrackId: string, userId: string, response: CardResponse): void {
  const card = world.cards.get(outTrackId);
  const { cardUpdateOptions: byKey, cardData, userPrivateData } = response;
  if (!card || (!cardData && !userPrivateData)) return;
  const name = world.nameOf(userId);
  let own = card.privateVariables[name] ?? {};
  if (userPrivateData) own = { ...(byKey.updatePrivateDataByKey ? own : {}), ...userPrivateData };
  if (cardData) {
    // protocol 4.4: without the option everything is overwritten, so what is not given is blank.
    const blank = Object.fromEntries(Object.keys(card.variables).map((key) => [key, '']));
    own = { ...own, ...(byKey.updateCardDataByKey ? {} : blank), ...cardData };
  }
  card.privateVariables[name] = own;
  world.emit({ type: 'card', card });
}

/**
 * Does what the answer to a card action says, or notes what is wrong with it. An answer other than 2xx changes nothing:
 * a forged action is to be refused.
 */
export function takeCardResponse(
  world: World,
  action: Json,
  answer: { status: number; body: string },
): CardResponse | null {
  if (answer.status < 200 || answer.status >= 300) return null;
  const outTrackId = String(action['outTrackId']);
  const response = readCardResponse(answer.body);
  if (typeof response === 'string') {
    world.violate({ api: 'cardCallback', code: 'response.malformed', message: response, outTrackId });
    return null;
  }
  apply(world, outTrackId, String(action['userId']), response);
  return response;
}
