// What may stand beside an answer: the sentences of the product, so that anything else is found out.
import { zhCN } from '../../lib/texts/zh-CN.ts';
import { FORM_TEXT } from './plan.ts';

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
const PLACE = 987_654;
const REFERENCE = 'rrrrrrrr';
const pattern = (text: string) =>
  new RegExp(
    `^${escaped(text)
      .replaceAll(String(PLACE), String.raw`\d+`)
      .replaceAll(REFERENCE, '(?<reference>[0-9a-f]{8})')}$`,
    'u',
  );

/** A link of ours with this label. */
function linkPattern(label: string): RegExp {
  return new RegExp(String.raw`^\[${escaped(label)}\]\(dtmd:[^)]*\)$`, 'u');
}

/** Says that it goes on or waits: not an outcome by itself. */
const PASSING = [zhCN.queued(PLACE), zhCN.continuing, zhCN.stopByWord, zhCN.progress.thinking]
  .map(pattern)
  .concat([
    new RegExp(`^${escaped(zhCN.progress.node('NAME')).replace('NAME', '.+')}$`, 'u'),
    new RegExp(`^${escaped(zhCN.progress.tool('NAME', undefined)).replace('NAME', '.+')}$`, 'u'),
    linkPattern(zhCN.stop),
    pattern(FORM_TEXT),
    new RegExp(`^${escaped(zhCN.form.title('NAME')).replace('NAME', '.+')}$`, 'u'),
  ]);
/** Ends an answer, with or without text. */
const ENDING = [
  zhCN.stopped,
  zhCN.paused,
  zhCN.formByEmail,
  zhCN.emptyAnswer,
  zhCN.answeredBelow,
  zhCN.incomplete(REFERENCE),
  zhCN.reference(REFERENCE),
  ...Object.values(zhCN.failures).map((failure) => `⚠️ ${failure}`),
].map(pattern);
/** A link that asks the same again. */
const RETRY = linkPattern(zhCN.retry);
const COMMANDS = [
  zhCN.newConversation,
  zhCN.stopping,
  zhCN.nothingToStop,
  ...Object.values(zhCN.failures).map((failure) => `⚠️ ${failure} ${zhCN.reference(REFERENCE)}`),
].map(pattern);
const FULL = pattern(zhCN.queueFull);

export interface Shown {
  /** The answer's part, as far as it is one; '' when there is none. */
  answer: string;
  /** Says how it ended. */
  isEnded: boolean;
  /** Says that it goes on. */
  isPassing: boolean;
  references: string[];
  /** What is neither the answer's beginning nor a sentence of ours. */
  foreign: string[];
}

/** Takes a text that people see apart. */
export function readShown(text: string, answer: string): Shown {
  const shown: Shown = { answer: '', isEnded: false, isPassing: false, references: [], foreign: [] };
  const parts = text.split('\n\n').map((part) => part.trim());
  for (const [index, part] of parts.entries()) {
    const ending = ENDING.map((each) => each.exec(part)).find((match) => match !== null);
    if (part === '' || (index === 0 && /^@\S+$/u.test(part)) || RETRY.test(part)) continue;
    else if (ending) {
      shown.isEnded = true;
      if (ending.groups?.['reference']) shown.references.push(ending.groups['reference']);
    } else if (PASSING.some((each) => each.test(part))) shown.isPassing = true;
    else if (shown.answer === '' && answer.startsWith(part)) shown.answer = part;
    else shown.foreign.push(part);
  }
  return shown;
}

const bare = (text: string) => text.replace(/^@\S+\s+/u, '').trim();

export const isCommandReply = (text: string): boolean => COMMANDS.some((each) => each.test(bare(text)));
/** Says that the answer is elsewhere. */
export const isPointer = (text: string): boolean => text === zhCN.answeredBelow;
export const isQueueFull = (text: string): boolean => FULL.test(bare(text));
