// The fields of each request and their types, as the official SDK declares them (@alicloud/dingtalk 2.2.27, `static types()`).
import { isRecord, type Json } from '../http/shape.ts';
import type { DingTalkApi } from './types.ts';

/** A list or a map holds one kind of value. */
type Model =
  'string' | 'number' | 'boolean' | { list: Model } | { map: Model } | { fields: Readonly<Record<string, Model>> };

const texts: Model = { map: 'string' };
const cardData: Model = { fields: { cardParamMap: texts } };
const privateData: Model = { map: cardData };

const spaceModel: Model = {
  fields: {
    lastMessageI18n: texts,
    notification: { fields: { alertContent: 'string', notificationOff: 'boolean' } },
    searchSupport: { fields: { searchDesc: 'string', searchIcon: 'string', searchTypeName: 'string' } },
    supportForward: 'boolean',
  },
};

const delivery = {
  imGroupOpenDeliverModel: {
    fields: { atUserIds: texts, extension: texts, recipients: { list: 'string' }, robotCode: 'string' },
  },
  imRobotOpenDeliverModel: { fields: { extension: texts, robotCode: 'string', spaceType: 'string' } },
  openSpaceId: 'string',
  outTrackId: 'string',
  userIdType: 'number',
} satisfies Record<string, Model>;

/** The spaces that no robot of ours uses are left out: a field of theirs is blamed. */
const models: Partial<Record<DingTalkApi, Model>> = {
  accessToken: { fields: { appKey: 'string', appSecret: 'string' } },
  createAndDeliver: {
    fields: {
      ...delivery,
      callbackRouteKey: 'string',
      callbackType: 'string',
      cardAtUserIds: { list: 'string' },
      cardData,
      cardTemplateId: 'string',
      imGroupOpenSpaceModel: spaceModel,
      imRobotOpenSpaceModel: spaceModel,
      privateData,
      userId: 'string',
    },
  },
  deliver: { fields: delivery },
  streaming: {
    fields: {
      content: 'string',
      guid: 'string',
      isError: 'boolean',
      isFinalize: 'boolean',
      isFull: 'boolean',
      key: 'string',
      outTrackId: 'string',
    },
  },
  updateCard: {
    fields: {
      cardData,
      cardUpdateOptions: { fields: { updateCardDataByKey: 'boolean', updatePrivateDataByKey: 'boolean' } },
      outTrackId: 'string',
      privateData,
      userIdType: 'number',
    },
  },
  registerCallback: {
    fields: { apiSecret: 'string', callbackRouteKey: 'string', callbackUrl: 'string', forceUpdate: 'boolean' },
  },
  sendToPeople: { fields: { msgKey: 'string', msgParam: 'string', robotCode: 'string', userIds: { list: 'string' } } },
  sendToGroup: {
    fields: {
      coolAppCode: 'string',
      msgKey: 'string',
      msgParam: 'string',
      openConversationId: 'string',
      robotCode: 'string',
      token: 'string',
    },
  },
  downloadFile: { fields: { downloadCode: 'string', robotCode: 'string' } },
};

function faultOf(value: unknown, model: Model, place: string): string | undefined {
  if (typeof model === 'string') return typeof value === model ? undefined : `${place} must be a ${model}`;
  if ('list' in model) {
    if (!Array.isArray(value)) return `${place} must be a list`;
    return firstFault(value.map((item, index) => faultOf(item, model.list, `${place}[${index}]`)));
  }
  if (!isRecord(value)) return `${place || 'the body'} must be an object`;
  const within = (name: string) => (place === '' ? name : `${place}.${name}`);
  return firstFault(
    Object.entries(value).map(([name, inner]) => {
      if ('map' in model) return faultOf(inner, model.map, within(name));
      const known = Object.hasOwn(model.fields, name) ? model.fields[name] : undefined;
      return known ? faultOf(inner, known, within(name)) : `the SDK has no field ${within(name)}`;
    }),
  );
}

const firstFault = (faults: readonly (string | undefined)[]) => faults.find((fault) => fault !== undefined);

/** What of a request the SDK could not have sent; undefined for a right one. DingTalk itself passes over some of it. */
export function modelFault(api: DingTalkApi, body: Json): string | undefined {
  const model = models[api];
  return model && faultOf(body, model, '');
}
