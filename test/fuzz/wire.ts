// DingTalk and Dify as functions of a request, without sockets: what they did is what a person would see, whatever they answer.
import { sleep, type Clock } from '../../lib/runtime/clock.ts';

export interface WireCard {
  id: string;
  text: string;
  state: 'open' | 'finished' | 'failed';
  /** How often a call ended it. */
  ends: number;
}

/** What comes back for one call: instead of the honest answer, or of any. */
export type Disturbance =
  | { kind: 'answer'; isApplied: boolean; status: number; body: string; type: string }
  | { kind: 'reset' | 'hang'; isApplied: boolean }
  | { kind: 'late'; ms: number };

/** Answers of one stream: bytes as characters of a string, after a pause each. */
export interface StreamPlan {
  status: number;
  type: string;
  chunks: readonly { afterMs: number; bytes: string }[];
  end: 'close' | 'break' | 'hang';
}

export interface Wire {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  cards: Map<string, WireCard>;
  /** The texts of messages. */
  messages: string[];
  /** The short names of the calls, in order. */
  calls: string[];
  /** Applied in the order of calls to an API, as long as there are some. */
  disturbances: { api: string; what: Disturbance }[];
  /** What the next questions get; then a short answer. */
  streams: StreamPlan[];
  /** Bodies of Dify's other answers, by the last part of their path. */
  difyAnswers: Map<string, { status: number; body: string }>;
}

export const DINGTALK = 'http://dingtalk.test';
export const DIFY = 'http://dify.test/v1';

const JSON_TYPE = 'application/json';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const partOf = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined);

const textAt = (value: unknown, ...path: string[]): string => {
  const found = path.reduce(partOf, value);
  return typeof found === 'string' ? found : '';
};

const APIS: readonly (readonly [path: RegExp, api: string])[] = [
  [/oauth2\/accessToken$/, 'accessToken'],
  [/card\/instances\/createAndDeliver$/, 'createAndDeliver'],
  [/card\/instances\/deliver$/, 'deliver'],
  [/card\/streaming$/, 'streaming'],
  [/card\/instances$/, 'updateCard'],
  [/callbacks\/register$/, 'registerCallback'],
  [/sendBySession/, 'sendBySession'],
  [/oToMessages\/batchSend$/, 'sendToPeople'],
  [/groupMessages\/send$/, 'sendToGroup'],
  [/messageFiles\/download$/, 'downloadFile'],
  [/media\/upload/, 'uploadMedia'],
];

const short = {
  status: 200,
  type: 'text/event-stream',
  end: 'close',
  chunks: [
    {
      afterMs: 1,
      bytes:
        'data: {"event":"message","conversation_id":"c1","message_id":"m1","task_id":"t1","answer":"yes"}\n\n' +
        'data: {"event":"message_end","conversation_id":"c1","message_id":"m1","task_id":"t1"}\n\n',
    },
  ],
} satisfies StreamPlan;

export function createWire(clock: Clock, mode: string): Wire {
  const cards = new Map<string, WireCard>();
  const messages: string[] = [];

  /** Does what a call asks for, and answers as DingTalk does where all is well. */
  function apply(api: string, body: unknown): object {
    const id = textAt(body, 'outTrackId');
    const card = cards.get(id);
    if (api === 'accessToken') return { accessToken: 'token', expireIn: 7200 };
    if (api === 'createAndDeliver') {
      cards.set(id, card ?? { id, text: '', state: 'open', ends: 0 });
      return {
        success: true,
        result: { outTrackId: id, deliverResults: [{ success: true, carrierId: `carrier-${id}` }] },
      };
    }
    if (api === 'streaming' && card) {
      const isEnd = partOf(body, 'isFinalize') === true || partOf(body, 'isError') === true;
      if (card.state === 'open') card.text = textAt(body, 'content');
      if (isEnd && card.state === 'open') card.ends += 1;
      if (isEnd) card.state = partOf(body, 'isError') === true ? 'failed' : 'finished';
    }
    if (api === 'updateCard' && card) {
      const phase = textAt(body, 'cardData', 'cardParamMap', 'flowStatus');
      if (card.state === 'open' && (phase === '3' || phase === '5')) {
        card.state = phase === '3' ? 'finished' : 'failed';
        card.ends += 1;
        card.text = textAt(body, 'cardData', 'cardParamMap', 'content');
      }
    }
    if (api === 'sendBySession') messages.push(textAt(body, 'markdown', 'text'));
    if (api === 'sendToPeople' || api === 'sendToGroup') messages.push(textAt(body, 'msgParam'));
    if (api === 'sendBySession') return { errcode: 0, errmsg: 'ok' };
    if (api === 'downloadFile') return { downloadUrl: 'http://dingtalk.test/file' };
    if (api === 'uploadMedia') return { errcode: 0, media_id: '@media', type: 'file' };
    return { success: true, result: true, processQueryKey: 'key' };
  }

  async function dingtalk(path: string, init: RequestInit): Promise<Response> {
    const api = APIS.find(([pattern]) => pattern.test(path))?.[1] ?? 'unknown';
    wire.calls.push(api);
    const at = wire.disturbances.findIndex((one) => one.api === api);
    const what = at === -1 ? undefined : wire.disturbances.splice(at, 1)[0]?.what;
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    const honest = what === undefined || what.kind === 'late' || what.isApplied ? apply(api, body) : {};
    if (what?.kind === 'late') await sleep(clock, what.ms, init.signal ?? undefined);
    if (what?.kind === 'reset') throw new TypeError('fetch failed');
    if (what?.kind === 'hang') return hang(init.signal);
    if (what?.kind === 'answer') return responseOf(what.status, what.body, what.type);
    if ((api === 'streaming' || api === 'updateCard') && !cards.has(textAt(body, 'outTrackId')))
      return responseOf(400, '{"code":"param.stream.outTrackId"}', JSON_TYPE);
    return responseOf(200, JSON.stringify(honest), JSON_TYPE);
  }

  async function dify(path: string, init: RequestInit): Promise<Response> {
    wire.calls.push(`dify ${path}`);
    const isQuestion = init.method === 'POST' && /\/(chat-messages|workflows\/run|completion-messages)$/.test(path);
    if (isQuestion) return streamOf(clock, wire.streams.shift() ?? short, init.signal);
    const given = [...wire.difyAnswers].find(([name]) => path.includes(name))?.[1];
    if (given) return responseOf(given.status, given.body, JSON_TYPE);
    if (path.includes('/info')) return responseOf(200, JSON.stringify({ name: 'app', mode }), JSON_TYPE);
    if (path.includes('/parameters')) return responseOf(200, '{"user_input_form":[]}', JSON_TYPE);
    if (path.includes('/stop') || path.includes('/feedbacks'))
      return responseOf(200, '{"result":"success"}', JSON_TYPE);
    return responseOf(404, '{"code":"not_found","message":"","status":404}', JSON_TYPE);
  }

  const wire: Wire = {
    async fetch(url, init) {
      init.signal?.throwIfAborted();
      const { origin, pathname } = new URL(url);
      return origin === DINGTALK ? dingtalk(pathname, init) : dify(pathname, init);
    },
    cards,
    messages,
    calls: [],
    disturbances: [],
    streams: [],
    difyAnswers: new Map(),
  };
  return wire;
}

/** A header that cannot be sent is a body without its type. */
function responseOf(status: number, body: string, type: string): Response {
  const hasNoBody = status === 204 || status === 304;
  return new Response(hasNoBody ? null : Buffer.from(body, 'latin1'), { status, headers: { 'content-type': type } });
}

const hang = (signal: AbortSignal | null | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

function streamOf(clock: Clock, plan: StreamPlan, signal: AbortSignal | null | undefined): Response {
  const { chunks, end, status, type } = plan;
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      signal?.addEventListener('abort', () => fail(controller, signal.reason), { once: true });
    },
    async pull(controller) {
      const chunk = chunks[next];
      next += 1;
      if (chunk) {
        if (chunk.afterMs > 0) await sleep(clock, chunk.afterMs);
        if (chunk.bytes !== '') enqueue(controller, Buffer.from(chunk.bytes, 'latin1'));
      } else if (end === 'close') {
        close(controller);
      } else if (end === 'break') {
        fail(controller, new TypeError('terminated'));
      } else {
        await new Promise(() => {});
      }
    },
  });
  return new Response(body, { status, headers: { 'content-type': type } });
}

/** A stream that was cancelled or aborted meanwhile takes nothing more. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Its reader has gone.
  }
}

type Controller = ReadableStreamDefaultController<Uint8Array>;
const fail = (controller: Controller, reason: unknown) => attempt(() => controller.error(reason));
const close = (controller: Controller) => attempt(() => controller.close());
const enqueue = (controller: Controller, bytes: Uint8Array) => attempt(() => controller.enqueue(bytes));
