import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sleep, systemClock } from '../../lib/runtime/clock.ts';
import { closed, parseObject, readBody, reply, resetConnection } from '../http/exchange.ts';
import { createFaults } from '../http/faults.ts';
import { keepLast } from '../http/newest.ts';
import { startServer } from '../http/server.ts';
import { isText, parseJson, recordOf, type Json } from '../http/shape.ts';
import { createAdmission, type GenerationApi } from './admission.ts';
import { infoOf, parametersOf } from './app-facts.ts';
import { behaviourOf } from './behaviour.ts';
import { blockingAnswer } from './blocking-answer.ts';
import { encodeEvent, ping } from './encode.ts';
import { isWorkflowBased } from './envelope.ts';
import { openEventStream } from './event-stream.ts';
import { sendFile } from './file-response.ts';
import { createForms } from './forms.ts';
import { createGeneration, disconnect } from './generation.ts';
import { createLookups } from './lookups.ts';
import { createMemory } from './memory.ts';
import { describeParts, readMultipart, type Part } from './multipart.ts';
import { createOpinions } from './opinions.ts';
import { answerJson, recorded, refuse, unknownError, unknownPath, type Refusal } from './refusal.ts';
import { matchRoute, type RouteMatch } from './routes.ts';
import type { Player } from './player.ts';
import { createRunEvents } from './run-events.ts';
import { createSlots } from './slots.ts';
import { createUploads } from './uploads.ts';
import type { DifyApi, DifyFaultEffect, DifyOptions, DifyRequest, DifyRun, DifySimulator, SampleApp } from './types.ts';

interface Exchange {
  route: RouteMatch;
  app: SampleApp;
  key: string;
  body: Json;
  /** Of a multipart body. */
  parts: readonly Part[];
  query: URLSearchParams;
  response: ServerResponse;
  request: DifyRequest;
  fault: DifyFaultEffect | undefined;
}

/** An exchange before its API key was looked at. */
type Bare = Pick<Exchange, 'response' | 'request' | 'fault'>;

const wrongMethod = refuse(405, 'method_not_allowed', 'The method is not allowed for the requested URL.');
const notJson = refuse(
  400,
  'bad_request',
  'The browser (or proxy) sent a request that this server could not understand.',
);
const unsupportedMedia = refuse(
  415,
  'unsupported_media_type',
  "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
);

/** Three messages, by what is in the header (recorded). */
function unauthorized(authorization: string | undefined): Refusal {
  const answer = authorization?.startsWith('Bearer ')
    ? recorded('unauthorized')
    : authorization?.includes(' ')
      ? refuse(401, 'unauthorized', "Authorization scheme must be 'Bearer'")
      : recorded('unauthorized-no-header');
  return { ...answer, headers: { 'WWW-Authenticate': 'Bearer realm="api"' } };
}

const textOrNull = (value: unknown) => (isText(value) ? value : null);

const send = ({ response, request }: Pick<Exchange, 'response' | 'request'>, answer: Refusal) => {
  request.status = answer.status;
  request.responseBytes = reply(response, answer.status, answer.contentType, answer.body, answer.headers);
};

/** A sample Dify: one server, one app for each API key, strict where Dify is strict. */
export async function createDifySimulator(options: DifyOptions): Promise<DifySimulator> {
  const clock = options.clock ?? systemClock;
  const memory = createMemory({
    clock,
    createId: options.createId ?? randomUUID,
    behaviour: behaviourOf(options.version, options.behaviour),
    apps: options.apps,
    filesUrl: options.filesUrl ?? 'relative',
    ownOrigin: () => server.origin,
  });
  const { behaviour } = memory;
  const faults = createFaults<DifyApi, DifyFaultEffect>();
  const admit = createAdmission(memory);
  const forms = createForms(memory);
  const generate = createGeneration(memory, forms);
  const lookups = createLookups(memory);
  const opinions = createOpinions(memory);
  const uploads = createUploads(memory);
  const showRunEvents = createRunEvents(memory);
  const takeSlot = createSlots(behaviour);

  /** `player`: the run whose answer this is; none for what is not a run's. */
  const openStream = ({ response, request, fault }: Bare, player?: Player) => {
    const stream = { path: request.path, bytes: 0 };
    memory.openStreams.push(stream);
    request.status = 200;
    // Also when the client has gone before the stream began.
    void closed(response).then(() => {
      request.responseBytes = stream.bytes;
      memory.openStreams.splice(memory.openStreams.indexOf(stream), 1);
    });
    const { pingMs, silenceAfterErrorMs: silenceMs, closeMs, lateHeaders } = behaviour;
    const isEasy = player !== undefined && !isWorkflowBased(player.run);
    return openEventStream({
      response,
      clock,
      pingMs,
      closeMs,
      fault,
      stream,
      // Only the streams of workers go through a relay.
      silenceMs: isEasy ? 0 : silenceMs,
      lateHeaders: isEasy && lateHeaders,
      isWorking: () => player?.isWorking ?? true,
    });
  };

  /** A worker whose task died without a word: one ping, then silence (recorded). */
  const sendNothing = (exchange: Bare) => {
    const listener = openStream(exchange);
    listener.write(ping);
    listener.close('silence-then-eof');
  };

  /** A worker that failed before the run began: one frame, then silence (protocol 3.3). */
  const sendErrorFrame = (exchange: Bare, frame: Json) => {
    const listener = openStream(exchange);
    listener.write(Buffer.concat([ping, encodeEvent(frame, behaviour.style)]));
    listener.close(behaviour.silenceAfterErrorMs > 0 ? 'silence-then-eof' : 'eof');
  };

  const startRun = async (api: GenerationApi, exchange: Exchange): Promise<Refusal | undefined> => {
    const { app, key, body, response, fault } = exchange;
    const admission = admit(api, app, key, body);
    if (admission.kind === 'refused') return admission.refusal;
    if (admission.kind === 'nameless-error') {
      sendErrorFrame(exchange, { event: 'error', message: admission.message, status: 500 });
      return undefined;
    }
    if (admission.kind === 'silence') {
      sendNothing(exchange);
      return undefined;
    }
    const full = takeSlot(app, key, response);
    if (full) return full;
    const player = generate(api, app, key, admission, body, !response.closed);
    exchange.request.conversationId ??= player.run.conversationId;
    if (admission.isBlocking) {
      await player.done;
      return blockingAnswer(player.run, recordOf(recordOf(player.pauseEvents.at(-1))['data']));
    }
    if (fault?.kind === 'lost-response') {
      disconnect(memory, player);
      resetConnection(response);
      return undefined;
    }
    const listener = openStream(exchange, player);
    if (isWorkflowBased(player.run) && behaviour.firstPing && !player.isRecorded) listener.write(ping);
    const stopListening = player.listen(listener);
    // Also when the client has gone before the run began.
    void closed(response).then(() => {
      stopListening();
      disconnect(memory, player);
    });
    return undefined;
  };

  const dispatch = async (exchange: Exchange): Promise<Refusal | undefined> => {
    const { app, key, body, parts, query, response } = exchange;
    const { api, id } = exchange.route;
    switch (api) {
      case 'info':
        return answerJson(infoOf(app, behaviour));
      case 'parameters':
        return answerJson(parametersOf(app));
      case 'chat':
      case 'workflow':
      case 'completion':
        return startRun(api, exchange);
      case 'stop':
        return lookups.stop(app, key, exchange.request.path, id, body);
      case 'messages':
        return lookups.messages(app, key, query);
      case 'conversations':
        return lookups.conversationList(app, key, query);
      case 'deleteConversation':
        return lookups.deleteConversation(app, key, id, body);
      case 'runList':
        return lookups.runList(app, key, query);
      case 'runDetail':
        return lookups.runDetail(app, key, id);
      case 'runEvents':
        return showRunEvents({ app, key, runId: id, query, response, open: () => openStream(exchange) });
      case 'upload':
        return uploads.upload(app, key, parts);
      case 'speech':
        return uploads.transcribe(app, parts);
      case 'feedback':
        return opinions.rate(app, key, id, body);
      case 'suggested':
        return opinions.suggest(app, key, id, query);
      case 'form':
        return forms.show(key, id);
      case 'submitForm':
        return forms.submit(key, id, body);
      case 'file':
      case 'unknown':
        return unknownPath;
      default:
        return api satisfies never;
    }
  };

  /** What a fault does instead of, or before, the answer. True when nothing more is to be done. */
  const disturb = async (exchange: Bare): Promise<boolean> => {
    const { fault, response } = exchange;
    if (!fault) return false;
    if (fault.kind === 'hang') {
      await closed(response);
      return true;
    }
    if ('delayMs' in fault && fault.delayMs !== undefined) await sleep(clock, fault.delayMs);
    if (fault.kind === 'reset') {
      resetConnection(response);
      return true;
    }
    if (fault.kind === 'http') {
      send(exchange, recorded(fault.name));
      return true;
    }
    if (fault.kind === 'error-frame') {
      const { code, status = 500, message = '' } = fault;
      const frame = { event: 'error', ...(code === undefined ? {} : { code }), message, status };
      sendErrorFrame(exchange, frame);
      return true;
    }
    return false;
  };

  /** The links to files want no key, and must not get one (protocol 6.2). */
  const serveFile = async (exchange: Bare, query: URLSearchParams, isAuthorized: boolean) => {
    const { response, request, fault } = exchange;
    const { path } = request;
    if (isAuthorized) memory.blame('credentials-to-file-host', path);
    if (await disturb(exchange)) return;
    if (options.latencyMs) await sleep(clock, options.latencyMs);
    const file = memory.files.serve(path, query);
    if (fault?.kind === 'lost-response') resetConnection(response);
    else if (file.status !== 200) {
      const isForbidden = file.status === 403;
      const forbidden = refuse(403, 'forbidden', 'Invalid request.');
      send(exchange, isForbidden ? forbidden : refuse(404, 'not_found', 'File not found or signature is invalid'));
    } else {
      request.status = 200;
      request.responseBytes = sendFile(response, file, fault);
    }
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    // Recorded: on every answer.
    if (behaviour.xVersion !== null)
      response.setHeader('X-Version', behaviour.xVersion).setHeader('X-Env', 'PRODUCTION');
    const bytes = await readBody(incoming);
    const url = new URL(incoming.url ?? '/', server.origin);
    const method = incoming.method ?? 'GET';
    const authorization = incoming.headers.authorization;
    const key = authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : null;
    const route = matchRoute(method, url.pathname);
    const wantsParts = route.api === 'upload' || route.api === 'speech';
    const parts = wantsParts ? readMultipart(incoming.headers['content-type'], bytes) : [];
    const body = wantsParts ? describeParts(parts ?? []) : parseObject(bytes);
    const request: DifyRequest = {
      id: memory.createId(),
      api: route.api,
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: body ?? {},
      at: clock.now(),
      endedAt: null,
      status: null,
      key,
      user: textOrNull(body?.['user'] ?? url.searchParams.get('user')),
      conversationId: textOrNull(body?.['conversation_id'] ?? url.searchParams.get('conversation_id')),
      taskId: route.api === 'stop' ? route.id : null,
      fault: null,
      responseBytes: 0,
    };
    memory.requests.push(request);
    response.once('close', () => {
      request.endedAt = clock.now();
      memory.emit({ type: 'request', request });
    });

    if (route.api === 'file') {
      const fault = faults.next(route.api, {});
      request.fault = fault?.kind ?? null;
      await serveFile({ response, request, fault }, url.searchParams, authorization !== undefined);
      return;
    }
    // Before the key is looked at: an unknown path and a wrong method are refused by the router.
    if (route.api === 'unknown') {
      memory.blame('unknown-path', `${method} ${url.pathname}`);
      send({ response, request }, route.isWrongMethod === true ? wrongMethod : unknownPath);
      return;
    }
    const app = key === null ? undefined : memory.apps[key];
    if (key === null || !app) {
      send({ response, request }, unauthorized(authorization));
      return;
    }
    const isPost = method === 'POST' && !wantsParts;
    if (isPost && !(incoming.headers['content-type'] ?? '').startsWith('application/json')) {
      memory.blame('malformed-json', `${method} ${url.pathname} without its content type`);
      send({ response, request }, unsupportedMedia);
      return;
    }
    if (!body || (isPost && bytes.length === 0)) {
      memory.blame('malformed-json', `${method} ${url.pathname}`);
      send({ response, request }, parseJson(bytes.toString('utf8')) === undefined ? notJson : unknownError);
      return;
    }
    // What cannot be read has no files in it, as Dify sees it.
    if (!parts) memory.blame('invalid-body', `${method} ${url.pathname} wants multipart/form-data`);
    const fault = faults.next(route.api, body);
    request.fault = fault?.kind ?? null;
    const given = { body, parts: parts ?? [], query: url.searchParams };
    const exchange: Exchange = { route, app, key, ...given, response, request, fault };
    if (await disturb(exchange)) return;
    if (options.latencyMs) await sleep(clock, options.latencyMs);
    const answer = await dispatch(exchange);
    if (!answer) return;
    if (fault?.kind === 'lost-response') resetConnection(response);
    else send(exchange, answer);
  };

  const server = await startServer(handle, options.port);

  return {
    origin: server.origin,
    url: `${server.origin}/v1`,
    requests: memory.requests,
    runs: memory.runs,
    uploads: memory.uploads,
    openStreams: memory.openStreams,
    get queued() {
      return memory.workers.queued;
    },
    violations: memory.violations,
    faults,
    forgetConversation: (id) => void memory.conversations.delete(id),
    subscribe: (listener) => memory.subscribe(listener),
    clear(keep = 0) {
      for (const list of [memory.requests, memory.violations]) keepLast(list, keep);
      // A paused run goes on when its form is submitted.
      const isOpen = ({ status }: DifyRun) => status === 'running' || status === 'paused';
      const first = memory.runs.length - keep;
      const kept = memory.runs.filter((run, index) => index >= first || isOpen(run));
      memory.runs.splice(0, memory.runs.length, ...kept);
      for (const [id, { run }] of memory.players) if (!kept.includes(run)) memory.players.delete(id);
    },
    async close() {
      // A run that still waits for its next delta would keep the process alive.
      forms.close();
      for (const player of memory.players.values()) player.abort();
      await server.close();
    },
  };
}
