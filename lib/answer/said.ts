/** A form that waits, as sentences and links name it. */
export interface NamedForm {
  /** The title of its node; may be empty. */
  title: string;
  /** The number of the form within its conversation: `2` of `同意 #2`. */
  number: number;
}

/** Something to choose with one tap. */
export type Choice =
  /** An action of a form; `words` become the value of its field. */
  | { kind: 'action'; form: NamedForm; action: string; words?: string }
  /** The words are a question. */
  | { kind: 'question'; words: string };

/** What this bridge says about a form, in the place of an app's answer. */
export type Said = { choices: readonly Choice[] } & (
  | { kind: 'not-shown-yet'; form: NamedForm }
  /** Several forms wait, and the words name none of them. */
  | { kind: 'which-form' }
  | { kind: 'answered'; form: NamedForm; action: string; agoMs: number }
  /** A form waits, and the words are none of its actions. `field` takes words. */
  | { kind: 'belongs'; forms: readonly NamedForm[]; field: string | null }
  | { kind: 'files-kept'; forms: readonly NamedForm[]; count: number }
  /** `byButton`: this person may answer it with the button on its card. */
  | { kind: 'not-yours'; form: NamedForm; byButton: boolean }
);
