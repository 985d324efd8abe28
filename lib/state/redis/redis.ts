import * as z from 'zod';
import { BridgeError } from '../../errors.ts';
import { readJson } from '../../runtime/json.ts';
import { monthOf } from '../budget.ts';
import type { SharedToken } from '../shared.ts';
import type { State } from '../state.ts';
import type { Waiting } from '../told.ts';
import { carryArrivals } from './carry-arrivals.ts';
import * as conversations from './conversation-scripts.ts';
import { FINISH } from './finish-script.ts';
import { DUE_FORMS, POSTPONE_FORM } from './form-scripts.ts';
import { HOLD_FILES } from './held-scripts.ts';
import { keysOf } from './keys.ts';
import * as records from './record-scripts.ts';
import * as replies from './replies.ts';
import { createRequests, mostOf, rememberedArgs, ttl } from './requests.ts';
import type { RunScript } from './run-script.ts';
import * as scripts from './scripts.ts';

const storedToken = z.object({ value: z.string(), expiresAtMs: z.number() });

/** How long the instance that renews the token has before another one may. */
const RENEWAL_MS = 30_000;

export interface RedisStateOptions {
  clientId: string;
  /**
   * Names the robot's Dify app: what is kept of a conversation with another app is not told, because Dify answers another
   * app's id as it answers one that is gone.
   */
  app: string;
  /**
   * The store's time at this time of the instance, in milliseconds; null for the time of Redis, by which instances agree on
   * leases however much their clocks differ. For tests, whose clocks are not those of the world.
   */
  time: ((nowMs: number) => number) | null;
}

/** The state of one robot in a Redis. */
export function createRedisState(runScript: RunScript, { clientId, app, time }: RedisStateOptions): State {
  const key = keysOf(clientId);
  const { leases, waiting, conversationKeys } = key;
  const arrivals = carryArrivals(runScript, key.arrivals);
  /** An empty text: the script takes the time of Redis. */
  const storeNow = (nowMs: number) => (time ? String(time(nowMs)) : '');
  const requests = createRequests(key, app, storeNow);
  /** By how much the store's time is ahead of that of this instance, by its last reply that told it. */
  let aheadMs = 0;

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
      const stored = await run(z.string(), records.READ_TOKEN, [key.token], []);
      return readJson(storedToken, stored);
    },
    async save(token) {
      await run(z.unknown(), records.SAVE_TOKEN, [key.token], [JSON.stringify(token), token.expiresAtMs]);
    },
    async claimRenewal() {
      return (await run(replies.count, records.CLAIM_RENEWAL, [key.tokenRenewal], [RENEWAL_MS])) === 1;
    },
  };

  async function waitingOf(turnId: string, noted: string): Promise<Waiting> {
    const [stateNow, progress] = await run(replies.waiting, conversations.WAITING, [key.turn(turnId)], [noted]);
    return { state: stateNow, progress: progress || null };
  }

  return {
    isDurable: true,
    tokens,
    storeTime: (nowMs) => nowMs + aheadMs,
    async claim({ turnId, owner, nowMs, row }) {
      const keys = [key.turn(turnId), leases, ...(row ? [key.row(row.chat)] : [])];
      const [isNew, overdue] = await run(replies.claimed, scripts.CLAIM, keys, [owner, storeNow(nowMs), mostOf(row)]);
      return { isNew: isNew === 1, overdue };
    },
    async accept(request) {
      const { keys, args } = requests.accept(request);
      const reply = await run(replies.accepted, scripts.ACCEPT, keys, args);
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
      const args = [owner, storeNow(nowMs), ttl(conversationTtlMs), holdMs, limit, ...files];
      return run(replies.held, HOLD_FILES, [key.turn(turnId), leases, key.conversation(conversationKey)], args);
    },
    async renew({ turnId, fence, nowMs, leaseUntilMs, progress, remembered }) {
      const [conversation, , queue] = conversationKeys(remembered.conversationKey);
      const reply = await run(
        replies.renewed,
        scripts.RENEW,
        [key.turn(turnId), conversation, leases, waiting, queue],
        [fence, storeNow(nowMs), leaseUntilMs - nowMs, progress, ...rememberedArgs(remembered), app],
      );
      if (reply[0] !== 'held') return { kind: reply[0] };
      const [kind, running, stopped, overdue, behind, atMs] = reply;
      aheadMs = atMs - nowMs;
      return { kind, running, isStopped: stopped !== '', overdue, behind };
    },
    async finish(request) {
      const { keys, args } = requests.finish(request);
      const reply = await run(replies.finished, FINISH, keys, args);
      if (reply[0] === 'lost') return { kind: 'lost' };
      aheadMs = reply[3] - request.nowMs;
      return { kind: 'finished', running: reply[1], isStopped: reply[2] !== '', next: reply[4] ?? null };
    },
    async takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver }) {
      const { fence = '', hop = '', sentAtMs = '' } = handedOver ?? {};
      const reply = await run(
        replies.takenOver,
        scripts.TAKE_OVER,
        [key.turn(turnId), leases],
        [owner, storeNow(nowMs), leaseUntilMs - nowMs, fence, hop, sentAtMs, app],
      );
      if (reply[0] === 'taken') return reply[1];
      return reply[0] === 'dropped' || reply[0] === 'late' ? reply[0] : null;
    },
    overdue: ({ nowMs, limit }) => run(replies.ids, scripts.OVERDUE, [leases], [storeNow(nowMs), limit]),
    noteWaiting: ({ turnId, progress }) => waitingOf(turnId, progress),
    async noteDropped(turnId) {
      await run(z.unknown(), conversations.NOTE_DROPPED, [key.turn(turnId), leases], []);
    },
    peek: (turnId) => waitingOf(turnId, ''),
    dueForms: ({ nowMs, limit }) => run(replies.ids, DUE_FORMS, [key.forms], [storeNow(nowMs), limit]),
    async postponeForm({ turnId, untilMs }) {
      await run(z.unknown(), POSTPONE_FORM, [key.turn(turnId), key.forms], [untilMs ?? '']);
    },
    noteForm: ({ turnId, note, instead }) =>
      run(z.string(), records.NOTE_FORM, [key.turn(turnId)], [note, instead === null ? 0 : 1, instead ?? '']),
    async startConversation({ conversationKey, generation, ttlMs }) {
      const keys = [key.conversation(conversationKey)];
      return run(replies.count, conversations.START_CONVERSATION, keys, [generation, ttl(ttlMs)]);
    },
    async stop({ conversationKey, owner, asker, turnId: only, nowMs, leaseUntilMs }) {
      const [, running, queue] = conversationKeys(conversationKey);
      const args = [asker ?? '', owner, only ?? '', storeNow(nowMs), leaseUntilMs - nowMs];
      const reply = await run(replies.stopped, conversations.STOP, [running, queue, leases, waiting], args);
      const [droppedTurns, turnId, payload = '', progress = ''] = reply;
      const runningTurn = turnId === undefined ? null : { turnId, payload, progress: progress || null };
      return { dropped: droppedTurns, running: runningTurn };
    },
    async lookUp(turnId) {
      const keys = [key.turn(turnId), key.payload(turnId), key.answered(turnId), key.reply(turnId)];
      return replies.recordOf(await run(replies.lookedUp, records.LOOK_UP, keys, []));
    },
    receiptOf: async (cardKey) => (await run(z.string(), records.RECEIPT_OF, [key.card(cardKey)], [])) || null,
    async rate({ turnId, person, owner, rating: wanted, keeps }) {
      const keys = [key.turn(turnId), key.answered(turnId)];
      return (await run(replies.rating, records.RATE, keys, [person, owner, wanted, keeps ? 1 : 0])) || null;
    },
    noteArrival: arrivals.note,
    status: ({ nowMs }) =>
      run(
        replies.status,
        records.STATUS,
        [leases, waiting, key.calls(monthOf(nowMs)), key.accepted, key.failures, key.failed, key.arrivals],
        [storeNow(nowMs)],
      ),
    flags: {
      isSet: async (name) => (await run(replies.count, records.IS_FLAG_SET, [key.flag(name)], [])) === 1,
      async set(name, ttlMs) {
        await run(z.unknown(), records.SET_FLAG, [key.flag(name)], [ttlMs]);
      },
    },
  };
}
