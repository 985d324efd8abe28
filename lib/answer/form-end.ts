import { sanitizeText } from '../markdown/sanitize.ts';
import type { Texts } from '../texts/texts.ts';
import { shortName } from './short-name.ts';

/** What became of a form on a card. */
export type FormEnd =
  /** `by` is a name; null where it is not known. */
  | { kind: 'chosen'; action: string; by: string | null; atMs: number }
  /** It was answered elsewhere. */
  | { kind: 'closed' }
  | { kind: 'expired'; title: string };

/** The last line of its card. */
export function formEndLine(end: FormEnd, { form }: Pick<Texts, 'form'>): string {
  if (end.kind === 'closed') return form.closed;
  return sanitizeText(
    end.kind === 'chosen' ? form.chosen({ ...end, ...namesOf(end) }) : form.expired(shortName(end.title)),
  );
}

/** What stands for the answer that was given and that Dify has not taken yet. */
export function submittingLine(chosen: { action: string; by: string | null }, { form }: Pick<Texts, 'form'>): string {
  return sanitizeText(form.submitting(namesOf(chosen)));
}

const namesOf = ({ action, by }: { action: string; by: string | null }) => ({
  action: shortName(action),
  by: by === null ? null : shortName(by),
});
