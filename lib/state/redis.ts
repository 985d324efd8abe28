import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import * as scripts from './scripts.ts';
import {
  BUDGET_TTL_MS,
  CLAIM_TTL_MS,
  FAILED_TTL_MS,
  RECEIPT_TTL_MS,
  type Remembered,
  type SharedToken,
  type StartedTurn,
  type State,
  type Waiting,
} from './state.ts';

/** The one command that is needed of a Redis. @throws BridgeError `store_unavailable`. */
export type RunScript = (script: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

const count = z.coerce.number();
const ids = z.array(z.string());

const levels = z.enum(['full', 'few', 'last', 'none']);

const accepted = z.union([
  z.tuple([z.literal('duplicate')]),
  z.tuple([z.enum(['started', 'queued', 'full', 'limited']), z.string(), z.string(), count, count, ids, levels, count]),
]);
const turn = z
  .tuple([z.string(), count, count, z.string(), z.string(), z.string(), z.string(), z.string(), z.string(), levels])
  .transform(
    ([turnId, claim, hop, asked, conversationKey, generation, dify, payload, progress, level]): StartedTurn => ({
      turnId,
      claim,
      hop,
      mayHaveBeenAsked: asked !== '0',
      conversationKey,
      context: { generation, difyConversationId: dify || null },
      payload,
      progress: progress || null,
      level,
    }),
  );
const renewed = z.union([z.tuple([z.enum(['lost', 'unknown'])]), z.tuple([z.literal('held'), count, z.string()])]);
const finished = z.union([
  z.tuple([z.literal('lost')]),
  z.tuple([z.literal('finished'), count]),
  z.tuple([z.literal('finished'), count, turn]),
]);
const takenOver = z.union([z.tuple([z.enum(['gone', 'held'])]), z.tuple([z.literal('taken'), turn])]);
const claimed = z.tuple([count, ids]);
const waiting = z.tuple([z.enum(['queued', 'started', 'over']), z.string()]);
const dropped = z.array(
  z.tuple([z.string(), z.string()]).transform(([turnId, progress]) => ({ turnId, progress: progress || null })),
);
const stopped = z.union([z.tuple([dropped]), z.tuple([dropped, z.string(), z.string(), z.string()])]);

const storedToken = z.object({ value: z.string(), expiresAtMs: z.number() });
/** How long an instance that took the renewal of the token is left to it. */
const RENEWAL_MS = 30_000;

/** State in a Redis, of one robot. */
export function createRedisState(runScript: RunScript, clientId: string): State {
  // In braces, so that a cluster keeps all keys of a robot together.
  const prefix = `dify-on-dingtalk:{${clientId}}:`;
  const turnKey = (id: string) => `${prefix}turn:${id}`;
  const payloadKey = (id: string) => `${prefix}payload:${id}`;
  const conversationKeys = (key: string) =>
    [`${prefix}conversation:${key}`, `${prefix}running:${key}`, `${prefix}queue:${key}`] as const;
  const leases = `${prefix}leases`;
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
    const parsed = reply.safeParse(await runScript(script, keys, args.map(String)));
    if (!parsed.success) throw new BridgeError('store_unavailable', 'the store sent an unexpected reply');
    return parsed.data;
  }

  const tokens: SharedToken = {
    async read() {
      const stored = await run(z.string(), scripts.READ_TOKEN, [`${prefix}token`], []);
      return stored === '' ? null : (storedToken.safeParse(parseJson(stored)).data ?? null);
    },
    async save(token) {
      await run(z.unknown(), scripts.SAVE_TOKEN, [`${prefix}token`], [JSON.stringify(token), token.expiresAtMs]);
    },
    async claimRenewal() {
      return (await run(count, scripts.CLAIM_RENEWAL, [`${prefix}token-renewal`], [RENEWAL_MS])) === 1;
    },
  };

  async function waitingOf(turnId: string, noted: string): Promise<Waiting> {
    const [stateNow, progress] = await run(waiting, scripts.WAITING, [turnKey(turnId)], [noted]);
    return { state: stateNow, progress: progress || null };
  }

  return {
    isDurable: true,
    tokens,
    async claim({ turnId, owner, nowMs }) {
      const keys = [turnKey(turnId), leases];
      const [isNew, overdue] = await run(claimed, scripts.CLAIM, keys, [owner, nowMs, CLAIM_TTL_MS]);
      return { isNew: isNew === 1, overdue };
    },
    async accept(request) {
      const { turnId, owner, asker, conversationKey, payload, nowMs, leaseUntilMs, budget, rate } = request;
      const [conversation, running, queue] = conversationKeys(conversationKey);
      const account = `dify-on-dingtalk:calls:${budget?.account ?? ''}`;
      const { full, few, last } = budget?.reserve ?? { full: 0, few: 0, last: 0 };
      const reply = await run(
        accepted,
        scripts.ACCEPT,
        [turnKey(turnId), payloadKey(turnId), conversation, running, queue, leases, account],
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
        ],
      );
      if (reply[0] === 'duplicate') return { kind: 'duplicate' };
      const [kind, generation, dify, place, runningCount, overdue, level, reached] = reply;
      const load = { running: runningCount, overdue };
      const granted = { level, reached: reached === 0 ? null : reached };
      if (kind === 'queued') return { kind, place, load, budget: granted };
      if (kind === 'full' || kind === 'limited') return { kind, load };
      const context = { generation, difyConversationId: dify || null };
      return { kind, turn: { claim: 1, context }, load, budget: granted };
    },
    async renew({ turnId, claim, nowMs, leaseUntilMs, progress, remembered }) {
      const [conversation] = conversationKeys(remembered.conversationKey);
      const reply = await run(
        renewed,
        scripts.RENEW,
        [turnKey(turnId), conversation, leases],
        [turnId, claim, nowMs, leaseUntilMs, progress, ...rememberedArgs(remembered)],
      );
      if (reply[0] !== 'held') return { kind: reply[0] };
      return { kind: 'held', running: reply[1], isStopped: reply[2] !== '' };
    },
    async finish({ turnId, claim, owner, nowMs, failed, remembered, spent, receipt, nextLeaseUntilMs }) {
      const [conversation, running, queue] = conversationKeys(remembered.conversationKey);
      const [generation, dify, conversationTtl] = rememberedArgs(remembered);
      const reply = await run(
        finished,
        scripts.FINISH,
        [turnKey(turnId), payloadKey(turnId), conversation, running, queue, leases],
        [
          prefix,
          turnId,
          claim,
          owner,
          nowMs,
          nextLeaseUntilMs,
          failed ? '1' : '0',
          generation ?? '',
          dify ?? '',
          conversationTtl ?? '',
          receipt,
          FAILED_TTL_MS,
          RECEIPT_TTL_MS,
          spent,
        ],
      );
      if (reply[0] === 'lost') return { kind: 'lost' };
      return { kind: 'finished', running: reply[1], next: reply[2] ?? null };
    },
    async takeOver({ turnId, owner, nowMs, leaseUntilMs, handedOver }) {
      const reply = await run(
        takenOver,
        scripts.TAKE_OVER,
        [turnKey(turnId), leases],
        [prefix, turnId, owner, nowMs, leaseUntilMs, handedOver?.claim ?? '', handedOver?.hop ?? ''],
      );
      return reply[0] === 'taken' ? reply[1] : null;
    },
    overdue: ({ nowMs, limit }) => run(ids, scripts.OVERDUE, [leases], [nowMs, limit]),
    noteWaiting: ({ turnId, progress }) => waitingOf(turnId, progress),
    peek: (turnId) => waitingOf(turnId, ''),
    async startConversation({ conversationKey, generation, ttlMs }) {
      const [conversation] = conversationKeys(conversationKey);
      await run(z.unknown(), scripts.START_CONVERSATION, [conversation], [generation, ttl(ttlMs)]);
    },
    async stop({ conversationKey, owner, asker }) {
      const [, running, queue] = conversationKeys(conversationKey);
      const args = [prefix, asker ?? '', owner];
      const reply = await run(stopped, scripts.STOP, [running, queue], args);
      const [droppedTurns, turnId, payload = '', progress = ''] = reply;
      const runningTurn = turnId === undefined ? null : { turnId, payload, progress: progress || null };
      return { dropped: droppedTurns, running: runningTurn };
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
