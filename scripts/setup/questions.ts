import { robotSettings } from '../../lib/config/robot-settings.ts';
import type { Finding } from '../doctor/finding.ts';
import { addressQuestion, extraQuestions, inputQuestions, storeQuestions } from './question-parts.ts';
import { asItIs, type Acts, type Checked, type Of, type Outcome, type Question, type State } from './question.ts';
import { WHERES, type Where } from './road/road.ts';
import { isSecret, type Variable } from './variables.ts';
import type { AskedVariable, Words } from './words/words.ts';

/** All questions that apply by what is known so far, in their order. */
export function questionsOf(state: State): Question[] {
  const { draft, words, checks, isChecked } = state;
  const has = (variable: Variable) => draft.get(variable) !== '';
  const of = (variable: AskedVariable, more: Partial<Question> = {}): Question => ({
    id: variable,
    asking: words.questions[variable],
    variable,
    isHidden: isSecret(variable),
    isRequired: false,
    current: draft.get(variable),
    usual: '',
    read: asItIs,
    take: (value) => draft.set(variable, value),
    lead: null,
    check: null,
    whenEmpty: null,
    ...more,
  });
  const checked = (look: () => Promise<Finding[]>): Question['check'] =>
    isChecked ? async () => ({ findings: await look(), remarks: [] }) : null;
  if (state.acts) return questionsThatAct(state, state.acts, of, checked);
  return [
    of('DINGTALK_CLIENT_ID', { isRequired: true }),
    of('DINGTALK_CLIENT_SECRET', { isRequired: true, check: checked(checks.token) }),
    of('DINGTALK_CARD_TEMPLATE_ID', { whenEmpty: words.noTemplate }),
    ...(has('DINGTALK_CARD_TEMPLATE_ID')
      ? [of('DINGTALK_CARD_BUTTONS', { usual: words.no, read: readYes(words) })]
      : []),
    of('DIFY_API_URL', { usual: robotSettings.DIFY_API_URL.default }),
    of('DIFY_API_KEY', { isRequired: true, check: isChecked ? () => lookAtApp(state) : null }),
    ...inputQuestions(state, of),
    ...storeQuestions(state, of, checked),
    addressQuestion(state, of),
    ...extraQuestions(state, of),
  ];
}

/** The same for a guide that acts: fewer, for much of it is found out by doing. */
function questionsThatAct(state: State, acts: Acts, of: Of, checked: Checked): Question[] {
  const { checks, isChecked } = state;
  const where = acts.where();
  const isVercel = where === 'vercel';
  return [
    of('DINGTALK_CLIENT_ID', { isRequired: true }),
    of('DINGTALK_CLIENT_SECRET', { isRequired: true, check: checked(checks.token) }),
    whereQuestion(state, acts),
    of('DINGTALK_CARD_TEMPLATE_ID', {
      lead: acts.showTemplate,
      read: (answer) =>
        answer.endsWith('.schema') ? { ok: true, value: answer } : { ok: false, reason: acts.words.templateShape },
      take(value) {
        state.draft.set('DINGTALK_CARD_TEMPLATE_ID', value);
        // The file that set-up writes has all buttons.
        state.draft.set('DINGTALK_CARD_BUTTONS', value === '' ? '' : 'true');
      },
      whenEmpty: state.words.noTemplate,
    }),
    of('DIFY_API_URL', { usual: robotSettings.DIFY_API_URL.default }),
    of('DIFY_API_KEY', {
      lead: acts.showDify,
      isRequired: true,
      check: isChecked ? () => lookAtApp(state) : null,
    }),
    ...inputQuestions(state, of),
    ...(isVercel && !acts.hasVercel ? storeQuestions(state, of, checked) : []),
    ...((isVercel && !acts.hasVercel) || where === 'http' ? [addressQuestion(state, of)] : []),
  ];
}

function whereQuestion({ draft }: State, { words, where, setWhere }: Acts): Question {
  return {
    id: 'where',
    asking: words.where,
    variable: null,
    isHidden: false,
    isRequired: true,
    current: where() === '' ? '' : String(WHERES.indexOf(where() as Where) + 1),
    usual: '',
    read: (answer) => (/^[123]$/.test(answer) ? { ok: true, value: answer } : { ok: false, reason: words.where.wrong }),
    take(value) {
      const chosen = WHERES[Number(value) - 1] ?? 'vercel';
      setWhere(chosen);
      draft.set('DINGTALK_CONNECTION', chosen === 'stream' ? 'stream' : '');
    },
    lead: null,
    check: null,
    whenEmpty: null,
  };
}

export async function lookAtApp(state: State): Promise<Outcome> {
  const { checks } = state;
  const { findings, app } = await checks.dify();
  state.app = app;
  if (!app) return { findings, remarks: [] };
  const { words } = state;
  const asked = new Set<Finding['code']>(['difyInputsEmpty', 'difyNoQuestion']);
  // What the next questions ask about is not said here, and a wrong type is not for the key to mend.
  const inputs = (await checks.difyInputs()).filter(
    ({ code }) => !asked.has(code) || (code === 'difyNoQuestion' && app.unclearQuestion === null),
  );
  const softened = [...findings, ...inputs].map((finding): Finding =>
    finding.level === 'failed' ? { ...finding, level: 'warning' } : finding,
  );
  const told = state.acts ? app.features.map(({ found }) => found) : [];
  return { findings: softened, remarks: [words.app(app.name, app.type), ...told] };
}

function readYes({ yesOrNo }: Words): Question['read'] {
  return (answer) => {
    if (/^(?:y|yes|true|1|是|有)$/i.test(answer)) return { ok: true, value: 'true' };
    return /^(?:n|no|false|0|否|没有)$/i.test(answer) ? { ok: true, value: 'false' } : { ok: false, reason: yesOrNo };
  };
}
