import { isRecord, isText, isTextMap, recordOf, textMapOf, type Json } from '../http/shape.ts';
import { accept, blame, refuse, type Answer } from './answer.ts';
import { holdsUnsafeWord } from './content-check.ts';
import { cardPhases } from './card-buttons.ts';
import { unshowable } from './card-lists.ts';
import type { SimulatedCard } from './types.ts';
import type { World } from './world.ts';

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
    const byUnionId = body['userIdType'] === 2;
    const isKnown = (id: string) =>
      settings.people.some((person) => (byUnionId ? person.unionId : person.staffId) === id);
    const unknown = Object.keys(recordOf(body['privateData'])).find((id) => !isKnown(id));
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
    const phase = cardPhases[given['flowStatus'] ?? ''];
    if (!phase) return;
    card.phase = phase;
    // A card that has ended can change its looks; nothing says that it could be streamed again.
    if (phase === 'finished' || phase === 'failed') card.endedAt ??= world.clock.now();
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
      const name = world.nameOf(userId);
      const kept = options['updatePrivateDataByKey'] === true ? card.privateVariables[name] : {};
      card.privateVariables[name] = { ...kept, ...given };
    }
    world.emit({ type: 'card', card });
    const violation = unshowable(settings.templates[card.templateId], card.variables);
    return { ...accept({ success: true, result: true }), ...(violation === undefined ? {} : { violation }) };
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
