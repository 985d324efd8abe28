import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sleep, systemClock } from '../../lib/runtime/clock.ts';
import { closed, parseObject, readBody, reply, resetConnection } from '../http/exchange.ts';
import { createFaults } from '../http/faults.ts';
import { startServer } from '../http/server.ts';
import { blame, refuse, type Answer } from './answer.ts';
import { openCall, type OpenCall } from './call-log.ts';
import { createCallbacks } from './callback.ts';
import { createCardViews } from './card-buttons.ts';
import { createDeliver } from './deliver.ts';
import { faultAnswer } from './fault-answer.ts';
import { createGateway } from './gateway.ts';
import { modelFault } from './request-model.ts';
import { createRoutes, type ApiRequest, type Route } from './routes.ts';
import { createLinks } from './link.ts';
import { createTaps } from './tap.ts';
import type {
  DingTalkApi,
  DingTalkFaultEffect,
  DingTalkOptions,
  DingTalkSettings,
  DingTalkSimulator,
} from './types.ts';
import { asOlderAnswer } from './upload-media.ts';
import { createWorld } from './world.ts';

function settingsOf(options: DingTalkOptions): DingTalkSettings {
  return {
    permissions: options.permissions ?? [
      'Card.Instance.Write',
      'Card.Streaming.Write',
      'qyapi_robot_sendmsg',
      'qyapi_base',
    ],
    templates: options.templates ?? {},
    latencyMs: options.latencyMs ?? 0,
    qps: options.qps ?? 20,
    monthlyCalls: options.monthlyCalls ?? Infinity,
    unsafeWords: options.unsafeWords ?? [],
    people: options.people ?? [],
    groups: options.groups ?? [],
    ...(options.refusedFields ? { refusedFields: options.refusedFields } : {}),
    ...(options.download ? { download: options.download } : {}),
  };
}

/** Blames what the SDK would not have sent, unless the call's own rules have found a fault. */
function withModel(route: Route, { body, contentType }: ApiRequest, answer: Answer): Answer {
  const isJson =
    /^application\/json\s*(;|$)/iu.test(contentType) || route.method === 'GET' || route.api === 'uploadMedia';
  const fault = isJson ? modelFault(route.api, body ?? {}) : 'content-type must be application/json';
  return fault === undefined || answer.violation !== undefined ? answer : { ...answer, violation: fault };
}

/** An answer later than this may not be heard any more: clients give a call up after 8 s. */
const CLIENT_PATIENCE_MS = 8_000;

/**
 * One server that plays api.dingtalk.com and oapi.dingtalk.com, and refuses what they refuse. Written from
 * the protocol notes alone, without a look at `lib/`: where both readings differ, one of them is wrong.
 */
export async function createDingTalkSimulator(options: DingTalkOptions): Promise<DingTalkSimulator> {
  const clock = options.clock ?? systemClock;
  const settings = settingsOf(options);
  const world = createWorld({
    clock,
    createId: options.createId ?? randomUUID,
    clientId: options.app.clientId,
    clientSecret: options.app.clientSecret,
    robotCode: options.app.robotCode ?? options.app.clientId,
    corpId: options.corpId ?? 'dingcorp0001',
    settings,
    stream: options.stream,
    media: new Map((options.media ?? []).map((file) => [file.id, { ...file, at: clock.now() }])),
  });
  const faults = createFaults<DingTalkApi, DingTalkFaultEffect>();
  const gateway = createGateway(world);
  const routes = createRoutes(world, gateway, () => server.origin);
  const callbacks = createCallbacks(world, () => server.origin);

  const latencyOf = (api: DingTalkApi) =>
    typeof settings.latencyMs === 'number' ? settings.latencyMs : settings.latencyMs(api);

  /** What the gateway says on arrival, before the API itself is asked. */
  const admit = (route: Route, { headers, query }: ApiRequest): Answer | undefined => {
    if (route.guard === 'tokenInAddress') {
      const refusal = gateway.admit(route.api, query.get('access_token') ?? undefined, route.permission);
      return refusal && asOlderAnswer(refusal);
    }
    const token = headers['x-acs-dingtalk-access-token'];
    if (route.guard === 'token')
      return gateway.admit(route.api, typeof token === 'string' ? token : undefined, route.permission);
    return route.guard === 'rate' ? gateway.throttle(route.api) : undefined;
  };

  /** The request as an undisturbed DingTalk treats it. */
  const answerOf = async (
    route: Route,
    request: ApiRequest,
    response: ServerResponse,
    delayMs: number,
  ): Promise<Answer> => {
    const wait = () => sleep(clock, delayMs + latencyOf(route.api));
    const refusal = admit(route, request);
    if (refusal) {
      await wait();
      return refusal;
    }
    const leave = request.body ? route.enter?.(request.body) : undefined;
    if (typeof leave === 'object') {
      await wait();
      return leave;
    }
    // Whoever hangs up has nothing in flight any more, but what it asked for is still done below.
    response.once('close', () => leave?.());
    await wait();
    const wantsJson = route.guard === 'token' || route.guard === 'rate';
    if (!request.body && wantsJson) return blame(400, 'InvalidParameter', 'the body is not a JSON object');
    const answer = await route.handle(request.body ?? {}, request);
    leave?.();
    return withModel(route, request, answer);
  };

  /** Its client may have given it up already: as far as the socket knows it is still there. */
  const isLate = ({ at }: OpenCall['call']) => clock.now() - at >= CLIENT_PATIENCE_MS;

  const note = (call: OpenCall['call'], answer: Answer) => {
    // A call that its client has given up may be overtaken by the one that was sent instead.
    const isOvertaken = isLate(call) && answer.code === 'param.cardAlreadyExist';
    if (answer.violation === undefined || isOvertaken) return;
    const outTrackId = call.request['outTrackId'];
    world.violate({
      api: call.api,
      code: answer.code,
      message: answer.violation,
      outTrackId: typeof outTrackId === 'string' ? outTrackId : null,
    });
  };

  /** The call was carried out, and its client does not know. */
  const noteUnheard = ({ api, request }: OpenCall['call']) =>
    world.unanswered.add(`${api} ${String(request['outTrackId'])}`);

  const send = async (open: OpenCall, answer: Answer, response: ServerResponse, isCounted: boolean, lose: boolean) => {
    const result = { status: answer.status, code: answer.code, counted: isCounted, response: answer.body };
    const gone = response.destroyed || response.closed;
    if ((gone || lose || isLate(open.call)) && answer.status === 200) noteUnheard(open.call);
    if (gone || lose) {
      open.finish({ ...result, status: null, outcome: lose ? 'lost' : 'abandoned' });
      resetConnection(response);
      return;
    }
    if (answer.send) {
      const responseBytes = await answer.send(response);
      open.finish({ ...result, responseBytes, outcome: 'answered' });
      return;
    }
    const responseBytes = reply(response, answer.status, 'application/json', JSON.stringify(answer.body));
    open.finish({ ...result, responseBytes, outcome: 'answered' });
  };

  const serve = async (route: Route, response: ServerResponse, request: ApiRequest, open: OpenCall) => {
    const fault = faults.next(route.api, request.body);
    open.call.fault = fault?.kind ?? null;
    if (fault?.kind === 'hang') {
      await closed(response);
      open.finish({ outcome: 'hung' });
      return;
    }
    const delayMs = fault?.delayMs ?? 0;
    if (fault?.kind === 'reset') {
      await sleep(clock, delayMs);
      resetConnection(response);
      open.finish({ outcome: 'reset' });
      return;
    }
    const injected = fault && faultAnswer(fault, route.api);
    const isCarriedOut = fault !== undefined && 'carriedOut' in fault && fault.carriedOut;
    if (injected && !isCarriedOut) await sleep(clock, delayMs + latencyOf(route.api));
    const real = injected && !isCarriedOut ? injected : await answerOf(route, request, response, delayMs);
    note(open.call, real);
    if (isCarriedOut && real.status === 200) noteUnheard(open.call);
    const answer = injected ?? real;
    const isCounted = (route.guard === 'token' || route.guard === 'tokenInAddress') && (answer.counted ?? true);
    await send(open, answer, response, isCounted, fault?.kind === 'lost-response');
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const bytes = await readBody(incoming);
    const url = new URL(incoming.url ?? '/', server.origin);
    const method = incoming.method ?? 'GET';
    // Megabytes of a form are not worth an attempt to read them as JSON.
    const body = url.pathname === '/media/upload' ? {} : parseObject(bytes);
    const route = routes.find(
      ({ method: wanted, path }) =>
        wanted === method && (typeof path === 'string' ? path === url.pathname : path(url.pathname)),
    );
    if (options.stream && url.pathname === '/v1.0/gateway/connections/open') {
      const answer = options.stream.open(body);
      reply(response, answer.status, 'application/json', JSON.stringify(answer.body));
      return;
    }
    const start = { method, path: url.pathname, bytes: bytes.length, request: body ?? {} };
    const open = openCall(world, { api: route?.api ?? 'unknown', ...start });
    if (!route) {
      const answer = { ...refuse(404, 'InvalidAction.NotFound', 'no such API'), counted: false };
      note(open.call, { ...answer, violation: `${method} ${url.pathname} is not an API of DingTalk` });
      await send(open, answer, response, false, false);
      return;
    }
    const request: ApiRequest = {
      body,
      bytes: bytes.length,
      content: bytes,
      contentType: incoming.headers['content-type'] ?? '',
      session: url.searchParams.get('session') ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      get abandoned() {
        return response.destroyed || response.closed;
      },
    };
    await serve(route, response, request, open);
  };

  const server = await startServer(handle, options.port);

  return {
    origin: server.origin,
    settings,
    cards: world.cards,
    messages: world.messages,
    calls: world.calls,
    violations: world.violations,
    media: world.media,
    files: world.files,
    keepFile: (code, file) => void world.files.set(code, file),
    faults,
    countedCalls: () => world.calls.filter(({ counted }) => counted).length,
    invalidateTokens: () => gateway.invalidateTokens(),
    expireSessions() {
      for (const session of world.sessions.values()) session.expiresAt = 0;
    },
    singleConversation(id) {
      const person = world.findPerson(id);
      if (!person) throw new Error(`the simulated DingTalk knows nobody called ${id}`);
      return world.singleConversation(person);
    },
    callback: callbacks.callback,
    cardAction: (input, overrides) => callbacks.cardAction(input, overrides),
    tapLink: createLinks(world),
    deliver: createDeliver(world),
    callbackUrl: (outTrackId) => world.routeOf(outTrackId)?.url ?? null,
    ...createCardViews(world),
    tap: createTaps(world, callbacks.cardAction),
    subscribe: (listener) => world.subscribe(listener),
    clear() {
      world.cards.clear();
      world.hidden.clear();
      world.unanswered.clear();
      world.messages.length = 0;
      world.media.clear();
      world.files.clear();
      world.calls.length = 0;
      world.violations.length = 0;
    },
    close: () => server.close(),
  };
}
