import type { Answer } from '../answer/answer.ts';

// The variables of a template with buttons (`docs/card-template.md`), beside that of the text.

/** What everybody sees; lists and objects are JSON. */
const VARIABLES = {
  suggestions: 'suggestions',
  actions: 'form_actions',
  fields: 'form_fields',
  waitingFor: 'waiting_for',
} as const;

/** What only the one who pressed sees. */
export const OWN_VARIABLES = { notice: 'notice', rating: 'like_status', askReason: 'ask_reason' } as const;

export const suggestionsOf = (questions: readonly string[]) => ({
  [VARIABLES.suggestions]: JSON.stringify(questions.map((question) => ({ question }))),
});

/** The shape that DingTalk's form component reads (form variable page). It takes no files. */
export function formVariables(
  { actions, fields }: Pick<NonNullable<Answer['form']>, 'actions' | 'fields'>,
  waitingFor: string,
) {
  const typed = fields
    .filter(({ type }) => type !== 'file' && type !== 'file-list')
    .map(({ name, label, type, required, options, default: defaultValue }) => ({
      name,
      label,
      required,
      defaultValue,
      // Options that Dify does not tell have to be typed.
      ...(type === 'select' && options.length > 0
        ? { type: 'SELECT', options: options.map((option) => ({ value: option, text: option })) }
        : { type: 'TEXT' }),
    }));
  return {
    [VARIABLES.actions]: JSON.stringify(actions),
    [VARIABLES.fields]: JSON.stringify({ fields: typed }),
    [VARIABLES.waitingFor]: waitingFor,
  };
}

/** Takes the buttons and fields of a form off its card. */
export const NO_FORM = formVariables({ actions: [], fields: [] }, '');
