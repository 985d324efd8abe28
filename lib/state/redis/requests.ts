import { monthOf } from '../budget.ts';
import { replyTtlMs } from '../lifetimes.ts';
import type { AcceptRequest, FinishRequest, FormChange, Remembered, RobotRow } from '../state.ts';
import { accountKeys, type keysOf } from './keys.ts';

/** What a script gets. */
interface ScriptRequest {
  keys: readonly string[];
  args: readonly (string | number)[];
}

/** An empty text stands for no expiry. */
export const ttl = (ms: number | null): string => (ms === null ? '' : String(ms));

export const mostOf = (row: RobotRow | undefined): string | number => (row ? (row.most ?? '') : '-');

export const rememberedArgs = ({ generation, difyConversationId, ttlMs }: Remembered): string[] => [
  generation,
  difyConversationId ?? '',
  ttl(ttlMs),
];

/** The keys and arguments of the two scripts that have most of them, in the order of their comments. */
export function createRequests(key: ReturnType<typeof keysOf>, app: string, storeNow: (nowMs: number) => string) {
  const { leases, waiting, conversationKeys } = key;

  function acceptKeys({ turnId, asker, conversationKey, nowMs, budget, rate, row, formsOf }: AcceptRequest): string[] {
    return [
      key.turn(turnId),
      key.payload(turnId),
      ...conversationKeys(conversationKey),
      leases,
      key.accepted,
      waiting,
      key.forms,
      ...(row ? [key.row(row.chat)] : []),
      ...(rate ? [key.rate(asker, nowMs, rate.windowMs)] : []),
      ...(formsOf ? [key.formsOf(formsOf)] : []),
      ...(budget ? accountKeys(budget.account) : []),
    ];
  }

  function acceptArgs(request: AcceptRequest): (string | number)[] {
    const { owner, asker, payload, nowMs, leaseUntilMs, budget, rate } = request;
    const { full, few, last } = budget?.reserve ?? { full: 0, few: 0, last: 0 };
    return [
      owner,
      asker,
      payload,
      storeNow(nowMs),
      leaseUntilMs - nowMs,
      ttl(request.conversationTtlMs),
      request.queueLimit,
      budget?.limit ?? 0,
      full,
      few,
      last,
      rate?.questions ?? 0,
      rate?.windowMs ?? 0,
      app,
      request.heldFiles,
      mostOf(request.row),
      request.formsOf ?? '',
    ];
  }

  function finishKeys(request: FinishRequest, replyMs: number): string[] {
    const { turnId, nowMs, failure, remembered, cardKey, waits, formsOver = [] } = request;
    return [
      key.turn(turnId),
      key.payload(turnId),
      ...conversationKeys(remembered.conversationKey),
      leases,
      waiting,
      key.calls(monthOf(nowMs)),
      key.answered(turnId),
      ...(cardKey === undefined ? [] : [key.card(cardKey)]),
      ...(replyMs > 0 ? [key.reply(turnId)] : []),
      ...(failure === null ? [] : [key.failures, key.failed]),
      ...(hasForms(request) ? [key.forms] : []),
      ...(waits?.group ? [key.formsOf(waits.group)] : []),
      ...formsOver.map(key.turn),
    ];
  }

  function finishArgs(request: FinishRequest, replyMs: number): (string | number)[] {
    const { fence, owner, nowMs, nextLeaseUntilMs, failure, remembered, receipt, spent, form, cardKey, waits } =
      request;
    return [
      fence,
      owner,
      storeNow(nowMs),
      nextLeaseUntilMs - nowMs,
      failure ?? '',
      ...rememberedArgs(remembered),
      receipt,
      spent,
      formArgument(form),
      app,
      cardKey === undefined ? 0 : 1,
      form.kind === 'change' ? (form.all ?? '') : '',
      waits?.untilMs ?? '',
      waits?.group ?? '',
      replyMs > 0 ? (request.reply?.text ?? '') : '',
      replyMs,
      hasForms(request) ? 1 : 0,
    ];
  }

  return {
    accept: (request: AcceptRequest): ScriptRequest => ({ keys: acceptKeys(request), args: acceptArgs(request) }),
    finish(request: FinishRequest): ScriptRequest {
      const { nowMs, reply } = request;
      const replyMs = reply ? replyTtlMs(nowMs, reply.untilMs) : 0;
      return { keys: finishKeys(request, replyMs), args: finishArgs(request, replyMs) };
    },
  };
}

const hasForms = ({ waits, formsOver = [] }: FinishRequest): boolean => Boolean(waits) || formsOver.length > 0;

/** What the script takes for a change of the newest form: '' to keep it, '-' to forget it, or the form. */
const formArgument = (change: FormChange): string => (change.kind === 'keep' ? '' : (change.newest ?? '-'));
