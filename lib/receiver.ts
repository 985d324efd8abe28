import { readCallback } from './dingtalk/callback.ts';
import { cardUpdateBody, readCardAction } from './dingtalk/card-action.ts';
import { isCardCallback, verifyCardSignature, verifyRobotSignature } from './dingtalk/signature.ts';
import type { Callbacks } from './dingtalk/stream/connection.ts';
import type { AckCode } from './dingtalk/stream/frames.ts';
import type { StreamStatus } from './dingtalk/stream/stream.ts';
import { BridgeError, REQUEST_ERROR_STATUS, type RequestErrorCode } from './errors.ts';
import { bodyTooLarge, isEmpty, MAX_BODY_BYTES, readBody } from './net/request-body.ts';
import type { ReceivingRobot, SweepCounts } from './robot/robot.ts';
import { readRoute } from './routes.ts';
import type { Acknowledgements } from './runtime/acknowledgements.ts';
import type { Clock } from './runtime/clock.ts';
import { errorFields, type Log } from './runtime/log.ts';
import type { Platform } from './runtime/platform.ts';
import { equalInConstantTime } from './runtime/secrets.ts';
import type { Arrival } from './state/arrival.ts';

export interface ReceiverOptions {
  robots: ReadonlyMap<string | null, ReceivingRobot>;
  /** Opens the operator's routes; null keeps them closed. */
  cronSecret: string | null;
  /** Of a robot's Stream connection; null where there is none in this process. */
  streamStatus?: (robotName: string | null) => StreamStatus | null;
  acknowledgements: Acknowledgements;
  clock: Clock;
  log: Log;
}

const NOT_KEPT = { 'cache-control': 'no-store' };

/** Turns requests into work. The way to the 200 is quick: its only wait is one round trip to the store. */
export function createReceiver(options: ReceiverOptions) {
  const { robots, cronSecret, streamStatus, acknowledgements, clock, log } = options;
  return async function receive(request: Request, platform: Platform): Promise<Response> {
    try {
      return await acknowledgements.during(() => answer(request, platform));
    } catch (error) {
      const refusal = refusalOf(error, log);
      return refusal ? refuse(refusal.code, refusal.message) : text(500, 'internal error');
    }
  };

  async function answer(request: Request, platform: Platform): Promise<Response> {
    const route = readRoute(request.method, new URL(request.url), (name) => robots.has(name));
    if (route.kind === 'health') return text(200, 'ok: the DingTalk callback of Dify on DingTalk');
    if (route.kind === 'sweep') return sweep(request.headers, route.robotName, platform);
    if (route.kind === 'status') return status(request.headers, route.robotName);
    const robot = robots.get(route.robotName);
    if (!robot) throw new BridgeError('robot_unknown', 'there is no such robot');
    if (robot.config.dingtalk.connection === 'stream') {
      throw new BridgeError('robot_unknown', 'this robot gets its messages over a Stream connection');
    }
    if (route.kind === 'resume') return resume(robot, request, platform);
    const isPress = isCardCallback(request.headers);
    const verify = isPress ? verifyCardSignature : verifyRobotSignature;
    let sentAtMs: number;
    try {
      sentAtMs = verify(request.headers, robot.config.dingtalk.clientSecrets, clock.now());
    } catch (error) {
      // DingTalk's console probes the address when an operator saves it: without a body and unsigned.
      if (!route.hasQuery && (await isEmpty(request))) return text(200, 'ok');
      throw error;
    }
    const body = await readBody(request);
    if (body === '' && !route.hasQuery) return text(200, 'ok');
    const arrival = arrivalOf(isPress ? 'card' : 'http', sentAtMs, clock);
    const circumstances = { platform, arrival, acknowledgements, log };
    if (isPress) return Response.json(await act(robot, body, circumstances));
    await receiveCallback(robot, body, circumstances);
    return Response.json({ msgtype: 'empty' });
  }

  async function resume(robot: ReceivingRobot, request: Request, platform: Platform): Promise<Response> {
    // The signature covers the body. The bridge sends no body that is too large, so such a request is not signed.
    const handover = await readBody(request).catch(() => '');
    const work = await robot.resume(request.headers, handover, platform);
    if (work) acknowledgements.begin(work, platform);
    return Response.json({ resumed: work !== null });
  }

  /** The flat path sweeps all robots, because a schedule has one address. */
  async function sweep(headers: Headers, robotName: string | null, platform: Platform): Promise<Response> {
    checkOperator(headers);
    return Response.json(await sweepRobots(robots, robotName, platform));
  }

  /** Counts and codes only, for each robot. */
  async function status(headers: Headers, robotName: string | null): Promise<Response> {
    checkOperator(headers);
    const nowMs = clock.now();
    const chosen = [...robots].filter(([name]) => robotName === null || name === robotName);
    try {
      const found = await Promise.all(
        chosen.map(async ([name, robot]) => ({
          robot: name,
          ...(await robot.status(nowMs)),
          ...connectionOf(robot, streamStatus?.(name) ?? null),
        })),
      );
      return Response.json({ at: new Date(nowMs).toISOString(), robots: found }, { headers: NOT_KEPT });
    } catch (error) {
      log.error('request_failed', errorFields(error));
      return text(503, 'the store cannot be reached');
    }
  }

  /** @throws BridgeError `route_closed`. */
  function checkOperator(headers: Headers): void {
    const expected = `Bearer ${cronSecret ?? ''}`;
    if (cronSecret === null || !equalInConstantTime(expected, headers.get('authorization') ?? '')) {
      throw new BridgeError('route_closed', 'not authorised');
    }
  }
}

interface Circumstances {
  platform: Platform;
  arrival: Arrival;
  acknowledgements: Acknowledgements;
  log: Log;
}

/** Puts a message on record and begins to answer it. @throws BridgeError `body_invalid`. */
async function receiveCallback(
  robot: ReceivingRobot,
  body: string,
  { platform, arrival, acknowledgements, log }: Circumstances,
): Promise<void> {
  const { name, dingtalk } = robot.config;
  const callback = readCallback(body);
  if (callback.robotCode !== null && callback.robotCode !== dingtalk.robotCode) {
    log.warn('message_ignored', { code: 'robot_code_mismatch', robot: name });
  } else if (callback.kind === 'quota-notice') {
    log.error('message_without_text', { code: 'dingtalk_inbound_quota', robot: name });
  } else {
    const work = await robot.accept(callback, platform, arrival);
    if (work) acknowledgements.begin(work, platform);
  }
}

function arrivalOf(door: Arrival['door'], sentAtMs: number | null, clock: Clock): Arrival {
  const atMs = clock.now();
  return { door, atMs, offsetMs: sentAtMs === null ? null : Math.round(atMs - sentAtMs) };
}

/** Does what a press asks for; resolves with what DingTalk changes on the card. @throws BridgeError `body_invalid`. */
async function act(
  robot: ReceivingRobot,
  body: string,
  { platform, arrival, acknowledgements }: Circumstances,
): Promise<object> {
  const { update, shared, work } = await robot.act(readCardAction(body), platform, arrival);
  if (work) acknowledgements.begin(work, platform);
  return cardUpdateBody(update, shared);
}

/**
 * The same for what comes over a robot's Stream connection. Nothing is signed there: the connection was opened with the
 * client secret, and brings the messages of that app only.
 */
export function receiveFrames(
  robot: ReceivingRobot,
  { clock, ...ports }: Omit<Circumstances, 'arrival'> & { clock: Clock },
): Callbacks {
  const { acknowledgements, log } = ports;

  /** Null when `work` failed; `code` is then what DingTalk is told. */
  async function attempt<T>(body: string, work: () => Promise<T>): Promise<{ code: AckCode; result: T | null }> {
    try {
      if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw bodyTooLarge();
      return { code: 200, result: await acknowledgements.during(work) };
    } catch (error) {
      return { code: refusalOf(error, log) ? 400 : 500, result: null };
    }
  }

  return {
    async message(body, sentAtMs) {
      const arrival = arrivalOf('stream', sentAtMs, clock);
      return (await attempt(body, () => receiveCallback(robot, body, { ...ports, arrival }))).code;
    },
    async press(body, sentAtMs) {
      const arrival = arrivalOf('stream', sentAtMs, clock);
      const { code, result } = await attempt(body, () => act(robot, body, { ...ports, arrival }));
      return { code, response: result ?? {} };
    },
  };
}

/** What the sender did wrong; null for a fault of ours. Either is logged. */
function refusalOf(error: unknown, log: Log): { code: RequestErrorCode; message: string } | null {
  if (error instanceof BridgeError && error.code in REQUEST_ERROR_STATUS) {
    log.warn('request_refused', { code: error.code });
    return { code: error.code as RequestErrorCode, message: error.message };
  }
  log.error('request_failed', errorFields(error));
  return null;
}

/** Of a robot that has a Stream connection. With several processes each tells of its own connection only. */
function connectionOf({ config }: ReceivingRobot, stream: StreamStatus | null): object {
  if (config.dingtalk.connection === 'http') return {};
  const { openSinceMs = null, remade = 0, failure = null } = stream ?? {};
  const openSince = openSinceMs === null ? null : new Date(openSinceMs).toISOString();
  return { stream: { openSince, remade, failure } };
}

/** Takes over the overdue turns of one robot, or of all of them. */
export async function sweepRobots(
  robots: ReadonlyMap<string | null, ReceivingRobot>,
  robotName: string | null,
  platform: Platform,
): Promise<SweepCounts> {
  const counts = { overdue: 0, takenOver: 0 };
  for (const [name, robot] of robots) {
    if (robotName !== null && name !== robotName) continue;
    const { overdue, takenOver } = await robot.sweep(platform);
    counts.overdue += overdue;
    counts.takenOver += takenOver;
  }
  return counts;
}

function refuse(code: RequestErrorCode, reason: string): Response {
  const headers = code === 'method_not_allowed' ? { allow: 'GET, HEAD, POST' } : {};
  return text(REQUEST_ERROR_STATUS[code], reason, headers);
}

function text(status: number, line: string, headers: Record<string, string> = {}): Response {
  return new Response(`${line}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } });
}
