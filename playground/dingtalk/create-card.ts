import { isRecord, isText, isTextMap, recordOf, textMapOf, type Json } from '../http/shape.ts';
import { accept, blame, refuse, type Answer } from './answer.ts';
import { unshowable } from './card-lists.ts';
import { holdsUnsafeWord } from './content-check.ts';
import type { SimulatedCard } from './types.ts';
import type { World } from './world.ts';

interface Space {
  type: string;
  id: string;
}

/** `dtv1.card//IM_GROUP.<id>[;…]`; the official sample also writes the type in lower case (protocol 4.1). */
function parseSpaces(openSpaceId: string): Space[] | undefined {
  const match = /^dtv1\.card\/\/(.+)$/u.exec(openSpaceId);
  const parts = match?.[1]?.split(';') ?? [];
  const spaces = parts.map((part) => /^(IM_GROUP|IM_ROBOT|IM_SINGLE|ONE_BOX)\.(.+)$/iu.exec(part));
  if (parts.length === 0 || spaces.some((space) => space === null)) return undefined;
  return spaces.map((space) => ({ type: space?.[1]?.toUpperCase() ?? '', id: space?.[2] ?? '' }));
}

function missingField(body: Json): Answer | undefined {
  if (Object.keys(body).length === 0) return blame(400, 'param.empty', 'the request is empty');
  if (!isText(body['outTrackId'])) return blame(400, 'param.outTrackIdEmpty', 'outTrackId is empty');
  if (body['outTrackId'].length > 100) return blame(400, 'param.invalid', 'outTrackId is longer than 100 characters');
  if (!isText(body['cardTemplateId'])) return blame(400, 'param.cardTemplateIdEmpty', 'cardTemplateId is empty');
  if (!isText(body['openSpaceId'])) return blame(400, 'param.openSpaceIdEmpty', 'openSpaceId is empty');
  if (body['openSpaceId'].length > 1000) return blame(400, 'param.openSpaceIdInvalid', 'openSpaceId is too long');
  const data = body['cardData'];
  if (!isRecord(data) || !isRecord(data['cardParamMap']))
    return blame(400, 'param.cardPublicDataEmpty', 'cardData.cardParamMap is empty');
  if (!isTextMap(data['cardParamMap']))
    return blame(400, 'param.invalid', 'every value of cardParamMap must be a string');
  if (body['userIdType'] !== undefined && body['userIdType'] !== 1 && body['userIdType'] !== 2)
    return blame(400, 'param.invalid', 'userIdType must be 1 or 2');
  return undefined;
}

/** The space model's required `supportForward` and the list summary's shape (protocol 4.1). */
function badSpaceModel(model: unknown, name: string): Answer | undefined {
  if (!isRecord(model) || typeof model['supportForward'] !== 'boolean')
    return blame(400, 'param.openSpaceModelInvalid', `${name}.supportForward must be a boolean`);
  const summary = model['lastMessageI18n'];
  const languages = ['ZH_CN', 'ZH_TW', 'EN_US', 'JA_JP', 'VI_VN', 'TH_TH'];
  if (summary !== undefined && (!isTextMap(summary) || Object.keys(summary).some((key) => !languages.includes(key))))
    return blame(400, 'param.openSpaceModelInvalid', `${name}.lastMessageI18n must map known languages to text`);
  return undefined;
}

export function createCards(world: World) {
  const { settings } = world;

  const findUser = (id: string, userIdType: unknown) =>
    settings.people.find((person) => (userIdType === 2 ? person.unionId : person.staffId) === id);

  const badTemplate = (id: string): Answer | undefined => {
    const template = settings.templates[id];
    if (!template) return refuse(400, 'param.templateNotExist', 'template is not exist');
    if (!template.published) return refuse(400, 'param.templateUnpublished', 'template is unpublished');
    return undefined;
  };

  const badRobotCode = (model: Json, name: string): Answer | undefined =>
    model['robotCode'] === world.robotCode
      ? undefined
      : blame(400, 'param.openDeliverModelError', `${name}.robotCode must be the app's robot code`);

  /** The page of the call has a map of texts; `dynamicSummary` is the one key that clients send. */
  const badExtension = (deliver: Json, name: string): Answer | undefined => {
    const { extension } = deliver;
    if (extension === undefined || isTextMap(extension)) return undefined;
    return blame(400, 'param.openDeliverModelError', `every value of ${name}.extension must be a string`);
  };

  const badGroup = (body: Json): Answer | undefined => {
    const deliver = body['imGroupOpenDeliverModel'];
    if (!isRecord(deliver)) return blame(400, 'param.openDeliverModelEmpty', 'imGroupOpenDeliverModel is empty');
    const mentions = deliver['atUserIds'];
    if (mentions !== undefined && !isTextMap(mentions))
      return blame(400, 'param.openDeliverModelError', 'atUserIds must map user ids to names');
    const stranger = Object.keys(recordOf(mentions)).find((id) => id !== '@ALL' && !findUser(id, body['userIdType']));
    if (stranger !== undefined) return blame(400, 'param.userIdNotExist', `no user ${stranger} to mention`);
    return badRobotCode(deliver, 'imGroupOpenDeliverModel') ?? badExtension(deliver, 'imGroupOpenDeliverModel');
  };

  const badSingle = (body: Json): Answer | undefined => {
    const deliver = body['imRobotOpenDeliverModel'];
    if (!isRecord(deliver)) return blame(400, 'param.spaceDeliverModelEmpty', 'imRobotOpenDeliverModel is empty');
    if (deliver['spaceType'] !== 'IM_ROBOT')
      return blame(400, 'param.openDeliverModelError', 'imRobotOpenDeliverModel.spaceType must be IM_ROBOT');
    return badRobotCode(deliver, 'imRobotOpenDeliverModel') ?? badExtension(deliver, 'imRobotOpenDeliverModel');
  };

  /** Neither type nor key is needed: then taps go nowhere, as they do with STREAM where no gateway is simulated. */
  const badCallback = (body: Json): Answer | undefined => {
    const { callbackType: type, callbackRouteKey: key } = body;
    if (type !== undefined && type !== 'STREAM' && type !== 'HTTP')
      return blame(400, 'param.invalid', 'callbackType must be STREAM or HTTP');
    if (type === 'HTTP' && !isText(key)) return blame(400, 'param.callbackRouteKeyEmpty', 'callbackRouteKey is empty');
    return !isText(key) || world.callbackRoutes.has(key)
      ? undefined
      : blame(400, 'param.invalid', 'callbackRouteKey is not registered');
  };

  const badDelivery = (spaces: Space[] | undefined, body: Json): Answer | undefined => {
    if (!spaces) return blame(400, 'param.openSpaceIdInvalid', 'openSpaceId is not dtv1.card//<type>.<id>');
    return (
      (spaces.some(({ type }) => type === 'IM_GROUP') ? badGroup(body) : undefined) ??
      (spaces.some(({ type }) => type === 'IM_ROBOT') ? badSingle(body) : undefined)
    );
  };

  const badSpaceModels = (spaces: Space[] | undefined, body: Json): Answer | undefined =>
    ['imGroupOpen', 'imRobotOpen']
      .filter((model) => spaces?.some(({ type }) => type === (model === 'imGroupOpen' ? 'IM_GROUP' : 'IM_ROBOT')))
      .map((model) => badSpaceModel(body[`${model}SpaceModel`], `${model}SpaceModel`))
      .find((refusal) => refusal !== undefined);

  /** The tenant refuses one of the newer fields, and the card has it. */
  const refusesFields = (body: Json, by: 'call' | 'failure' | 'delivery'): boolean => {
    const { refusedFields } = settings;
    if (refusedFields?.by !== by) return false;
    const deliveries = ['imGroupOpenDeliverModel', 'imRobotOpenDeliverModel'].map((model) => recordOf(body[model]));
    const parts = [recordOf(recordOf(body['cardData'])['cardParamMap']), ...deliveries];
    return refusedFields.names.some((name) => parts.some((part) => name in part));
  };

  const badFields = (body: Json): Answer | undefined => {
    if (refusesFields(body, 'call')) return refuse(400, 'param.invalid', 'unknown field');
    return refusesFields(body, 'failure') ? refuse(500, 'system.error', 'system error') : undefined;
  };

  /** The chat a space means, or undefined when there is no such group or person. */
  const locate = (
    { type, id }: Space,
    userIdType: unknown,
  ): Pick<SimulatedCard, 'space' | 'conversationId'> | undefined => {
    if (type === 'IM_GROUP' && world.findGroup(id)) return { space: { kind: 'group', id }, conversationId: id };
    const person = type === 'IM_ROBOT' ? findUser(id, userIdType) : undefined;
    return person && { space: { kind: 'single', id }, conversationId: world.singleConversation(person) };
  };

  const reach = (spaces: Space[] | undefined, body: Json) =>
    (spaces ?? []).map((space) => ({
      space,
      place: locate(space, body['userIdType']),
      carrierId: world.createId(),
    }));

  const existing = (outTrackId: string): Answer | undefined => {
    if (!world.cards.has(outTrackId) && !world.hidden.has(outTrackId)) return undefined;
    const message = 'card is already exist';
    // A client that did not get the first answer may ask again; else it has reused an id.
    return world.unanswered.has(`createAndDeliver ${outTrackId}`)
      ? refuse(400, 'param.cardAlreadyExist', message)
      : blame(400, 'param.cardAlreadyExist', message);
  };

  const show = (card: SimulatedCard) => {
    world.cards.set(card.outTrackId, card);
    world.emit({ type: 'card', card });
  };

  /** protocol 4.1: HTTP 200 and success even where a space was wrong; each entry says so itself. */
  const resultsOf = (results: ReturnType<typeof reach>, isHidden: boolean) =>
    results.map(({ space, place, carrierId }) => ({
      spaceType: space.type,
      spaceId: space.id,
      success: place !== undefined && !isHidden,
      ...(place && !isHidden
        ? { carrierId, errorMsg: '' }
        : { errorMsg: isHidden ? 'param illegal' : 'spaceId is illegal' }),
    }));

  /** POST /v1.0/card/instances/deliver (protocol 4.2): shows a card that was made; its space models are known. */
  const deliver = (body: Json): Answer => {
    if (!isText(body['outTrackId'])) return blame(400, 'param.outTrackIdEmpty', 'outTrackId is empty');
    const spaces = parseSpaces(String(body['openSpaceId']));
    const refusal = badDelivery(spaces, body) ?? badFields(body);
    if (refusal) return refusal;
    const card = world.hidden.get(body['outTrackId']);
    if (!card) return refuse(400, 'param.cardNotExist', 'card is not exist');
    const isHidden = refusesFields(body, 'delivery');
    const results = reach(spaces, body);
    const found = results.find(({ place }) => place);
    if (!isHidden && found) {
      world.hidden.delete(card.outTrackId);
      show({ ...card, carrierId: found.carrierId, summaryFollows: false });
    }
    return accept({ success: true, result: resultsOf(results, isHidden) });
  };

  /** POST /v1.0/card/instances/createAndDeliver (protocol 4.1). */
  const createAndDeliver = (body: Json): Answer => {
    const spaces = parseSpaces(String(body['openSpaceId']));
    const refusal =
      missingField(body) ??
      badTemplate(String(body['cardTemplateId'])) ??
      badDelivery(spaces, body) ??
      badSpaceModels(spaces, body) ??
      badCallback(body) ??
      badFields(body) ??
      existing(String(body['outTrackId']));
    if (refusal) return refusal;
    const outTrackId = String(body['outTrackId']);
    const templateId = String(body['cardTemplateId']);
    const variables = textMapOf(recordOf(body['cardData'])['cardParamMap']);
    if (holdsUnsafeWord(settings, Object.values(variables)))
      return refuse(400, 'param.contentUnsafe', 'card content is unsafe');

    const isHidden = refusesFields(body, 'delivery');
    const results = reach(spaces, body);
    const found = results.find((result) => result.place);
    const place = found?.place;
    if (found && place) {
      const model = place.space.kind === 'group' ? 'imGroupOpen' : 'imRobotOpen';
      const summary = recordOf(body[`${model}SpaceModel`])['lastMessageI18n'];
      const mentions = recordOf(recordOf(body['imGroupOpenDeliverModel'])['atUserIds']);
      const card: SimulatedCard = {
        outTrackId,
        templateId,
        carrierId: found.carrierId,
        ...place,
        mentions: Object.entries(mentions).map(([userId, name]) => ({ userId, name: String(name) })),
        listSummary: summary === undefined ? null : textMapOf(summary),
        summaryFollows: recordOf(recordOf(body[`${model}DeliverModel`])['extension'])['dynamicSummary'] === 'true',
        phase: 'processing',
        content: variables[settings.templates[templateId]?.variables[0] ?? ''] ?? '',
        variables,
        privateVariables: {},
        frames: [],
        callbackRouteKey:
          body['callbackType'] === 'HTTP' && isText(body['callbackRouteKey']) ? body['callbackRouteKey'] : null,
        isOfStream: body['callbackType'] === 'STREAM',
        createdAt: world.clock.now(),
        endedAt: null,
      };
      if (isHidden) world.hidden.set(outTrackId, card);
      else show(card);
    }
    const deliverResults = resultsOf(results, isHidden);
    const violation = unshowable(settings.templates[templateId], variables);
    return {
      ...accept({ success: true, result: { outTrackId, deliverResults } }),
      ...(violation === undefined ? {} : { violation }),
    };
  };

  return { createAndDeliver, deliver };
}
