import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import type { CardSink, Frame } from '../delivery/sink.ts';
import { BridgeError, type ErrorCode } from '../errors.ts';
import type { Message } from './callback.ts';
import { STREAM, type CardCallback } from './card-callback.ts';
import type { DingTalkClient } from './client.ts';
import { cardRefusals, remedyFor } from './failures.ts';

export interface AiCardOptions {
  client: DingTalkClient;
  config: DingTalkConfig;
  templateId: string;
  message: Pick<Message, 'chat' | 'sender'>;
  /** DingTalk's `outTrackId`: ours to choose, at most 100 characters, unique. */
  cardId: string;
  /** What the chat list shows instead of a fixed phrase, until it follows the answer. No call can change it. */
  summary: string;
  /**
   * Where DingTalk sends what is pressed: a registered route key, or null for a card without callback. Never rejects.
   */
  routeKey: CardCallback['routeKey'];
}

/** Tries to make a card after calls without an answer: a broken connection shows at once, a time-out takes 8 s. */
const MAX_TRIES: Readonly<Partial<Record<ErrorCode, number>>> = { dingtalk_unreachable: 3, dingtalk_timeout: 2 };

/**
 * `success: false` inside an HTTP 200, or an empty list, means that DingTalk made the card and showed it to no one. An
 * `errorMsg` alone, or no list, means nothing.
 */
const delivered = z.object({
  result: z.object({
    deliverResults: z.array(z.object({ success: z.boolean().nullish() })).nullish(),
  }),
});

const streamed = z.object({ success: z.boolean().nullish(), result: z.boolean().nullish() });

/**
 * The variable of DingTalk's own that holds the state of an AI card, and its value for 完成 (official templates describe
 * it). Official code sets it for the preset template only, so it is the last way to end a card.
 */
const FINISHED = { flowStatus: '3' };

/**
 * Makes a card as wide as the chat, where its template declares `config` (official template pages). Object variables go
 * as JSON. Templates without it have been seen to pass over a variable that they do not declare.
 */
const WIDE = { config: JSON.stringify({ autoLayout: true }) };

/** Lets the line in the chat list follow the answer (official and other bridges; DingTalk's pages name no keys). */
const FOLLOWING = { extension: { dynamicSummary: 'true' } };

/**
 * Frames have been seen to take 3 to 10 s. After an earlier time-out DingTalk would show the frame and its replacement.
 */
const FRAME_TIMEOUT_MS = 11_000;

/**
 * A streaming AI card in the chat that the message came from. DingTalk derives the state of the card from its delivery
 * and its frames, so no call sets it.
 */
export function createAiCard(options: AiCardOptions): CardSink {
  const { client, config, templateId, message, cardId, summary, routeKey } = options;

  async function create(body: object): Promise<void> {
    const answer = await client.call('createAndDeliver', {
      method: 'POST',
      path: '/v1.0/card/instances/createAndDeliver',
      body,
    });
    const told = delivered.safeParse(answer).data;
    const results = told?.result.deliverResults;
    if (!told || results?.length === 0 || results?.some((result) => result.success === false)) {
      throw new BridgeError('dingtalk_card_undelivered', remedyFor('dingtalk_card_undelivered') ?? '');
    }
  }

  return {
    async open() {
      const key = await routeKey();
      const body = {
        cardTemplateId: templateId,
        outTrackId: cardId,
        cardData: { cardParamMap: { ...(config.cardWide ? WIDE : {}), [config.cardContentKey]: '' } },
        ...(key === STREAM ? { callbackType: 'STREAM' } : {}),
        ...(typeof key === 'string' ? { callbackType: 'HTTP', callbackRouteKey: key } : {}),
        ...target(message, config.robotCode, summary),
      };
      for (let tries = 1; ; tries += 1) {
        try {
          await create(body);
          return;
        } catch (error) {
          // No one else uses this id, so the card that exists is this one: a call whose answer was lost has made it.
          if (hasCode(error, 'dingtalk_card_exists')) return;
          // Without an answer the card may be there. A repeat is safe: the same id makes no second card.
          if (tries >= ((error instanceof BridgeError && MAX_TRIES[error.code]) || 1)) throw error;
        }
      }
    },
    ...openedCard(client, config, cardId),
  };
}

/** A card that this or another instance made. */
export function openedCard(client: DingTalkClient, config: DingTalkConfig, cardId: string): Omit<CardSink, 'open'> {
  return {
    write: (frame) => writeFrame(client, config, cardId, frame),
    close: (text) => updateCard(client, cardId, { variables: { [config.cardContentKey]: text, ...FINISHED } }),
    ...cardRefusals,
  };
}

/** Shows a frame on a card that this or another instance made. */
export async function writeFrame(
  client: DingTalkClient,
  config: DingTalkConfig,
  cardId: string,
  { text, state, id }: Frame,
): Promise<void> {
  const answer = await client.call('streaming', {
    method: 'PUT',
    path: '/v1.0/card/streaming',
    timeoutMs: FRAME_TIMEOUT_MS,
    body: {
      outTrackId: cardId,
      guid: id,
      key: config.cardContentKey,
      content: text,
      // A variable that is bound to markdown takes only the whole text.
      isFull: true,
      isFinalize: state === 'finished',
      isError: state === 'failed',
    },
  });
  const told = streamed.safeParse(answer).data;
  if (told?.success === false || told?.result === false) {
    throw new BridgeError('dingtalk_server_error', 'DingTalk did not take the frame', { api: 'streaming' });
  }
}

/**
 * Changes variables of a card, also of one that has ended. Variables that are not named keep their values: without the
 * options DingTalk would clear them (page of `PUT /v1.0/card/instances`).
 */
export async function updateCard(
  client: DingTalkClient,
  cardId: string,
  change: {
    variables?: Readonly<Record<string, string>>;
    /** For one person only. */
    own?: { userId: string; isUnionId: boolean; variables: Readonly<Record<string, string>> };
  },
): Promise<void> {
  const { variables, own } = change;
  await client.call('updateCard', {
    method: 'PUT',
    path: '/v1.0/card/instances',
    body: {
      outTrackId: cardId,
      ...(variables ? { cardData: { cardParamMap: variables } } : {}),
      ...(own
        ? { privateData: { [own.userId]: { cardParamMap: own.variables } }, userIdType: own.isUnionId ? 2 : 1 }
        : {}),
      cardUpdateOptions: { updateCardDataByKey: true, updatePrivateDataByKey: true },
    },
  });
}

const hasCode = (error: unknown, code: ErrorCode) => error instanceof BridgeError && error.code === code;

/** Where the card goes. @throws BridgeError `dingtalk_card_no_target` when the asker cannot be addressed. */
function target({ chat, sender }: Pick<Message, 'chat' | 'sender'>, robotCode: string, summary: string): object {
  const space = {
    supportForward: true,
    lastMessageI18n: { ZH_CN: summary, EN_US: summary },
  };
  if (chat.isGroup) {
    return {
      openSpaceId: `dtv1.card//IM_GROUP.${chat.id}`,
      userIdType: 1,
      imGroupOpenSpaceModel: space,
      imGroupOpenDeliverModel: {
        robotCode,
        ...FOLLOWING,
        ...(sender.staffId ? { atUserIds: { [sender.staffId]: sender.nick || sender.staffId } } : {}),
      },
    };
  }
  const userId = sender.staffId ?? sender.unionId;
  if (!userId) throw new BridgeError('dingtalk_card_no_target', 'the asker has neither staff id nor union id');
  return {
    openSpaceId: `dtv1.card//IM_ROBOT.${userId}`,
    userIdType: sender.staffId ? 1 : 2,
    imRobotOpenSpaceModel: space,
    imRobotOpenDeliverModel: { spaceType: 'IM_ROBOT', robotCode, ...FOLLOWING },
  };
}
