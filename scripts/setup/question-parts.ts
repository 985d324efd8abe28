import { randomBytes } from 'node:crypto';
import { robotSettings } from '../../lib/config/robot-settings.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { Finding } from '../doctor/finding.ts';
import { printable } from './printable.ts';
import type { Draft } from './draft.ts';
import { asItIs, EXTRAS, type Checked, type Of, type Question, type State } from './question.ts';
import type { Variable } from './variables.ts';
import type { Words } from './words/words.ts';

export function storeQuestions({ draft, words, checks }: State, of: Of, checked: Checked): Question[] {
  const has = (variable: Variable) => draft.get(variable) !== '';
  const hasPair = has('KV_REST_API_URL') && has('KV_REST_API_TOKEN');
  const otherStore = hasPair ? 'KV_REST_API_URL' : has('REDIS_URL') ? 'REDIS_URL' : null;
  return [
    // The other pair is what Vercel's integration sets: a store that is there already.
    ...(hasPair && !has('UPSTASH_REDIS_REST_URL')
      ? []
      : [of('UPSTASH_REDIS_REST_URL', { whenEmpty: otherStore ? words.otherStore(otherStore) : words.noStore })]),
    ...(has('UPSTASH_REDIS_REST_URL')
      ? [of('UPSTASH_REDIS_REST_TOKEN', { isRequired: true, check: checked(checks.store) })]
      : []),
  ];
}

export function addressQuestion(state: State, of: Of): Question {
  return of('PUBLIC_URL', {
    read: readOrigin(state.words),
    whenEmpty: state.words.noAddress,
    check: async () => ({ findings: addressFindings(state), remarks: [] }),
  });
}

/** Required inputs that no setting fills go into DIFY_INPUTS. */
export function inputQuestions({ app, draft, words }: State, of: Of): Question[] {
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
          lead: null,
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
  const parsed = parseJson(value);
  return typeof parsed === 'boolean' || typeof parsed === 'object' ? parsed : value;
}

export function extraQuestions(state: State, of: Of): Question[] {
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
    lead: null,
    check: null,
    whenEmpty: null,
  };
  return [
    chosen,
    ...(extras.has('admins') ? [of('ADMIN_USERS')] : []),
    ...(extras.has('users') ? [of('ALLOWED_USERS')] : []),
    ...(extras.has('streaming') ? [of('STREAMING', { usual: robotSettings.STREAMING.default })] : []),
  ];
}

/** 256 bits: it is the only thing between a stranger and the sweep. */
export const newSecret = () => randomBytes(32).toString('base64url');

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
