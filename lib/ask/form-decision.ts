import type { FormAction, PendingForm } from '../answer/event.ts';
import type { NamedForm, Said } from '../answer/said.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';
import type { BridgeError } from '../errors.ts';
import { readFormReply } from './form-reply.ts';
import { takesFile } from './form-files.ts';
import { actionChoices, askBack } from './form-questions.ts';
import { findAction, linesOf, namedAction, readAsked, readFirstLine } from './form-text.ts';
import { fillFields, invalidForm } from './form-values.ts';
import { isFormOver, type FormSubmission, type KeptForm } from './form.ts';
import { openForm, openForms, overForm, type FormPorts, type OpenForm, type OverForm } from './open-form.ts';

/** A message, and what decides whether it answers a form. */
export interface FormCandidate {
  /** The form was filled in with a button; null for typed words. */
  form: FormSubmission | null;
  /** The forms that the conversation knows, in the order in which they were shown. */
  forms: readonly KeptForm[];
  /** Forms of other people in the same group that only a button of this person may answer. */
  others: readonly OthersForm[];
  generation: string;
  asker: string;
  /** This person may answer the forms of others with the buttons on their cards. */
  mayPress: boolean;
  /** Null for a message that has none, such as a picture. */
  words: string | null;
  files: readonly SentFile[];
  /** Files that waited for these words come with them: then the words are about the files. */
  hasHeld?: boolean;
  /** The message quotes another one; where that is a card, what DingTalk calls the card. */
  quote?: { cardKey: string | null } | null;
  acceptedAtMs: number;
  nowMs: number;
}

/** A form that waits for another person. */
export interface OthersForm extends NamedForm {
  token: string;
  actions: readonly FormAction[];
  cardId: string;
  asker: string;
}

/** `over`: forms that turned out to be over. */
export type FormDecision = { over: readonly OverForm[] } &
  /** `form` as Dify has it before the answer. */
  (
    | { kind: 'submission'; submission: FormSubmission; action: string; form: PendingForm }
    /** It is an ordinary question, in these words; null for the message as it is. */
    | { kind: 'question'; words: string | null }
    /** It is no question: this is said instead. */
    | { kind: 'said'; said: Said }
    /** It is an answer that cannot be given. */
    | { kind: 'refused'; error: BridgeError }
    /** It is an answer to a form that could not be shown before: it is shown now. */
    | { kind: 'show'; kept: KeptForm; form: PendingForm }
    /** Its files are for these forms. */
    | { kind: 'files'; open: readonly OpenForm[] }
  );

/** Until then a second answer is told what the first one was. */
const REMEMBERED_MS = 600_000;

/**
 * Decides whether a message answers a form: a form that it names, or the only one that waits, and only where the form had
 * been shown when the message was accepted. Everything else is a question, or is answered with one.
 *
 * @throws BridgeError where Dify does not tell about a form.
 */
export async function decideForm(asked: FormCandidate, ports: FormPorts): Promise<FormDecision> {
  if (asked.form) return decideButton(asked.form, asked, ports);
  const mine = asked.forms.filter(({ asker }) => asker === asked.asker);
  const waiting = mine.filter((kept) => isWaiting(kept, asked));
  const shown = waiting.filter((kept) => isShown(kept, asked));
  const plainQuestion: FormDecision = { kind: 'question', words: null, over: [] };
  const forFiles = asked.files.length > 0 ? await decideFiles(shown, asked, ports) : plainQuestion;
  const { words } = asked;
  if (words === null || forFiles.kind === 'files') return forFiles;
  const question = mine.length > 0 ? readAsked(words) : null;
  if (question !== null) return { ...plainQuestion, words: question };
  const [first = ''] = linesOf(words);
  const { head, mark } = readFirstLine(first);
  const cardKey = asked.quote?.cardKey ?? null;
  const quoted = mine.find((kept) => cardKey !== null && kept.cardKey === cardKey);
  if (quoted && (mark === null || mark === quoted.number)) {
    if (findAction(head, quoted.actions)) return decideNamed(quoted, asked, ports);
    if (shown.includes(quoted)) return decideWords(words, [quoted], ports);
  }
  const bare = waiting.filter(({ actions }) => findAction(first, actions));
  if (bare.length > 0) return decideBare(bare, waiting, asked, ports);
  const named = mine.find(({ number, actions }) => number === mark && findAction(head, actions));
  if (named) return decideNamed(named, asked, ports);
  const before = lastAnswered(mine, first, asked);
  if (before) return { kind: 'said', said: before, over: [] };
  // Words about a file or another message are a question.
  if (shown.length > 0 && !asked.hasHeld && !asked.quote) return decideWords(words, shown, ports);
  return (await decideOthers(first, asked, ports)) ?? plainQuestion;
}

/** What a button fills in: names that it leaves out take their default. */
async function decideButton(filled: FormSubmission, asked: FormCandidate, { dify }: FormPorts): Promise<FormDecision> {
  const kept = asked.forms.find(({ token }) => token === filled.token);
  if (kept?.chosen) return { kind: 'said', said: answered(kept, kept.chosen, asked), over: [] };
  const form = await openForm(filled.token, dify);
  if (isFormOver(form)) return { kind: 'refused', error: form, over: [overForm(filled.token, form)] };
  const given = new Map(
    Object.entries(filled.inputs).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as const] : [],
    ),
  );
  const values = fillFields(form.fields, given, kept?.files);
  if ('problem' in values) return { kind: 'refused', error: invalidForm(values.problem), over: [] };
  const action = form.actions.find(({ id }) => id === filled.action)?.title ?? filled.action;
  return { kind: 'submission', submission: { ...filled, ...values }, action, form, over: [] };
}

/** Words that are an action and name no form: they answer the only one that waits. */
async function decideBare(
  bare: readonly KeptForm[],
  waiting: readonly KeptForm[],
  asked: FormCandidate,
  ports: FormPorts,
): Promise<FormDecision> {
  const [only] = bare;
  // A card that is quoted names another form, which is not known any more, or none.
  const isFree = !asked.quote?.cardKey;
  if (only && waiting.length === 1 && isFree) return decideNamed(only, asked, ports);
  const { open, over, error } = await openForms(waiting, ports);
  const meant = open.filter(({ kept }) => bare.includes(kept));
  const [first] = meant;
  if (!first) return error ? { kind: 'refused', error, over } : { kind: 'question', words: null, over };
  if (open.length === 1 && isFree) return answer(first, asked, over);
  const [line = ''] = linesOf(asked.words ?? '');
  const choices = meant
    .filter(({ kept }) => isShown(kept, asked))
    .flatMap((one) => {
      const title = findAction(line, one.form.actions)?.title;
      return actionChoices(one).filter((choice) => choice.kind === 'action' && choice.action === title);
    });
  return { kind: 'said', said: { kind: 'which-form', choices }, over };
}

/** Words that are an action of one certain form. */
async function decideNamed(kept: KeptForm, asked: FormCandidate, ports: FormPorts): Promise<FormDecision> {
  if (kept.chosen) return { kind: 'said', said: answered(kept, kept.chosen, asked), over: [] };
  const form = await openForm(kept.token, ports.dify);
  if (isFormOver(form)) return { kind: 'refused', error: form, over: [overForm(kept.token, form)] };
  return answer({ kept, form }, asked, []);
}

/** Answers a form that is open, if it had been shown. */
function answer({ kept, form }: OpenForm, asked: FormCandidate, over: readonly OverForm[]): FormDecision {
  if (kept.shownAtMs === null) return { kind: 'show', kept, form, over };
  if (!isShown(kept, asked)) {
    const said: Said = { kind: 'not-shown-yet', form: nameOf(kept), choices: actionChoices({ kept, form }) };
    return { kind: 'said', said, over };
  }
  const reply = readFormReply(asked.words ?? '', form, kept.files);
  // Dify has other actions than the form that was shown.
  if (reply === null) return { kind: 'question', words: null, over };
  if ('problem' in reply) return { kind: 'refused', error: invalidForm(reply.problem), over };
  const { token, runId, shownChars, appType, user } = kept;
  const submission = { token, runId, shownChars, appType, user, action: reply.action.id, inputs: reply.inputs };
  return { kind: 'submission', submission, action: reply.action.title, form, over };
}

/** Words that are no action, while forms wait: a question back, because a question would bury the forms. */
async function decideWords(words: string, shown: readonly KeptForm[], ports: FormPorts): Promise<FormDecision> {
  const { open, over } = await openForms(shown, ports);
  return open.length === 0
    ? { kind: 'question', words: null, over }
    : { kind: 'said', said: askBack(words, open), over };
}

/** Files, while forms wait that take some. */
async function decideFiles(
  shown: readonly KeptForm[],
  { files }: FormCandidate,
  ports: FormPorts,
): Promise<FormDecision> {
  const { open, over } = await openForms(shown, ports);
  const wanting = open.filter(({ form }) => files.every((file) => takesFile(form.fields, file)));
  return wanting.length > 0 ? { kind: 'files', open: wanting, over } : { kind: 'question', words: null, over };
}

/** The action of a form that waits for another person; null for other words. */
async function decideOthers(line: string, asked: FormCandidate, { dify }: FormPorts): Promise<FormDecision | null> {
  const inConversation = asked.forms
    .filter((kept) => kept.asker !== asked.asker && isWaiting(kept, asked))
    .map(({ token, actions, cardId, asker, title, number }) => ({ token, actions, cardId, asker, title, number }));
  const others = asked.others.filter(({ asker }) => asker !== asked.asker);
  const { head } = readFirstLine(line);
  const meant = [...inConversation, ...others].findLast(({ actions }) => namedAction(head, actions));
  if (!meant) return null;
  const form = await openForm(meant.token, dify);
  if (isFormOver(form)) return { kind: 'question', words: null, over: [overForm(meant.token, form)] };
  const said: Said = { kind: 'not-yours', form: nameOf(meant), byButton: asked.mayPress, choices: [] };
  return { kind: 'said', said, over: [] };
}

const isWaiting = (kept: KeptForm, { generation }: FormCandidate): boolean =>
  !kept.chosen && !kept.isOver && kept.generation === generation;

/** Whether the person can have seen the form when they sent the message. */
const isShown = ({ shownAtMs }: KeptForm, { acceptedAtMs }: FormCandidate): boolean =>
  shownAtMs !== null && shownAtMs <= acceptedAtMs;

const nameOf = ({ title, number }: NamedForm): NamedForm => ({ title, number });

/** The newest form that was answered with these words a short while ago. */
function lastAnswered(mine: readonly KeptForm[], line: string, asked: FormCandidate): Said | null {
  const before = mine.findLast(
    ({ chosen, actions }) => chosen && asked.nowMs - chosen.atMs <= REMEMBERED_MS && findAction(line, actions),
  );
  return before?.chosen ? answered(before, before.chosen, asked) : null;
}

function answered(kept: KeptForm, { action, atMs }: NonNullable<KeptForm['chosen']>, { nowMs }: FormCandidate): Said {
  return { kind: 'answered', form: nameOf(kept), action, agoMs: Math.max(0, nowMs - atMs), choices: [] };
}
