import { randomBytes } from 'node:crypto';
import type { Finding } from '../doctor/finding.ts';
import { printable, type Checks, type DifyApp } from './checks.ts';
import type { Draft } from './draft.ts';
import { isSecret, type Variable } from './variables.ts';
import type { AskedVariable, Asking, Words } from './words/words.ts';

/** What the questions know of each other. */
export interface State {
  draft: Draft;
  words: Words;
  checks: Checks;
  /** Whether the other sides are asked. */
  isChecked: boolean;
  app: DifyApp | null;
  extras: ReadonlySet<Extra>;
}

export const EXTRAS = ['admins', 'users', 'streaming', 'cron'] as const;
export type Extra = (typeof EXTRAS)[number];

export interface Outcome {
  findings: readonly Finding[];
  /** What else is to be said. */
  remarks: readonly string[];
}

export interface Question {
  id: string;
  asking: Asking;
  /** Whose schema judges the answer; null where `take` does that alone. */
  variable: Variable | null;
  isHidden: boolean;
  isRequired: boolean;
  /** What it holds now; an empty answer keeps it. */
  current: string;
  /** What an empty answer means where it holds nothing; said, not written. */
  usual: string;
  /** The answer in the variable's terms, or what is wrong with it. */
  read: (answer: string) => { ok: true; value: string } | { ok: false; reason: string };
  take: (value: string) => void;
  /** With the other side, once it is taken. */
  check: (() => Promise<Outcome>) | null;
  /** What follows from leaving it empty. */
  whenEmpty: string | null;
}

const asItIs: Question['read'] = (answer) => ({ ok: true, value: answer });

/** All questions that apply by what is known so far, in their order. */
export function questionsOf(state: State): Question[] {
  const { draft, words, checks, isChecked } = state;
  const has = (variable: Variable) => draft.get(variable) !== '';
  const hasPair = has('KV_REST_API_URL') && has('KV_REST_API_TOKEN');
  const otherStore = hasPair ? 'KV_REST_API_URL' : has('REDIS_URL') ? 'REDIS_URL' : null;
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
    check: null,
    whenEmpty: null,
    ...more,
  });
  const checked = (look: () => Promise<Finding[]>): Question['check'] =>
    isChecked ? async () => ({ findings: await look(), remarks: [] }) : null;
  return [
    of('DINGTALK_CLIENT_ID', { isRequired: true }),
    of('DINGTALK_CLIENT_SECRET', { isRequired: true, check: checked(checks.token) }),
    of('DINGTALK_CARD_TEMPLATE_ID', { whenEmpty: words.noTemplate }),
    ...(has('DINGTALK_CARD_TEMPLATE_ID')
      ? [of('DINGTALK_CARD_BUTTONS', { usual: words.no, read: readYes(words) })]
      : []),
    of('DIFY_API_URL', { usual: 'https://api.dify.ai/v1' }),
    of('DIFY_API_KEY', { isRequired: true, check: isChecked ? () => lookAtApp(state) : null }),
    ...inputQuestions(state, of),
    // The other pair is what Vercel's integration sets: a store that is there already.
    ...(hasPair && !has('UPSTASH_REDIS_REST_URL')
      ? []
      : [of('UPSTASH_REDIS_REST_URL', { whenEmpty: otherStore ? words.otherStore(otherStore) : words.noStore })]),
    ...(has('UPSTASH_REDIS_REST_URL')
      ? [of('UPSTASH_REDIS_REST_TOKEN', { isRequired: true, check: checked(checks.store) })]
      : []),
    of('PUBLIC_URL', {
      read: readOrigin(words),
      whenEmpty: words.noAddress,
      check: async () => ({ findings: addressFindings(state), remarks: [] }),
    }),
    ...extraQuestions(state, of),
  ];
}

type Of = (variable: AskedVariable, more?: Partial<Question>) => Question;

async function lookAtApp(state: State): Promise<Outcome> {
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
  return { findings: softened, remarks: [words.app(app.name, app.type)] };
}

/** Required inputs that no setting fills go into DIFY_INPUTS. */
function inputQuestions({ app, draft, words }: State, of: Of): Question[] {
  if (!app) return [];
  const { unclearQuestion } = app;
  const carriers = unclearQuestion
    ? [
        of('DIFY_QUERY_INPUT', {
          isRequired: true,
          asking: {
            ...words.questions.DIFY_QUERY_INPUT,
            where: `${words.questions.DIFY_QUERY_INPUT.where} ${words.questionInputs(unclearQuestion)}`,
          },
          read: (answer) =>
            unclearQuestion.includes(answer)
              ? { ok: true, value: answer }
              : { ok: false, reason: words.questionInputs(unclearQuestion) },
        }),
      ]
    : [];
  const carried = unclearQuestion ? draft.get('DIFY_QUERY_INPUT') : null;
  return [
    ...carriers,
    ...app.missing
      .filter(({ name }) => name !== carried)
      .map(({ name, label, isText }): Question => {
        const current = inputsOf(draft)[name];
        return {
          id: `input ${name}`,
          asking: words.input(printable(name), printable(label)),
          variable: null,
          isHidden: false,
          isRequired: true,
          current: typeof current === 'string' ? current : current === undefined ? '' : JSON.stringify(current),
          usual: '',
          read: asItIs,
          take: (value) =>
            draft.set('DIFY_INPUTS', JSON.stringify({ ...inputsOf(draft), [name]: isText ? value : asJson(value) })),
          check: null,
          whenEmpty: null,
        };
      }),
  ];
}

function inputsOf(draft: Draft): Record<string, unknown> {
  const text = draft.environment()['DIFY_INPUTS'];
  // The schema has seen that it is an object.
  return text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** A checkbox wants true or false, a JSON input an object; everything else Dify takes as a text (input rules). */
function asJson(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'boolean' || typeof parsed === 'object' ? parsed : value;
  } catch {
    return value;
  }
}

function extraQuestions(state: State, of: Of): Question[] {
  const { draft, words, extras } = state;
  const chosen: Question = {
    id: 'extras',
    asking: words.questions.extras,
    variable: null,
    isHidden: false,
    isRequired: false,
    current: '',
    usual: draft.get('CRON_SECRET') === '' ? 'cron' : 'none',
    read(answer) {
      const asked = answer
        .toLowerCase()
        .split(/[\s,，、]+/)
        .filter((word) => word !== '' && word !== 'none');
      const unknown = asked.find((word) => !EXTRAS.some((extra) => extra === word));
      return unknown === undefined
        ? { ok: true, value: asked.join(' ') }
        : { ok: false, reason: words.unknownExtra(printable(unknown)) };
    },
    take(value) {
      state.extras = new Set(EXTRAS.filter((extra) => value.split(' ').includes(extra)));
      if (state.extras.has('cron') && draft.get('CRON_SECRET') === '') draft.set('CRON_SECRET', newSecret());
    },
    check: null,
    whenEmpty: null,
  };
  return [
    chosen,
    ...(extras.has('admins') ? [of('ADMIN_USERS')] : []),
    ...(extras.has('users') ? [of('ALLOWED_USERS')] : []),
    ...(extras.has('streaming') ? [of('STREAMING', { usual: 'balanced' })] : []),
  ];
}

/** 256 bits: it is the only thing between a stranger and the sweep. */
const newSecret = () => randomBytes(32).toString('base64url');

function readYes({ yesOrNo }: Words): Question['read'] {
  return (answer) => {
    if (/^(?:y|yes|true|1|是|有)$/i.test(answer)) return { ok: true, value: 'true' };
    return /^(?:n|no|false|0|否|没有)$/i.test(answer) ? { ok: true, value: 'false' } : { ok: false, reason: yesOrNo };
  };
}

/** The callback address itself is what people copy; a bare domain is what they type. */
function readOrigin({ originOnly }: Words): Question['read'] {
  return (answer) => {
    const url = URL.parse(/^[\w.-]+\.[a-z]{2,}(?::\d+)?(?:\/|$)/i.test(answer) ? `https://${answer}` : answer);
    if (!url) return { ok: true, value: answer };
    const path = url.pathname.replace(/\/+$/, '');
    const isOrigin = (path === '' || path === '/api/dingtalk') && `${url.search}${url.hash}${url.username}` === '';
    return isOrigin ? { ok: true, value: url.origin } : { ok: false, reason: originOnly };
  };
}

/** Nobody is asked for this, so it is looked at with --no-check, too. */
export function addressFindings({ draft, checks }: State): Finding[] {
  const url = URL.parse(draft.get('PUBLIC_URL'));
  return url ? checks.address(url) : [];
}
