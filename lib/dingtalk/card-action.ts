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

/** New values of the template's private variables. Only the user who pressed sees them. */
export type CardUpdate = Readonly<Record<string, string>>;

const id = z.string().min(1).max(512);

// One official page has the text under `content`, another under `value`.
const envelope = z.object({
  type: z.literal('actionCallback').nullish(),
  outTrackId: id,
  userId: id,
  content: z.unknown().optional(),
  value: z.unknown().optional(),
});

const part = z.record(z.string(), z.unknown());

type Part = z.infer<typeof part>;

const names = z.array(z.string());

/** The objects of this name, also those that are JSON. */
function named(name: string, places: readonly Part[]): Part[] {
  return places.flatMap((place) => objectsOf(place[name]));
}

function objectsOf(value: unknown): Part[] {
  const { data } = part.safeParse(typeof value === 'string' ? parseJson(value) : value);
  return data ? [data] : [];
}

/**
 * Reads the body of a card callback. The pages have the button in `content.cardPrivateData`, with its parameters there
 * or beside it. Buttons that come from a variable have been seen to send `actionId` at the top, or all of it in
 * `actionData`. Where two places name a parameter, the one nearer to `cardPrivateData` holds.
 *
 * @throws BridgeError `body_invalid` with a one-line reason that names fields, never values.
 */
export function readCardAction(body: string): CardAction {
  const top = parseJson(body);
  const parsed = envelope.safeParse(top);
  if (!parsed.success) throw new BridgeError('body_invalid', 'not a card callback: outTrackId and userId are required');
  const { outTrackId, userId, content, value } = parsed.data;
  const outer = [...objectsOf(top), ...objectsOf(content ?? value)];
  const places = [...outer, ...named('actionData', outer)];
  const own = named('cardPrivateData', places);
  const all = [...named('userPrivateData', places), ...places, ...own];
  const actionIds = all.toReversed().flatMap(idsOf);
  if (own.length === 0 && actionIds.length === 0) {
    throw new BridgeError('body_invalid', 'not a card callback: neither cardPrivateData nor actionId');
  }
  const params = named('params', all).flatMap((place) => Object.entries(place));
  return { cardId: outTrackId, userId, actionIds: [...new Set(actionIds)], params: Object.fromEntries(params) };
}

function idsOf({ actionIds, actionId }: Part): string[] {
  const one = typeof actionId === 'string' && actionId !== '' ? [actionId] : [];
  return [...(names.safeParse(actionIds).data ?? []), ...one];
}

/** The response to a card callback. Values of public variables, too, reach only the user who pressed. */
export function cardUpdateBody(update: CardUpdate, shared: CardUpdate = {}): object {
  return {
    ...(Object.keys(shared).length > 0 ? { cardData: { cardParamMap: shared } } : {}),
    cardUpdateOptions: { updateCardDataByKey: true, updatePrivateDataByKey: true },
    userPrivateData: { cardParamMap: update },
  };
}
