import { isRecord, isText, isTextMap, recordOf, textMapOf, type Json } from '../http/shape.ts';
import { accept, blame, refuse, type Answer } from './answer.ts';
import { holdsUnsafeWord } from './content-check.ts';
import type { CardPhase, SimulatedCard } from './types.ts';
import type { World } from './world.ts';

/** protocol 4.5: 1 processing, 2 inputing, 3 finished, 4 executing, 5 failed. */
const phases: Record<string, CardPhase> = {
  '1': 'processing',
  '2': 'typing',
  '3': 'finished',
  '4': 'typing',
  '5': 'failed',
};

export function createCardUpdates(world: World) {
  const { settings } = world;

  const badUpdate = (body: Json): Answer | undefined => {
    if (!isText(body['outTrackId'])) return blame(400, 'param.outTrackIdEmpty', 'outTrackId is empty');
    if (!isRecord(body['cardData']) && !isRecord(body['privateData']))
      return blame(400, 'param.cardDataAndPrivateDataBothEmpty', 'cardData and privateData are both empty');
    const maps = [body['cardData'], ...Object.values(recordOf(body['privateData']))]
      .filter((data) => data !== undefined)
      .map((data) => recordOf(data)['cardParamMap']);
    if (!maps.every((map) => isTextMap(map)))
      return blame(400, 'param.invalid', 'every value of cardParamMap must be a string');
    const unknown = Object.keys(recordOf(body['privateData'])).find((id) => !world.findPerson(id));
    if (unknown !== undefined) return blame(400, 'param.userIdNotExist', `no user ${unknown}`);
    if (!world.cards.has(body['outTrackId'])) return blame(400, 'param.cardNotExist', 'card is not exist');
    if (
      holdsUnsafeWord(
        settings,
        maps.flatMap((map) => Object.values(map)),
      )
    )
      return refuse(400, 'param.contentUnsafe', 'card content is unsafe');
    return undefined;
  };

  const applyPublic = (card: SimulatedCard, given: Record<string, string>, byKey: boolean) => {
    // protocol 4.4: the default overwrites all data, so a forgotten option blanks the card, as it does there.
    card.variables = byKey ? { ...card.variables, ...given } : { ...given };
    const shown = settings.templates[card.templateId]?.variables[0] ?? '';
    if (shown in given || !byKey) card.content = card.variables[shown] ?? '';
    const phase = phases[given['flowStatus'] ?? ''];
    if (!phase) return;
    card.phase = phase;
    card.endedAt = phase === 'finished' || phase === 'failed' ? (card.endedAt ?? world.clock.now()) : null;
  };

  /** PUT /v1.0/card/instances (protocol 4.4). Works after the last frame, too. */
  const update = (body: Json): Answer => {
    const refusal = badUpdate(body);
    if (refusal) return refusal;
    const card = world.cards.get(String(body['outTrackId']));
    if (!card) return refuse(500, 'system.busy', 'system busy');
    const options = recordOf(body['cardUpdateOptions']);
    if (isRecord(body['cardData']))
      applyPublic(card, textMapOf(body['cardData']['cardParamMap']), options['updateCardDataByKey'] === true);
    for (const [userId, data] of Object.entries(recordOf(body['privateData']))) {
      const given = textMapOf(recordOf(data)['cardParamMap']);
      const kept = options['updatePrivateDataByKey'] === true ? card.privateVariables[userId] : {};
      card.privateVariables[userId] = { ...kept, ...given };
    }
    world.emit({ type: 'card', card });
    return accept({ success: true, result: true });
  };

  /** POST /v1.0/card/callbacks/register (protocol 4.8). */
  const registerCallback = (body: Json): Answer => {
    const { callbackRouteKey: key, callbackUrl: url, apiSecret, forceUpdate } = body;
    if (!isText(key)) return blame(400, 'param.callbackRouteKeyEmpty', 'callbackRouteKey is empty');
    if (!isText(url)) return blame(400, 'param.callbackUrlEmpty', 'callbackUrl is empty');
    if (!/^https?:\/\//u.test(url)) return blame(400, 'param.invalid', 'callbackUrl is not a URL');
    const route = { url, apiSecret: isText(apiSecret) ? apiSecret : null };
    const earlier = world.callbackRoutes.get(key);
    if (earlier && earlier.url !== url && forceUpdate !== true)
      return refuse(500, 'param.callbackRouteKeyExist', 'callbackRouteKey is already registered');
    // Without forceUpdate an existing registration stays as it is and comes back.
    const kept = earlier && forceUpdate !== true ? earlier : route;
    world.callbackRoutes.set(key, kept);
    return accept({ success: true, result: { callbackUrl: kept.url, apiSecret: kept.apiSecret } });
  };

  return { update, registerCallback };
}
