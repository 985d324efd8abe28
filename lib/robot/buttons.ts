import { beginning } from '../characters.ts';
import type { TurnPayload } from '../turn/turn.ts';
import { createHash } from 'node:crypto';
import type { Rating } from '../answer/event.ts';
import type { FormSubmission } from '../ask/form.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { Message, Sender } from '../dingtalk/callback.ts';
import type { CardAction, CardUpdate } from '../dingtalk/card-action.ts';
import { parseJson } from '../runtime/json.ts';
import type { BackgroundWork } from '../runtime/platform.ts';
import type { State, TurnRecord } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import type { AnsweredTurn } from '../turn/answered.ts';
import { pressId } from '../turn/record.ts';

/** Variables of the template that only the one who pressed sees (`docs/card-template.md`). */
export const OWN_VARIABLES = { notice: 'notice', rating: 'like_status' } as const;

export interface ActionPorts {
  config: Pick<RobotConfig, 'access'>;
  texts: Texts;
  state: Pick<State, 'lookUp' | 'rate'>;
  nowMs: number;
  newId: () => string;
  /**
   * Takes a message over as if it had been typed; null when there is nothing to do. `again`: the question as it was asked
   * before.
   */
  accept: (message: Message, form?: FormSubmission, again?: TurnPayload) => Promise<BackgroundWork | null>;
  /** Stops the answer of one card, or drops its question while it waits. Never rejects. */
  stop: (turn: { turnId: string; conversationKey: string }) => Promise<void>;
  /** Tells Dify what a person thinks of an answer; null takes it back. Never rejects. */
  rate: (rated: { cardId: string; person: Sender; answered: AnsweredTurn; rating: Rating | null }) => Promise<void>;
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
  answered: AnsweredTurn | null;
  /** Who pressed. */
  person: Sender;
  /** A message of theirs, in the chat of the card. */
  messageOf: (name: string, text: string) => Message;
}

export interface Action {
  /** Of an `asker`'s button other people are told that it is not theirs; administrators may press it. */
  whose: 'asker' | 'anyone';
  run(pressed: Pressed): Promise<Reaction>;
}

/** A second press within this time is a double tap: only a later one begins another conversation. */
const DOUBLE_TAP_MS = 10_000;

const MAX_QUESTION_CHARS = 500;

export const actions: Readonly<Record<string, Action>> = {
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
      const question = beginning(textOf(action.params['question']), MAX_QUESTION_CHARS);
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
      return asked(await accept(message, payload.form ?? undefined, payload), texts);
    },
  },
  form: {
    whose: 'asker',
    async run({ action, answered, accept, messageOf, texts }) {
      const { params } = action;
      if (!answered?.form || answered.appType === null) return notice(texts.failures.form_closed);
      // The form component has one button of its own, which names no action: it means the first.
      const id = textOf(params['action_id']) || answered.form.action;
      if (id === '') return notice(texts.notices.unknownButton);
      const inputs = fieldsOf(params['form']);
      // A form that was refused can be sent again, with other values.
      const title = answered.form.actions.find((known) => known.id === id)?.title ?? (textOf(params['title']) || id);
      // The card of what follows names the choice: by its title, as in the form, and not by its id.
      const message = messageOf(`form\n${id}\n${JSON.stringify(inputs)}`, title);
      const { appType, user } = answered;
      const { token, runId, shownChars } = answered.form;
      const submission = { token, runId, shownChars, appType, user, action: id, inputs, cardId: action.cardId };
      return asked(await accept(message, submission), texts);
    },
  },
};

async function rate({ action, answered, record, person, state, newId, texts, ...ports }: Pressed, wanted: Rating) {
  if (record.state !== 'done' || !answered) return notice(texts.notices.notYet);
  if (answered.ids.messageId === undefined) return notice(texts.notices.noFeedback);
  const who = person.staffId ?? person.id;
  const rating = await state.rate({ turnId: action.cardId, person: who, owner: newId(), rating: wanted });
  return {
    update: { [OWN_VARIABLES.rating]: rating ?? '', [OWN_VARIABLES.notice]: texts.notices.rated(rating) },
    work: () => ports.rate({ cardId: action.cardId, person, answered, rating }),
  };
}

/** A repeated press does nothing, and the person who pressed is told so. */
function asked(work: BackgroundWork | null, texts: Texts): Reaction {
  return { ...notice(work ? texts.notices.received : texts.notices.already), work };
}

export function notice(text: string): Reaction {
  return { update: { [OWN_VARIABLES.notice]: text }, work: null };
}

export function textOf(value: unknown): string {
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

/** The same for the same press, so that it is taken once however often it comes. */
export function idOf(cardId: string, name: string): string {
  return pressId(createHash('sha256').update(`${cardId}\n${name}`).digest('hex').slice(0, 32));
}
