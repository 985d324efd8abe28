import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { parseJson } from '../runtime/json.ts';

/** A user pressed a button of a card. */
export interface CardAction {
  /** The card's `outTrackId`. */
  cardId: string;
  /** The user's staff id, or union id where the card was addressed to a union id. */
  userId: string;
  /** What the template calls the button. The card editor may have appended digits. */
  actionIds: readonly string[];
  params: Readonly<Record<string, unknown>>;
}

/** New values of the template's variables. Only the user who pressed sees them. */
export type CardUpdate = Readonly<Record<string, string>>;

const id = z.string().min(1).max(512);

// One official page has the text under `content`, another under `value`.
const envelope = z.object({
  type: z.literal('actionCallback').nullish(),
  outTrackId: id,
  userId: id,
  content: z.string().nullish(),
  value: z.string().nullish(),
});

const params = z.record(z.string(), z.unknown()).nullish();

// A sample of one page has `params` beside `cardPrivateData`.
const pressed = z.object({
  cardPrivateData: z.object({ actionIds: z.array(z.string()).nullish(), params }),
  params,
});

/**
 * Reads the body of a card callback.
 *
 * @throws BridgeError `body_invalid` with a one-line reason that names fields, never values.
 */
export function readCardAction(body: string): CardAction {
  const parsed = envelope.safeParse(parseJson(body));
  if (!parsed.success) throw new BridgeError('body_invalid', 'not a card callback: outTrackId and userId are required');
  const { outTrackId, userId, content, value } = parsed.data;
  const inner = pressed.safeParse(parseJson(content ?? value ?? ''));
  if (!inner.success) throw new BridgeError('body_invalid', 'not a card callback: content has no cardPrivateData');
  const { actionIds, params: own } = inner.data.cardPrivateData;
  return { cardId: outTrackId, userId, actionIds: actionIds ?? [], params: { ...inner.data.params, ...own } };
}

/** The response to a card callback. Values in `cardData`, too, would reach only the user who pressed. */
export function cardUpdateBody(update: CardUpdate): object {
  return {
    cardUpdateOptions: { updateCardDataByKey: true, updatePrivateDataByKey: true },
    userPrivateData: { cardParamMap: update },
  };
}
