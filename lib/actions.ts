import { createHash } from 'node:crypto';
import { isAdmin, mayAsk } from './access.ts';
import type { Message, Sender } from './dingtalk/callback.ts';
import type { CardAction, CardUpdate } from './dingtalk/card-action.ts';
import type { BackgroundWork } from './receiver.ts';
import { readReceipt, type Receipt } from './receipt.ts';
import type { RobotConfig } from './runtime/config.ts';
import type { Rating, State, TurnRecord } from './state/state.ts';
import type { Texts } from './texts/index.ts';
import { readPayload, type FormSubmission, type TurnPayload } from './turn-record.ts';

/** Variables of the template that only the one who pressed sees (`docs/card-template.md`). */
export const OWN_VARIABLES = { notice: 'notice', rating: 'like_status' } as const;

export interface ActionPorts {
  config: Pick<RobotConfig, 'access'>;
  texts: Texts;
  state: Pick<State, 'lookUp' | 'rate'>;
  nowMs: number;
  newId: () => string;
  /** Takes a message over as if it had been typed; null when there is nothing to do. */
  accept: (message: Message, form?: FormSubmission) => Promise<BackgroundWork | null>;
  /** Stops the answer of one card, or drops its question while it waits. Never rejects. */
  stop: (turn: { turnId: string; conversationKey: string }) => Promise<void>;
  /** Tells Dify what somebody thinks of an answer; null takes it back. Never rejects. */
  rate: (rated: { cardId: string; person: Sender; receipt: Receipt; rating: Rating | null }) => Promise<void>;
}

/** What comes of a press: what the one who pressed sees change at once, and the work that follows. */
export interface Reaction {
  update: CardUpdate;
  work: BackgroundWork | null;
}

interface Pressed extends ActionPorts {
  action: CardAction;
  record: TurnRecord;
  payload: TurnPayload | null;
  receipt: Receipt | null;
  /** Who pressed. */
  person: Sender;
  /** A message of theirs, in the chat of the card. */
  messageOf: (name: string, text: string) => Message;
}

interface Action {
  /** Others than the asker (and administrators) are told that it is not theirs. */
  whose: 'asker' | 'anyone';
  run(pressed: Pressed): Promise<Reaction>;
}

/** Twice within this time is one press, where pressing again later means something. */
const DOUBLE_TAP_MS = 10_000;
const MAX_QUESTION_CHARS = 500;

const actions: Readonly<Record<string, Action>> = {
  stop: {
    whose: 'asker',
    async run({ record, texts, action, stop }) {
      if (record.state !== 'started' && record.state !== 'queued') return notice(texts.nothingToStop);
      const turn = { turnId: action.cardId, conversationKey: record.conversationKey };
      return { ...notice(texts.notices.stopRequested), work: record.isStopped ? null : () => stop(turn) };
    },
  },
  like: { whose: 'anyone', run: (pressed) => rate(pressed, 'like') },
  dislike: { whose: 'anyone', run: (pressed) => rate(pressed, 'dislike') },
  ask: {
    whose: 'anyone',
    async run({ action, accept, messageOf, texts }) {
      const question = textOf(action.params['question']).slice(0, MAX_QUESTION_CHARS);
      if (question === '') return notice(texts.notices.unknownButton);
      return asked(await accept(messageOf(`ask\n${question}`, question)), texts);
    },
  },
  new: {
    whose: 'anyone',
    async run({ accept, messageOf, texts, nowMs }) {
      const message = messageOf(`new\n${Math.floor(nowMs / DOUBLE_TAP_MS)}`, '/new');
      return asked(await accept(message), texts);
    },
  },
  retry: {
    whose: 'asker',
    async run({ payload, record, accept, action, texts }) {
      if (record.state !== 'done' || !payload) return notice(texts.notices.retryExpired);
      // One card can be tried again once; what comes of it has a card of its own.
      const message = { ...payload.message, id: idOf(action.cardId, 'retry') };
      return asked(await accept(message, payload.form ?? undefined), texts);
    },
  },
  form: {
    whose: 'asker',
    async run({ action: { params }, receipt, accept, messageOf, texts }) {
      if (!receipt?.form || receipt.appType === null) return notice(texts.failures.form_closed);
      // The form component has one button of its own, which names no action: it means the first.
      const id = textOf(params['action_id']) || receipt.form.action;
      if (id === '') return notice(texts.notices.unknownButton);
      const inputs = fieldsOf(params['form']);
      // A form that was refused can be sent again, with other values.
      const message = messageOf(`form\n${id}\n${JSON.stringify(inputs)}`, textOf(params['title']) || id);
      const { appType, user } = receipt;
      const submission = { ...receipt.form, appType, user, action: id, inputs };
      return asked(await accept(message, submission), texts);
    },
  },
};

/**
 * Does what a button asks for. The signature says that DingTalk sent it, not that this person may: that follows from
 * what is on record of the card.
 */
export async function react(action: CardAction, ports: ActionPorts): Promise<Reaction> {
  const { texts, config, state } = ports;
  const known = actionOf(action);
  if (!known) return notice(texts.notices.unknownButton);
  const record = await state.lookUp(action.cardId);
  const payload = record?.payload ? readPayload(record.payload) : null;
  const receipt = readReceipt(record?.receipt ?? null);
  const origin = payload?.message ?? receipt;
  if (!record || !origin) return notice(texts.notices.cardUnknown);
  const { sender: asker } = origin;
  const isAsker = action.userId === (asker.staffId ?? asker.unionId);
  const stranger = { staffId: action.userId, unionId: null, id: action.userId };
  const person: Sender = { nick: '', isAdmin: false, ...(isAsker ? asker : stranger) };
  const chat = { title: null, ...origin.chat };
  if (!mayAsk({ chat, sender: person }, config.access)) return notice(texts.refused);
  if (known.whose === 'asker' && !isAsker && !isAdmin({ sender: person }, config.access)) {
    return notice(texts.notices.notYours);
  }
  const messageOf = (name: string, text: string): Message => ({
    kind: 'message',
    id: idOf(action.cardId, `${person.staffId ?? person.id}\n${name}`),
    chat,
    sender: person,
    session: origin.session,
    corpId: origin.corpId,
    content: { kind: 'text', text },
    quoted: null,
  });
  return known.run({ ...ports, action, record, payload, receipt, person, messageOf });
}

/** By the parameter, else by the id, to which a builder may have appended digits. */
function actionOf({ actionIds, params }: CardAction): Action | null {
  const names = [textOf(params['action']), ...actionIds, ...actionIds.map((id) => id.replace(/[_-]?\d+$/, ''))];
  const name = names.find((candidate) => Object.hasOwn(actions, candidate));
  return name === undefined ? null : (actions[name] ?? null);
}

async function rate({ action, receipt, record, person, state, newId, texts, ...ports }: Pressed, wanted: Rating) {
  if (record.state !== 'done' || !receipt) return notice(texts.notices.notYet);
  if (receipt.ids.messageId === undefined) return notice(texts.notices.noFeedback);
  const who = person.staffId ?? person.id;
  const rating = await state.rate({ turnId: action.cardId, person: who, owner: newId(), rating: wanted });
  return {
    update: { [OWN_VARIABLES.rating]: rating ?? '', [OWN_VARIABLES.notice]: texts.notices.rated(rating) },
    work: () => ports.rate({ cardId: action.cardId, person, receipt, rating }),
  };
}

/** Whatever was pressed twice is done once. */
function asked(work: BackgroundWork | null, texts: Texts): Reaction {
  return { ...notice(work ? texts.notices.received : texts.notices.already), work };
}

function notice(text: string): Reaction {
  return { update: { [OWN_VARIABLES.notice]: text }, work: null };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** The fields of a form, as texts; an editor of the template may send numbers and lists of choices. */
function fieldsOf(value: unknown): Record<string, string> {
  const fields = typeof value === 'string' ? parseJson(value) : value;
  if (typeof fields !== 'object' || fields === null) return {};
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]: [string, unknown]) => {
      const only = chosen(field);
      return typeof only === 'string' || typeof only === 'number' || typeof only === 'boolean'
        ? [[name, String(only)]]
        : [];
    }),
  );
}

/** One choice: a list of it, or, from the form component, its place and value. */
function chosen(field: unknown): unknown {
  if (Array.isArray(field)) return field.length === 1 ? chosen(field[0]) : undefined;
  return typeof field === 'object' && field !== null && 'value' in field ? field.value : field;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same for the same press, so that it is taken once however often it comes. */
function idOf(cardId: string, name: string): string {
  return `button-${createHash('sha256').update(`${cardId}\n${name}`).digest('hex').slice(0, 32)}`;
}
