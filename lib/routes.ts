import { BridgeError } from './errors.ts';

/** Which robot a request is for, and what it wants. */
export interface Route {
  /** The last part of the path; null for the default robot, which `BOTS` does not name. */
  robotName: string | null;
  /** A bare health check, one of the operator's routes, or a callback of DingTalk. */
  kind: 'health' | 'sweep' | 'status' | 'resume' | 'callback';
  /** Whether the query has more than a rewrite put there. The console's probe has none. */
  hasQuery: boolean;
}

const BASE_PATH = '/api/dingtalk';

/** The path at which DingTalk calls a robot. */
export function pathOf(robotName: string | null): string {
  return robotName === null ? BASE_PATH : `${BASE_PATH}/${robotName}`;
}

/** The parameter in which the rewrite of `vercel.json` passes the robot's name. */
const ROBOT_PARAMETER = 'robot';

/**
 * Reads the address of a request. Only the path names the robot: DingTalk's signatures do not cover the body, so the
 * body must not choose.
 *
 * @throws BridgeError `method_not_allowed` or `robot_unknown`.
 */
export function readRoute(method: string, url: URL, isRobot: (name: string | null) => boolean): Route {
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    throw new BridgeError('method_not_allowed', 'only GET, HEAD and POST are answered');
  }
  const robotName = readRobotName(url);
  const query = new URLSearchParams(url.search);
  query.delete(ROBOT_PARAMETER);
  const kind = routeKind(method, query);
  // On the flat path the health check and the operator's routes serve the whole deployment, not one robot.
  const needsRobot = robotName !== null || method === 'POST';
  if (needsRobot && !isRobot(robotName)) throw new BridgeError('robot_unknown', 'there is no such robot');
  return { robotName, kind, hasQuery: query.size > 0 };
}

function routeKind(method: string, query: URLSearchParams): Route['kind'] {
  if (method === 'GET' && query.has('sweep')) return 'sweep';
  if (method === 'GET' && query.has('status')) return 'status';
  if (method === 'POST') return query.has('resume') ? 'resume' : 'callback';
  return 'health';
}

function readRobotName(url: URL): string | null {
  const path = url.pathname.replace(/\/+$/, '');
  if (path !== BASE_PATH && !path.startsWith(`${BASE_PATH}/`)) {
    throw new BridgeError('robot_unknown', 'there is no such robot');
  }
  const inPath = path.slice(BASE_PATH.length + 1) || null;
  const inQuery = url.searchParams.getAll(ROBOT_PARAMETER);
  const names = new Set([...(inPath === null ? [] : [inPath]), ...inQuery.filter((name) => name !== '')]);
  if (names.size > 1) throw new BridgeError('robot_unknown', 'path and query name different robots');
  return [...names][0] ?? null;
}
