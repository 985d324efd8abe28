import { onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifyOptions, SampleApp } from '../../playground/dify/types.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { DingTalkOptions } from '../../playground/dingtalk/types.ts';
import { isRecord, parseJson, recordOf, type Json } from '../../playground/http/shape.ts';

export const app = { clientId: 'dingclientid0001', clientSecret: 'this is a secret' };
export const groupId = 'cid7x2Qm0Pz9Vt5bWk1Hn3Rg==';
const template = { published: true, variables: ['content'], failedState: true };

export interface Reply {
  status: number;
  body: Json;
}

/** A clock that only moves when told to, for limits of a minute or a month. */
export function createManualClock(at = Date.UTC(2026, 6, 23)) {
  let now = at;
  const clock: Clock = { now: () => now, schedule: (ms, run) => systemClock.schedule(Math.min(ms, 1), run) };
  return {
    clock,
    advance(ms: number) {
      now += ms;
    },
  };
}

/** A simulated DingTalk with one group, two members and somebody from outside, and a client for its APIs. */
export async function startDingTalk(options: Partial<DingTalkOptions> = {}) {
  const dingtalk = await createDingTalkSimulator({
    app,
    templates: { 'answer.schema': template, 'draft.schema': { ...template, published: false } },
    people: [
      { staffId: 'staff-0001', unionId: 'union-0001', nick: '王小明' },
      { staffId: 'staff-0002', unionId: 'union-0002', nick: '李雷', isAdmin: true },
      { unionId: 'union-0009', nick: '外部顾问' },
    ],
    groups: [{ conversationId: groupId, title: '售后支持群', members: ['staff-0001', 'staff-0002', 'union-0009'] }],
    ...options,
  });
  onTestFinished(() => dingtalk.close());

  const send = async (method: string, path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${dingtalk.origin}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(1500),
    });
    return { status: response.status, body: recordOf(parseJson(await response.text())) };
  };
  const getToken = async () => {
    const { body } = await send('POST', '/v1.0/oauth2/accessToken', {
      appKey: app.clientId,
      appSecret: app.clientSecret,
    });
    return String(body['accessToken']);
  };
  const token = await getToken();
  const call = (method: string, path: string, body: unknown, given = token): Promise<Reply> =>
    send(method, path, body, { 'x-acs-dingtalk-access-token': given });

  return {
    dingtalk,
    send,
    getToken,
    call,
    create: (changes: Json = {}) =>
      call('POST', '/v1.0/card/instances/createAndDeliver', withChanges(groupCard, changes)),
    stream: (changes: Json = {}) =>
      call('PUT', '/v1.0/card/streaming', withChanges({ ...frame, guid: crypto.randomUUID() }, changes)),
  };
}

/** A card in the group, as the documentation writes it. */
const groupCard: Json = {
  cardTemplateId: 'answer.schema',
  outTrackId: 'card-1',
  cardData: { cardParamMap: { content: '' } },
  openSpaceId: `dtv1.card//IM_GROUP.${groupId}`,
  imGroupOpenSpaceModel: { supportForward: true },
  imGroupOpenDeliverModel: { robotCode: app.clientId },
};

/** A card in somebody's single chat; to be merged over `groupCard`. */
export const singleCard: Json = {
  openSpaceId: 'dtv1.card//IM_ROBOT.staff-0001',
  imGroupOpenSpaceModel: undefined,
  imGroupOpenDeliverModel: undefined,
  imRobotOpenSpaceModel: { supportForward: true },
  imRobotOpenDeliverModel: { spaceType: 'IM_ROBOT', robotCode: app.clientId },
};

const frame: Json = { outTrackId: 'card-1', key: 'content', content: '你好', isFull: true };

/** `undefined` takes a field away. */
function withChanges(body: Json, changes: Json): Json {
  return Object.fromEntries(Object.entries({ ...body, ...changes }).filter(([, value]) => value !== undefined));
}

export interface SseReading {
  status: number;
  raw: string;
  events: Json[];
  names: string[];
  /** Why reading ended before the stream did, if so. */
  broke: string | null;
}

/** A sample Dify with one app of each mode (key `app-<mode>`) and a client that reads its streams. */
export async function startDify(options: Partial<DifyOptions> & { script?: SampleApp['script'] } = {}) {
  const { script, behaviour, ...rest } = options;
  const modes = ['chat', 'agent-chat', 'agent', 'advanced-chat', 'workflow', 'completion'] as const;
  const apps = Object.fromEntries(
    modes.map((mode) => [`app-${mode}`, { mode, name: mode, ...(script ? { script } : {}) }]),
  );
  // Streams of chatflows and workflows end at once: the second that Dify takes would pass in every test.
  const dify = await createDifySimulator({ apps, behaviour: { closeMs: 0, ...behaviour }, ...rest });
  onTestFinished(() => dify.close());

  const request = (key: string, method: string, path: string, body?: unknown, signal?: AbortSignal) =>
    fetch(`${dify.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      signal: AbortSignal.any([AbortSignal.timeout(8000), ...(signal ? [signal] : [])]),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });

  const call = async (key: string, method: string, path: string, body?: unknown): Promise<Reply> => {
    const response = await request(key, method, path, body);
    return { status: response.status, body: recordOf(parseJson(await response.text())) };
  };

  /** Reads a stream until it ends, breaks, or `enough` says so (then the client hangs up). */
  const read = async (
    key: string,
    path: string,
    body?: Json,
    enough: (raw: string) => boolean = () => false,
  ): Promise<SseReading> => {
    const hangUp = new AbortController();
    const response = await request(key, body ? 'POST' : 'GET', path, body, hangUp.signal);
    const decoder = new TextDecoder();
    let raw = '';
    let broke: string | null = null;
    try {
      for await (const part of response.body ?? []) {
        raw += decoder.decode(part, { stream: true });
        if (enough(raw)) hangUp.abort(new Error('enough'));
      }
    } catch (error) {
      broke = error instanceof Error ? error.message : String(error);
    }
    const events = raw
      .split('\n\n')
      .filter((block) => block.startsWith('data: '))
      .map((block) => parseJson(block.slice('data: '.length)))
      .filter((event) => isRecord(event));
    return { status: response.status, raw, events, names: events.map(({ event }) => String(event)), broke };
  };

  const question = { inputs: {}, user: 'staff-0001', response_mode: 'streaming', query: '你好' };
  return {
    dify,
    call,
    request,
    read,
    question,
    ask: (mode: (typeof modes)[number], changes: Json = {}, enough?: (raw: string) => boolean) => {
      const path =
        mode === 'workflow' ? '/workflows/run' : mode === 'completion' ? '/completion-messages' : '/chat-messages';
      const needsInput = mode === 'workflow' || mode === 'completion';
      const body = { ...question, ...(needsInput ? { inputs: { query: '你好' } } : {}), ...changes };
      return read(`app-${mode}`, path, withChanges(body, {}), enough);
    },
  };
}

/** The text of a stream, by the simplest reading: deltas appended, replacements obeyed. */
export function textOf(events: readonly Json[]): string {
  let text = '';
  for (const { event, answer, data } of events) {
    if (event === 'message' || event === 'agent_message') text += String(answer);
    else if (event === 'text_chunk') text += String(recordOf(data)['text']);
    else if (event === 'message_replace') text = String(answer);
  }
  return text;
}

/** Waits until `check` holds, looking every few milliseconds. */
export async function eventually(check: () => boolean, limitMs = 15_000): Promise<void> {
  const endsAt = Date.now() + limitMs;
  while (!check()) {
    if (Date.now() > endsAt) throw new Error('it did not happen in time');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
