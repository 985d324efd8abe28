import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import type { CardSink, Frame } from '../delivery/sink.ts';
import { BridgeError, hasCode, type ErrorCode } from '../errors.ts';
import type { CardCallback } from './card-callback.ts';
import type { CardExtras } from './card-extras.ts';
import { cardRequest, type CardRequest, type CardRequestOptions } from './card-request.ts';
import type { DingTalkClient } from './client.ts';
import { cardRefusals, mayBeOfExtras, remedyFor } from './failures.ts';

export interface AiCardOptions extends CardRequestOptions {
  client: DingTalkClient;
  extras: CardExtras;
  /** DingTalk took the card only without the fields that it can do without. */
  onExtrasRefused: (error: BridgeError) => void;
  /**
   * Where DingTalk sends what is pressed: a registered route key, or null for a card without callback. Never rejects.
   */
  routeKey: CardCallback['routeKey'];
  /** Told what DingTalk calls the card in a message that quotes it. Not called where DingTalk does not say it. */
  onNamed?: ((cardKey: string) => void) | undefined;
}

/** Tries to make a card after calls without an answer: a broken connection shows at once, a time-out takes 8 s. */
const MAX_TRIES: Readonly<Partial<Record<ErrorCode, number>>> = { dingtalk_unreachable: 3, dingtalk_timeout: 2 };

const name = z.string().nullish().catch(null);

/**
 * `success: false` inside an HTTP 200, or an empty list, means that DingTalk made the card and showed it to no one. An
 * `errorMsg` alone, or no list, means nothing.
 */
const deliveries = z
  .array(z.object({ success: z.boolean().nullish(), carrierId: name, processQueryKey: name }))
  .nullish();

const created = z.object({ result: z.object({ deliverResults: deliveries }) });

const shown = z.object({ result: deliveries });

const streamed = z.object({ success: z.boolean().nullish(), result: z.boolean().nullish() });

/**
 * The variable of DingTalk's own that holds the state of an AI card, and its value for 完成 (official templates describe
 * it). Official code sets it for the preset template only, so it is the last way to end a card.
 */
const FINISHED = { flowStatus: '3' };

/**
 * Frames have been seen to take 3 to 10 s. After an earlier time-out DingTalk would show the frame and its replacement.
 */
const FRAME_TIMEOUT_MS = 11_000;

/**
 * A streaming AI card in the chat that the message came from. DingTalk derives the state of the card from its delivery
 * and its frames, so no call sets it.
 */
export function createAiCard(options: AiCardOptions): CardSink {
  const { client, config, cardId, extras, onExtrasRefused, routeKey, onNamed } = options;
  /** DingTalk failed at this card, so its next try goes without the extras. */
  let isPlain = false;

  async function create({ create: body }: CardRequest): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await client.call('createAndDeliver', {
          method: 'POST',
          path: '/v1.0/card/instances/createAndDeliver',
          body,
        });
        const told = created.safeParse(answer).data;
        noteDelivered(told && (told.result.deliverResults ?? null), onNamed);
        return;
      } catch (error) {
        // No one else uses this id, so the card that exists is this one: a call whose answer was lost has made it.
        if (hasCode(error, 'dingtalk_card_exists')) return;
        // Without an answer the card may be there. A repeat is safe: the same id makes no second card.
        if (tries >= ((error instanceof BridgeError && MAX_TRIES[error.code]) || 1)) throw error;
      }
    }
  }

  /** Shows a card that was made. Making it again would only say that it exists. */
  async function deliver({ deliver: body }: CardRequest): Promise<void> {
    const answer = await client.call('deliver', { method: 'POST', path: '/v1.0/card/instances/deliver', body });
    const told = shown.safeParse(answer).data;
    noteDelivered(told && (told.result ?? null), onNamed);
  }

  async function repeatPlain(request: CardRequest, refused: BridgeError): Promise<void> {
    if (refused.code !== 'dingtalk_card_undelivered') return create(request);
    // A card that was shown to no one stays so without a clear answer: then the answer goes out as messages.
    await deliver(request).catch(() => Promise.reject(refused));
  }

  return {
    async open() {
      const key = await routeKey();
      const plain = cardRequest(options, key, false);
      if (isPlain || !extras.mayUse()) return create(plain);
      try {
        await create(cardRequest(options, key, true));
      } catch (error) {
        // The caller repeats this one.
        isPlain = hasCode(error, 'dingtalk_server_error');
        if (!mayBeOfExtras(error)) throw error;
        await repeatPlain(plain, error);
        // A text that is not allowed says nothing about the next card.
        if (error.code !== 'dingtalk_content_unsafe') extras.noteRefused();
        onExtrasRefused(error);
      }
    },
    ...openedCard(client, config, cardId),
  };
}

/** @param results null where the answer has no list, undefined where it is none that can be read. */
function noteDelivered(results: z.infer<typeof deliveries>, onNamed: AiCardOptions['onNamed']): void {
  if (results === undefined || results?.length === 0 || results?.some(({ success }) => success === false)) {
    throw new BridgeError('dingtalk_card_undelivered', remedyFor('dingtalk_card_undelivered') ?? '');
  }
  const cardKey = results?.[0]?.carrierId || results?.[0]?.processQueryKey;
  if (cardKey) onNamed?.(cardKey);
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
