import { readBots } from './bots.ts';
import { deploymentSettings, STORE_PAIRS, type DeploymentValues } from './deployment-settings.ts';
import { robotConfig, type RobotConfig } from './robot.ts';
import { REQUIRED_OF_ROBOT, robotSettings } from './robot-settings.ts';
import { camelCase, readSettings, withDefaults, type ConfigProblem } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type StoreConfig =
  { kind: 'upstash'; url: string; token: string } | { kind: 'redis'; url: string } | { kind: 'memory' };

export interface Config {
  robots: readonly RobotConfig[];
  store: StoreConfig;
  logLevel: DeploymentValues['LOG_LEVEL'];
  /** Null: sweep and status are closed. */
  cronSecret: string | null;
  publicUrl: string;
  /** Opens a protected deployment to the function's calls to itself. */
  protectionBypass: string | null;
  /** How long one invocation may run, in milliseconds. Null: as long as the platform lets it. */
  maxDurationMs: number | null;
  port: number;
  host: string | null;
}

export type ConfigResult = { ok: true; config: Config } | { ok: false; problems: readonly ConfigProblem[] };

/** Reads the whole configuration. Names all variables that are missing or malformed at once. */
export function readConfig(env: Environment): ConfigResult {
  const problems: ConfigProblem[] = [];
  const lookup = (variable: string) => env[variable];
  const deployment = withDefaults(deploymentSettings, readSettings(deploymentSettings, lookup, problems));
  const flat = readSettings(robotSettings, lookup, problems);
  const robots: RobotConfig[] = [];
  const missing = REQUIRED_OF_ROBOT.filter((variable) => !isGiven(env, variable));
  if (missing.length === 0) {
    const robot = robotConfig(null, flat);
    if (robot) robots.push(robot);
  } else if (deployment.BOTS === null) {
    for (const variable of missing) problems.push({ variable, expected: 'a value; it is required' });
  }
  if (deployment.BOTS !== null) robots.push(...readBots(deployment.BOTS, flat, problems));
  refuseSharedConnections(robots, problems);
  const store = storeConfig(deployment, env, problems);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    config: {
      robots,
      store,
      logLevel: deployment.LOG_LEVEL,
      cronSecret: deployment.CRON_SECRET,
      publicUrl: deployment.PUBLIC_URL ?? platformUrl(env) ?? `http://127.0.0.1:${deployment.PORT}`,
      protectionBypass: env['VERCEL_AUTOMATION_BYPASS_SECRET'] || null,
      maxDurationMs: deployment.FUNCTION_MAX_DURATION_S === null ? null : deployment.FUNCTION_MAX_DURATION_S * 1000,
      port: deployment.PORT,
      host: deployment.HOST,
    },
  };
}

/** The name of a robot's setting, as the operator wrote it. */
export function placeOf(variable: string, robot: RobotConfig, robots: readonly RobotConfig[]): string {
  if (robot.name === null) return variable;
  const index = robots.filter(({ name }) => name !== null).indexOf(robot);
  return `BOTS[${index}].${camelCase(variable)}`;
}

/** Over a connection the client id is all that tells robots apart: DingTalk would spread the messages over both. */
function refuseSharedConnections(robots: readonly RobotConfig[], problems: ConfigProblem[]): void {
  const taken = new Set<string>();
  for (const robot of robots) {
    const { connection, clientId } = robot.dingtalk;
    if (connection !== 'stream') continue;
    if (taken.has(clientId)) {
      const expected = 'http, or another client ID: only one robot with stream can have the same one';
      problems.push({ variable: placeOf('DINGTALK_CONNECTION', robot, robots), expected });
    }
    taken.add(clientId);
  }
}

/** One line per problem, for a terminal or a 503. */
export function describeProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(({ variable, expected }) => `${variable}: expected ${expected}`).join('\n');
}

function platformUrl(env: Environment): string | null {
  const host = env['VERCEL_ENV'] === 'preview' ? env['VERCEL_URL'] : env['VERCEL_PROJECT_PRODUCTION_URL'];
  return host ? `https://${host}` : null;
}

/** Whether a variable has a value, malformed or not. */
const isGiven = (env: Environment, variable: string) => (env[variable] ?? '').trim() !== '';

function storeConfig(settings: DeploymentValues, env: Environment, problems: ConfigProblem[]): StoreConfig {
  for (const pair of STORE_PAIRS) {
    const given = pair.filter((variable) => isGiven(env, variable));
    if (given.length === 0) continue;
    for (const variable of pair.filter((name) => !given.includes(name))) {
      problems.push({ variable, expected: `a value, because ${given[0]} is set` });
    }
    const [url, token] = [settings[pair[0]], settings[pair[1]]];
    return url !== null && token !== null ? { kind: 'upstash', url, token } : { kind: 'memory' };
  }
  const onVercel = env['VERCEL'] !== undefined;
  // Vercel's Redis integrations set REDIS_URL by themselves, but the function uses the REST interface there.
  if (settings.REDIS_URL !== null && !onVercel) return { kind: 'redis', url: settings.REDIS_URL };
  if (onVercel) {
    for (const variable of STORE_PAIRS[0])
      problems.push({ variable, expected: 'a value; a store is required on Vercel' });
  }
  return { kind: 'memory' };
}
