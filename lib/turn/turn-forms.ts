import type { PendingForm } from '../answer/event.ts';
import type { FormEnd } from '../answer/form-end.ts';
import type { Said } from '../answer/said.ts';
import type { OthersForm } from '../ask/form-decision.ts';
import type { KeptForm } from '../ask/form.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import type { FormChange } from '../state/state.ts';
import { readOthers } from './answered.ts';
import { formChange, isWaiting, readForms, type KeptForms } from './kept-forms.ts';
import type { Turn } from './turn.ts';

/** The forms that concern one turn: those of its conversation as it found them, and what the turn learns of them. */
export interface TurnForms {
  readonly forms: readonly KeptForm[];
  readonly others: readonly OthersForm[];
  readonly generation: string;
  /** What is said in the place of an answer; null where Dify answers. */
  said: Said | null;
  /** The text on the card of a form that has expired, where Dify told it again. */
  textBefore: string;
  /** The form that the turn answers, as Dify had it before. */
  asked: PendingForm | null;
  /** What is known here of what stands on the card of a form. */
  textOf(cardId: string): { text: string; form: PendingForm | null };
  /** The form cannot be answered any more. `isDue`: what its run did when its time was over may be shown yet. */
  noteOver(token: string, isDue: boolean): void;
  noteChosen(token: string, chosen: NonNullable<KeptForm['chosen']>): void;
  noteFiles(token: string, files: readonly QuestionFile[]): void;
  /** The number that a form has, or gets when it is shown. */
  numberOf(token: string): number;
  /** Whether its number has to be told, because a reader may know another form of the conversation. */
  isMarked(token: string): boolean;
  /** A form waits from now on. */
  noteWaiting(kept: KeptForm): void;
  /** What becomes of the forms of the conversation, and the turns whose card shows a form that is over. */
  readonly change: FormChange;
  readonly over: readonly string[];
  /** What became of them, by those turns. */
  readonly ends: ReadonlyMap<string, FormEnd>;
}

export function openTurnForms({ record: { context }, form: answered }: Pick<Turn, 'record' | 'form'>): TurnForms {
  const before = readForms(context);
  const others = readOthers(context?.others ?? []);
  const generation = context?.generation ?? '';
  const ends = new Map<string, FormEnd>();
  let after: KeptForms = before;

  function update(token: string, change: Partial<KeptForm>): void {
    const forms = after.forms.map((kept) => (kept.token === token ? { ...kept, ...change } : kept));
    after = { ...after, forms };
  }

  const cardOf = (token: string) =>
    [...after.forms, ...others, ...(answered ? [answered] : [])].find((form) => form.token === token)?.cardId;

  function end(token: string, how: FormEnd): void {
    const cardId = cardOf(token);
    if (cardId && !ends.has(cardId)) ends.set(cardId, how);
  }

  const numberOf = (token: string) => after.forms.find((kept) => kept.token === token)?.number ?? after.last + 1;

  const turnForms: TurnForms = {
    get forms() {
      return after.forms;
    },
    others,
    generation,
    said: null,
    textBefore: '',
    asked: null,
    textOf(cardId) {
      const { asked, textBefore } = turnForms;
      const isAsked = asked?.token ? cardOf(asked.token) === cardId : false;
      return { text: answered?.expired && answered.cardId === cardId ? textBefore : '', form: isAsked ? asked : null };
    },
    noteOver(token, isDue) {
      const expired = answered?.token === token ? answered.expired : undefined;
      if (!isDue) end(token, expired ? { kind: 'expired', title: expired.title } : { kind: 'closed' });
      if (after.forms.some((kept) => kept.token === token && !kept.isOver)) update(token, { isOver: true });
    },
    noteChosen(token, chosen) {
      end(token, { kind: 'chosen', ...chosen, by: null });
      if (after.forms.some((kept) => kept.token === token && !kept.chosen)) update(token, { chosen });
    },
    noteFiles: (token, files) => update(token, { files }),
    numberOf,
    isMarked: (token) =>
      context !== null &&
      (numberOf(token) > 1 || after.forms.some((kept) => kept.token !== token && isWaiting(kept, generation))),
    noteWaiting(kept) {
      const forms = after.forms.filter(({ token }) => token !== kept.token);
      after = { last: Math.max(after.last, kept.number), forms: [...forms, kept] };
    },
    get change() {
      return formChange(before, after, context);
    },
    get over() {
      return [...ends.keys()];
    },
    ends,
  };
  return turnForms;
}
