import * as z from 'zod';
import { BridgeError } from '../../errors.ts';
import { readJson } from '../../runtime/json.ts';
import { monthOf } from '../budget.ts';
import { BUDGET_TTL_MS, CLAIM_TTL_MS, FAILED_TTL_MS, RECEIPT_TTL_MS, ROBOT_ROW_TTL_MS } from '../lifetimes.ts';
import type { FormChange, Remembered, RobotRow, SharedToken, State, Waiting } from '../state.ts';
import { carryArrivals } from './carry-arrivals.ts';
import * as conversations from './conversation-scripts.ts';
import { DUE_FORMS, POSTPONE_FORM } from './form-scripts.ts';
import { HOLD_FILES } from './held-scripts.ts';
import * as records from './record-scripts.ts';
import * as replies from './replies.ts';
import * as scripts from './scripts.ts';

/**
 * Runs a script in a Redis: EVAL, and EVALSHA from the second time on, are the only commands that the state needs.
 *
 * @throws BridgeError `store_unavailable`.
 */
export type RunScript = (script: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

const storedToken = z.object({ value: z.string(), expiresAtMs: z.number() });

/** How long the instance that renews the token has before another one may. */
const RENEWAL_MS = 30_000;

/**
 * The state of one robot in a Redis. `app` names its Dify app: what is kept of a conversation with another app is not told,
 * because Dify answers another app's id as it answers one that is gone.
 */
export function createRedisState(runScript: RunScript, clientId: string, app: string): State {
  // A cluster keeps all keys with the same text in braces in one slot.
  const prefix = `dify-on-dingtalk:{${clientId}}:`;
  const turnKey = (id: string) => `${prefix}turn:${id}`;
  const payloadKey = (id: string) => `${prefix}payload:${id}`;
  const flagKey = (name: string) => `${prefix}mark:${name}`;
  const conversationKeys = (key: string) =>
    [`${prefix}conversation:${key}`, `${prefix}running:${key}`, `${prefix}queue:${key}`] as const;
  const leases = `${prefix}leases`;
  const arrivals = carryArrivals(runScript, `${prefix}arrivals`);
  const formsKey = `${prefix}forms`;
  const cardKeyOf = (key: string) => `${prefix}card:${key}`;
  const rowKey = (row: RobotRow | undefined) => `${prefix}robots:${row?.chat ?? ''}`;
  const mostOf = (row: RobotRow | undefined) => (row ? (row.most ?? '') : '-');
  /** An empty text stands for no expiry. */
  const ttl = (ms: number | null) => (ms === null ? '' : String(ms));
  const rememberedArgs = ({ generation, difyConversationId, ttlMs }: Remembered) => [
    generation,
    difyConversationId ?? '',
    ttl(ttlMs),
  ];

  async function run<T>(
    reply: z.ZodType<T>,
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<T> {
    const parsed = reply.safeParse(await arrivals.run(script, keys, args.map(String)));
    if (!parsed.success) throw new BridgeError('store_unavailable', 'the store sent an unexpected reply');
    return parsed.data;
  }

  const tokens: SharedToken = {
    async read() {
      const stored = await run(z.string(), records.READ_TOKEN, [`${prefix}token`], []);
      return readJson(storedToken, stored);
    },
    async save(token) {
      await run(z.unknown(), records.SAVE_TOKEN, [`${prefix}token`], [JSON.stringify(token), token.expiresAtMs]);
    },
    async claimRenewal() {
      return (await run(replies.count, records.CLAIM_RENEWAL, [`${prefix}token-renewal`], [RENEWAL_MS])) === 1;
    },
  };

  async function waitingOf(turnId: string, noted: string): Promise<Waiting> {
    const [stateNow, progress] = await run(
      replies.waiting,
      conversations.WAITING,
      [turnKey(turnId), leases],
      [noted, turnId],
    );
    return { state: stateNow, progress: progress || null };
  }

  return {
    isDurable: true,
    tokens,
    async claim({ turnId, owner, nowMs, row }) {
      const keys = [turnKey(turnId), leases, rowKey(row)];
      const args = [owner, nowMs, CLAIM_TTL_MS, mostOf(row)];
      const [isNew, overdue] = await run(replies.claimed, scripts.CLAIM, keys, args);
      return { isNew: isNew === 1, overdue };
    },
    async accept(request) {
      const { turnId, owner, asker, conversationKey, payload, nowMs, leaseUntilMs, budget, rate, row } = request;
      const [conversation, running, queue] = conversationKeys(conversationKey);
      const account = `dify-on-dingtalk:calls:${budget?.account ?? ''}`;
      const { full, few, last } = budget?.reserve ?? { full: 0, few: 0, last: 0 };
      const reply = await run(
        replies.accepted,
        scripts.ACCEPT,
        [turnKey(turnId), payloadKey(turnId), conversation, running, queue, leases, account, rowKey(row)],
        [
          prefix,
          turnId,
          owner,
          asker,
          conversationKey,
          payload,
          nowMs,
          leaseUntilMs,
          ttl(request.conversationTtlMs),
          request.queueLimit,
          CLAIM_TTL_MS,
          budget?.limit ?? 0,
          full,
          few,
          last,
          BUDGET_TTL_MS,
          rate?.questions ?? 0,
          rate?.windowMs ?? 1,
          app,
          request.heldFiles,
          mostOf(row),
          ROBOT_ROW_TTL_MS,
          request.formsOf ?? '',
        ],
      );
      if (reply[0] === 'duplicate' || reply[0] === 'silent') return { kind: reply[0] };
      const [kind, generation, dify, form, first, place, runningCount, overdue, level, reached, ...more] = reply;
      const [recorded, forms, others, dueForms] = more;
      const load = { running: runningCount, overdue, dueForms };
      const granted = { level, reached: reached === 0 ? null : reached };
      if (kind === 'queued') return { kind, place, load, budget: granted };
      if (kind === 'full' || kind === 'limited' || kind === 'unheld') return { kind, load };
      const turn = { fence: 1, context: replies.contextOf(generation, dify, form, forms, others) };
      return { kind, turn, isFirst: first === 1, payload: recorded || null, load, budget: granted };
    },
    async hold({ turnId, owner, conversationKey, conversationTtlMs, files, nowMs, limit, holdMs }) {
      const [conversation] = conversationKeys(conversationKey);
      const times = [nowMs, ttl(conversationTtlMs), CLAIM_TTL_MS, holdMs];
      const args = [prefix, turnId, owner, conversationKey, ...times, limit, ...files];
      return run(replies.held, HOLD_FILES, [turnKey(turnId), leases, conversation], args);
    },
    async renew({ turnId, fence, nowMs, leaseUntilMs, progress, remembered }) {
      const [conversation] = conversationKeys(remembered.conversationKey);
      const reply = await run(
        replies.renewed,
        scripts.RENEW,
        [turnKey(turnId), conversation, leases],
        [prefix, turnId, fence, nowMs, leaseUntilMs, progress, ...rememberedArgs(remembered), app],
      );
      if (reply[0] !== 'held') return { kind: reply[0] };
      const [kind, running, stopped, overdue, behind] = reply;
      return { kind, running, isStopped: stopped !== '', overdue, behind };
    },
    async finish(request) {
      const { turnId, fence, owner, nowMs, failure, remembered, spent, receipt, form, nextLeaseUntilMs, cardKey } =
        request;
      const { waits, formsOver = [] } = request;
      const [conversation, running, queue] = conversationKeys(remembered.conversationKey);
      const [generation, dify, conversationTtl] = rememberedArgs(remembered);
      const reply = await run(
        replies.finished,
        scripts.FINISH,
        [turnKey(turnId), payloadKey(turnId), conversation, running, queue, leases, cardKeyOf(cardKey ?? '')],
        [
          prefix,
          turnId,
          fence,
          owner,
          nowMs,
          nextLeaseUntilMs,
          failure ?? '',
          generation ?? '',
          dify ?? '',
          conversationTtl ?? '',
          receipt,
          FAILED_TTL_MS,
          RECEIPT_TTL_MS,
          spent,
          formArgument(form),
          monthOf(nowMs),
          BUDGET_TTL_MS,
          app,
          cardKey === undefined ? 0 : 1,
          form.kind === 'change' ? (form.all ?? '') : '',
          waits?.untilMs ?? '',
          waits?.group ?? '',
          ...formsOver,
        ],
      );
      if (reply[0] === 'lost') return { kind: 'lost' };
      return { kind: 'finished', running: reply[1], isStopped: reply[2] !== '', next: reply[3] ?? null };
    },
    async takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver }) {
      const reply = await run(
        replies.takenOver,
        scripts.TAKE_OVER,
        [turnKey(turnId), leases],
        [prefix, turnId, owner, nowMs, leaseUntilMs, handedOver?.fence ?? '', handedOver?.hop ?? '', app],
      );
      if (reply[0] === 'taken') return reply[1];
      return reply[0] === 'dropped' ? 'dropped' : null;
    },
    overdue: ({ nowMs, limit }) => run(replies.ids, scripts.OVERDUE, [leases], [nowMs, limit]),
    noteWaiting: ({ turnId, progress }) => waitingOf(turnId, progress),
    peek: (turnId) => waitingOf(turnId, ''),
    dueForms: ({ nowMs, limit }) => run(replies.ids, DUE_FORMS, [formsKey], [prefix, nowMs, limit]),
    async postponeForm({ turnId, untilMs }) {
      await run(z.unknown(), POSTPONE_FORM, [formsKey], [prefix, turnId, untilMs ?? '']);
    },
    async startConversation({ conversationKey, generation, ttlMs }) {
      const [conversation] = conversationKeys(conversationKey);
      const args = [prefix, conversationKey, generation, ttl(ttlMs)];
      return run(replies.count, conversations.START_CONVERSATION, [conversation], args);
    },
    async stop({ conversationKey, owner, asker, turnId: only, leaseUntilMs }) {
      const [, running, queue] = conversationKeys(conversationKey);
      const args = [prefix, asker ?? '', owner, only ?? '', leaseUntilMs];
      const reply = await run(replies.stopped, conversations.STOP, [running, queue, leases], args);
      const [droppedTurns, turnId, payload = '', progress = ''] = reply;
      const runningTurn = turnId === undefined ? null : { turnId, payload, progress: progress || null };
      return { dropped: droppedTurns, running: runningTurn };
    },
    async lookUp(turnId) {
      const reply = await run(replies.lookedUp, records.LOOK_UP, [turnKey(turnId), payloadKey(turnId)], []);
      if (reply.length === 0 || reply[0] === 'full' || reply[0] === 'limited' || reply[0] === 'unheld') return null;
      const [stateNow, asker, conversationKey, payload, progress, receipt, isStopped] = reply;
      return {
        state: stateNow,
        asker,
        conversationKey,
        payload: payload || null,
        progress: progress || null,
        isStopped: isStopped !== '',
        receipt: receipt || null,
      };
    },
    async receiptOf(cardKey) {
      return (await run(z.string(), records.RECEIPT_OF, [cardKeyOf(cardKey)], [prefix])) || null;
    },
    async rate({ turnId, person, owner, rating: wanted }) {
      return (await run(replies.rating, records.RATE, [turnKey(turnId)], [person, owner, wanted])) || null;
    },
    noteArrival: arrivals.note,
    status: ({ nowMs }) => run(replies.status, records.STATUS, [leases], [prefix, nowMs, monthOf(nowMs), CLAIM_TTL_MS]),
    flags: {
      isSet: async (name) => (await run(replies.count, records.IS_FLAG_SET, [flagKey(name)], [])) === 1,
      async set(name, ttlMs) {
        await run(z.unknown(), records.SET_FLAG, [flagKey(name)], [ttlMs]);
      },
    },
  };
}

/** What the script takes for a change of the newest form: '' to keep it, '-' to forget it, or the form. */
const formArgument = (change: FormChange): string => (change.kind === 'keep' ? '' : (change.newest ?? '-'));
