import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import type { Message } from './callback.ts';
import { STREAM, type CardCallback } from './card-callback.ts';

export interface CardRequestOptions {
  config: DingTalkConfig;
  templateId: string;
  message: Pick<Message, 'chat' | 'sender'>;
  /** DingTalk's `outTrackId`: ours to choose, at most 100 characters, unique. */
  cardId: string;
  /** What the chat list shows instead of a fixed phrase, until it follows the answer. No call can change it. */
  summary: string;
  /** What it answers: the variable `question` of templates that show it. */
  question: string;
  /** What the app is called that answers: the variable `app`. Asked when the card is made; empty where it is not known. */
  app: () => string;
}

/** What is sent to make a card: `deliver` shows a card that was made without being shown. */
export interface CardRequest {
  create: object;
  deliver: object;
}

/**
 * Makes a card as wide as the chat, where its template declares `config` (official template pages). Object variables go
 * as JSON. Templates without it have been seen to pass over a variable that they do not declare.
 */
const WIDE = { config: JSON.stringify({ autoLayout: true }) };

/** Lets the line in the chat list follow the answer (official and other bridges; DingTalk's pages name no keys). */
const FOLLOWING = { extension: { dynamicSummary: 'true' } };

/**
 * @param withExtras with the fields that a card can do without.
 * @throws BridgeError `dingtalk_card_no_target` when the asker cannot be addressed.
 */
export function cardRequest(
  { config, templateId, message, cardId, summary, question, app }: CardRequestOptions,
  routeKey: Awaited<ReturnType<CardCallback['routeKey']>>,
  withExtras: boolean,
): CardRequest {
  const { space, delivery } = targetOf(message, config.robotCode, summary, withExtras ? FOLLOWING : {});
  const deliver = { outTrackId: cardId, ...delivery };
  // Empty from the beginning: a template may show its opinions where no form waits.
  const own = { question, app: app(), waiting_for: '' };
  const extras = withExtras ? { ...own, ...(config.cardWide ? WIDE : {}) } : {};
  return {
    deliver,
    create: {
      cardTemplateId: templateId,
      cardData: { cardParamMap: { ...extras, [config.cardContentKey]: '' } },
      ...(routeKey === STREAM ? { callbackType: 'STREAM' } : {}),
      ...(typeof routeKey === 'string' ? { callbackType: 'HTTP', callbackRouteKey: routeKey } : {}),
      ...space,
      ...deliver,
    },
  };
}

/** Where the card goes, and how it stands there. */
function targetOf(
  { chat, sender }: CardRequestOptions['message'],
  robotCode: string,
  summary: string,
  extras: object,
): { space: object; delivery: object } {
  const space = {
    supportForward: true,
    lastMessageI18n: { ZH_CN: summary, EN_US: summary },
  };
  if (chat.isGroup) {
    return {
      space: { imGroupOpenSpaceModel: space },
      delivery: {
        openSpaceId: `dtv1.card//IM_GROUP.${chat.id}`,
        userIdType: 1,
        imGroupOpenDeliverModel: {
          robotCode,
          ...extras,
          ...(sender.staffId ? { atUserIds: { [sender.staffId]: sender.nick || sender.staffId } } : {}),
        },
      },
    };
  }
  const userId = sender.staffId ?? sender.unionId;
  if (!userId) throw new BridgeError('dingtalk_card_no_target', 'the asker has neither staff id nor union id');
  return {
    space: { imRobotOpenSpaceModel: space },
    delivery: {
      openSpaceId: `dtv1.card//IM_ROBOT.${userId}`,
      userIdType: sender.staffId ? 1 : 2,
      imRobotOpenDeliverModel: { spaceType: 'IM_ROBOT', robotCode, ...extras },
    },
  };
}
