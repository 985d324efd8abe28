import type { Rating } from '../answer/event.ts';
import { formEndLine, submittingLine } from '../answer/form-end.ts';
import type { FormSubmission } from '../ask/form.ts';
import { beginning } from '../characters.ts';
import type { RobotConfig } from '../config/robot.ts';
import { NO_FORM, OWN_VARIABLES } from '../delivery/card-variables.ts';
import type { Message, Sender } from '../dingtalk/callback.ts';
import type { CardAction, CardUpdate } from '../dingtalk/card-action.ts';
import { digest } from '../runtime/digest.ts';
import { parseJson } from '../runtime/json.ts';
import type { BackgroundWork } from '../runtime/platform.ts';
import type { State } from '../state/state.ts';
import type { TurnRecord } from '../state/told.ts';
import type { Texts } from '../texts/texts.ts';
import type { AnsweredTurn } from '../turn/answered.ts';
import { readNote, writeNote, type FormNote } from '../turn/form-note.ts';
import { pressId, turnIdOf } from '../turn/record.ts';
import type { TurnPayload } from '../turn/turn.ts';

export interface ActionPorts {
  config: Pick<RobotConfig, 'access'>;
  texts: Texts;
  state: Pick<State, 'lookUp' | 'rate' | 'noteForm'>;
  nowMs: number;
  newId: () => string;
  /**
   * Takes a message over as if it had been typed; null when there is nothing to do. `again`: the question as it was asked
   * before.
   */
  accept: (message: Message, form?: FormSubmission, again?: TurnPayload) => Promise<BackgroundWork | null>;
  /** Stops the answer of one card, or drops its question while it waits. Never rejects. */
  stop: (turn: { turnId: string; conversationKey: string }) => Promise<void>;
  /** Tells Dify what a person thinks of an answer. Never rejects. */
  rate: (rated: Rated) => Promise<void>;
}

export interface Rated {
  cardId: string;
  person: Sender;
  answered: AnsweredTurn;
  /** Null takes it back. */
  rating: Rating | null;
  /** Why the answer is no good; null where the person did not say. */
  reason: string | null;
}

/** What comes of a press: what the one who pressed sees change at once, and the work that follows. */
export interface Reaction {
  update: CardUpdate;
  /** Public variables, changed for the one who pressed only. */
  shared?: CardUpdate;
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
  /** What everybody is told before that, where the button has nothing more to do. */
  over?(pressed: Pressed): Promise<Reaction | null>;
  run(pressed: Pressed): Promise<Reaction>;
}

/** A second press within this time is a double tap: only a later one begins another conversation. */
const DOUBLE_TAP_MS = 10_000;

const MAX_QUESTION_CHARS = 500;

/** Longest reason that is told to Dify. */
const MAX_REASON_CHARS = 500;

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
  dislike: {
    whose: 'anyone',
    async run(pressed) {
      const { params } = pressed.action;
      if (!('reason' in params) && !('input' in params)) return rate(pressed, 'dislike');
      const reason = reasonOf(params, pressed.texts);
      return reason === '' ? notice(pressed.texts.notices.noReason) : rate(pressed, 'dislike', reason);
    },
  },
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
    over: formOver,
    async run({ action, answered, accept, messageOf, texts, record, person, state, nowMs }) {
      const { params } = action;
      if (!answered?.form || answered.appType === null) return notice(texts.failures.form_closed);
      // The form component has one button of its own, which names no action: it means the first.
      const id = textOf(params['action_id']) || answered.form.action;
      if (id === '') return notice(texts.notices.unknownButton);
      const inputs = fieldsOf(params['form']);
      // A form that was refused can be sent again, with other values.
      const title = answered.form.actions.find((known) => known.id === id)?.title ?? (textOf(params['title']) || id);
      const before = readNote(record.formNote);
      const tried = before?.kind === 'pressed' ? `\n${before.atMs}` : '';
      // The card of what follows names the choice by its title, as in the form, and not by its id.
      const message = messageOf(`form\n${id}\n${JSON.stringify(inputs)}${tried}`, title);
      const isAsker = person.id === answered.sender.id;
      const by = person.nick || (isAsker ? null : texts.form.administrator);
      const note = writeNote({ kind: 'pressed', turnId: turnIdOf(message.id), action: title, by, atMs: nowMs });
      const noted = await state.noteForm({ turnId: action.cardId, note, instead: record.formNote ?? '' });
      const other = noted === note || noted === '' ? null : readNote(noted);
      if (other) return stateOf(other, texts);
      const { appType, user } = answered;
      const { token, runId, shownChars } = answered.form;
      const submission = { token, runId, shownChars, appType, user, action: id, inputs, cardId: action.cardId };
      const work = await accept(message, submission);
      return { ...notice(submittingLine({ action: title, by: null }, texts)), work };
    },
  },
};

/** A turn that has accepted a press is on record within this time. */
const ACCEPTING_MS = 10_000;

/** The form was answered before, or its answer is on the way. */
async function formOver({ record, state, texts, nowMs }: Pressed): Promise<Reaction | null> {
  const note = readNote(record.formNote);
  if (note?.kind !== 'pressed') return note && stateOf(note, texts);
  const giving = await state.lookUp(note.turnId);
  const isOnItsWay = giving
    ? giving.state === 'started' || giving.state === 'queued'
    : nowMs - note.atMs < ACCEPTING_MS;
  return isOnItsWay ? stateOf(note, texts) : null;
}

/** What everybody reads who presses a button of a form that needs no answer any more. Its buttons go away. */
function stateOf(note: FormNote, texts: Texts): Reaction {
  if (note.kind === 'pressed') return notice(submittingLine(note, texts));
  return { ...notice(formEndLine(note, texts)), shared: NO_FORM };
}

/** One of the four reasons of the template, or what the person wrote; empty where it is neither. */
function reasonOf(params: CardAction['params'], texts: Texts): string {
  const chosen = textOf(params['reason']);
  const reasons: Readonly<Record<string, string>> = texts.reasons;
  const written = textOf(params['input']) || (Object.hasOwn(reasons, chosen) && reasons[chosen]) || '';
  return beginning(written, MAX_REASON_CHARS);
}

/** @param reason adds to the opinion; a press with a reason never takes the opinion back. */
async function rate(pressed: Pressed, wanted: Rating, reason: string | null = null): Promise<Reaction> {
  const { action, answered, record, person, state, newId, texts, ...ports } = pressed;
  // The card of a form that waits has no answer to rate yet.
  const isWaiting = answered?.form && !isOver(record);
  if (record.state !== 'done' || !answered || isWaiting) return notice(texts.notices.notYet);
  if (answered.ids.messageId === undefined) return notice(texts.notices.noFeedback);
  const who = person.staffId ?? person.id;
  const request = { turnId: action.cardId, person: who, owner: newId(), rating: wanted };
  const rating = await state.rate(reason === null ? request : { ...request, keeps: true });
  return {
    update: {
      [OWN_VARIABLES.rating]: rating ?? '',
      [OWN_VARIABLES.askReason]: rating === 'dislike' && reason === null ? 'true' : '',
      [OWN_VARIABLES.notice]: reason === null ? texts.notices.rated(rating) : texts.notices.reasonTaken,
    },
    work: () => ports.rate({ cardId: action.cardId, person, answered, rating, reason }),
  };
}

/** A repeated press does nothing, and the person who pressed is told so. */
function asked(work: BackgroundWork | null, texts: Texts): Reaction {
  return { ...notice(work ? texts.notices.received : texts.notices.already), work };
}

export function notice(text: string): Reaction {
  return { update: { [OWN_VARIABLES.notice]: text }, work: null };
}

function isOver({ formNote }: TurnRecord): boolean {
  const note = readNote(formNote);
  return note !== null && note.kind !== 'pressed';
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
      const only = onlyChoice(field);
      return typeof only === 'string' || typeof only === 'number' || typeof only === 'boolean'
        ? [[name, String(only)]]
        : [];
    }),
  );
}

/** One choice: a list of it, or, from the form component, its place and value. */
function onlyChoice(field: unknown): unknown {
  if (Array.isArray(field)) return field.length === 1 ? onlyChoice(field[0]) : undefined;
  return typeof field === 'object' && field !== null && 'value' in field ? field.value : field;
}

/** The same for the same press, so that it is taken once however often it comes. */
export function idOf(cardId: string, name: string): string {
  return pressId(digest(`${cardId}\n${name}`));
}
