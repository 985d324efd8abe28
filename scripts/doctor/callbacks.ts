import * as z from 'zod';
import { nameOfApp } from '../../lib/dify/dify.ts';
import { BridgeError } from '../../lib/errors.ts';
import { reportOf, type StatusReport } from '../../lib/robot/status.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import { createUpstash } from '../../lib/state/redis/upstash.ts';
import type { RobotContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { ask } from './wire.ts';

/** What the store remembers of a robot. A deployment of an earlier version tells less. */
type Known = Pick<StatusReport, 'lastCallback'> & Partial<Pick<StatusReport, 'callbacks' | 'lastSweep'>>;

/** Later than a sweep of `npm run serve` (12 s), of QStash (2 minutes) and of a cron of each minute. */
const SWEEP_LATE_MS = 10 * 60_000;
/** The doctor may run far from the store. */
const FROM_AFAR_MS = 5_000;
/** As the doctor judges the clock of its own machine. */
const NOTABLE_MS = 5 * 60_000;

/** `GET ?status`; only what is looked at. */
const statusBody = z.object({
  robots: z.array(
    z.object({
      robot: z.string().nullish(),
      lastCallback: z.iso.datetime().nullish(),
      callbacks: z
        .array(
          z.object({
            door: z.enum(['http', 'card', 'stream']),
            last: z.iso.datetime(),
            clockOffsetMs: z.number().nullable(),
          }),
        )
        .optional(),
      lastSweep: z.iso.datetime().nullish(),
    }),
  ),
});

/** Whether DingTalk has ever called, and whether the sweep comes: the deployment tells it, or the store does. */
export async function checkCallbacks(context: RobotContext, say: Finder): Promise<Finding[]> {
  const { address, config, robot } = context;
  const isAsked = address !== null && config.cronSecret !== null && robot.dingtalk.connection === 'http';
  const known = isAsked ? await askDeployment(context, address, say) : await askStore(context);
  if (known === null) return address === null ? [] : [say.note('callbacksUnknown', address.href)];
  return 'level' in known ? [known] : judge(known, context, say);
}

async function askDeployment(
  { ports, config, robotName }: RobotContext,
  address: URL,
  say: Finder,
): Promise<Known | Finding> {
  const answer = await ask(ports.fetch, ports.clock, {
    url: `${address.href}?status`,
    headers: { authorization: `Bearer ${config.cronSecret ?? ''}` },
  });
  if (answer.kind === 'none') return say.warning('addressUnreachable', address.host, answer.reason);
  if (answer.status === 401) return say.warning('statusClosed');
  const robots = statusBody.safeParse(answer.json).data?.robots;
  const own = robots?.find(({ robot }) => (robot ?? null) === robotName);
  if (answer.status !== 200 || own?.lastCallback === undefined) return say.warning('statusUnclear', answer.status);
  const { lastCallback, callbacks, lastSweep } = own;
  return { lastCallback, ...(callbacks ? { callbacks } : {}), ...(lastSweep === undefined ? {} : { lastSweep }) };
}

/** Null without a store that others share, or where it does not answer: that is said elsewhere. */
async function askStore({ ports, config: { store }, robot }: RobotContext): Promise<Known | null> {
  if (store.kind === 'memory') return null;
  const runScript =
    store.kind === 'redis'
      ? ports.connectRedis(store.url)
      : createUpstash({ ...store, fetch: ports.fetch, clock: ports.clock, timeoutMs: FROM_AFAR_MS });
  try {
    const state = createRedisState(runScript, {
      clientId: robot.dingtalk.clientId,
      app: nameOfApp(robot.dify),
      time: null,
    });
    return await reportOf(robot, state, ports.clock.now());
  } catch (error) {
    if (error instanceof BridgeError) return null;
    throw error;
  }
}

function judge(known: Known, { address, robot, ports }: RobotContext, say: Finder): Finding[] {
  const { lastCallback, callbacks = [], lastSweep } = known;
  const { connection } = robot.dingtalk;
  const findings: Finding[] = [];
  if (lastCallback !== null) findings.push(say.ok('callbacksArrive', lastCallback));
  else if (connection === 'stream') findings.push(say.warning('streamNever'));
  else findings.push(say.warning('callbacksNever', address?.href ?? 'PUBLIC_URL/api/dingtalk'));
  const [newest] = callbacks.toSorted((a, b) => Date.parse(b.last) - Date.parse(a.last));
  if (newest && (newest.door === 'stream') !== (connection === 'stream')) {
    findings.push(say.warning('callbacksElsewhere', newest.door === 'stream' ? 'Stream' : 'HTTP', connection));
  }
  const offsetMs = newest?.clockOffsetMs ?? 0;
  if (Math.abs(offsetMs) > NOTABLE_MS) {
    findings.push(say.warning('functionClockOff', Math.round(Math.abs(offsetMs) / 60_000), offsetMs > 0));
  }
  if (lastSweep === undefined) return findings;
  const isLate = lastSweep === null || ports.clock.now() - Date.parse(lastSweep) > SWEEP_LATE_MS;
  return [...findings, isLate ? say.warning('sweepRare', lastSweep) : say.ok('sweepComes', lastSweep)];
}
