import type { DeploymentContext, RobotContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';

/** `engines` of package.json. */
const NODE_MAJOR = 24;
/** Of Vercel's plans: the default, and the most without a beta feature (platform's limits page). */
const HOBBY_S = 300;
const PRO_S = 800;
/** Shorter than many answers take. */
const SHORT_S = 60;

const MINUTE_MS = 60_000;
/** DingTalk's rule for signatures (robot message types page). */
const REFUSED_AFTER_MS = 60 * MINUTE_MS;
const NOTABLE_MS = 5 * MINUTE_MS;

export function checkNode({ ports: { nodeVersion } }: DeploymentContext, say: Finder): Finding[] {
  const major = Number(/^v?(\d+)/.exec(nodeVersion)?.[1]);
  if (!(major >= NODE_MAJOR)) return [say.failed('nodeTooOld', nodeVersion)];
  return [major === NODE_MAJOR ? say.ok('nodeFine', nodeVersion) : say.warning('nodeUntried', nodeVersion)];
}

export function checkLimits({ config }: DeploymentContext, say: Finder): Finding[] {
  if (!config || config.maxDurationMs === null) return [say.note('limitUnset')];
  const seconds = config.maxDurationMs / 1000;
  if (seconds < SHORT_S) return [say.warning('limitShort', seconds)];
  if (seconds > PRO_S) return [say.warning('limitAboveAll', seconds)];
  return [seconds > HOBBY_S ? say.warning('limitAboveHobby', seconds) : say.ok('limitFine', seconds)];
}

/** Against DingTalk's time, for its signatures are what a wrong clock breaks; Dify's where DingTalk gave none. */
export function checkClock({ robot, dates }: RobotContext, say: Finder): Finding[] {
  const hosts = [robot.dingtalk.apiUrl, robot.dify.apiUrl].map((url) => new URL(url).host);
  const host = hosts.find((candidate) => dates.offsetOf(candidate) !== null);
  const offsetMs = host === undefined ? null : dates.offsetOf(host);
  if (host === undefined || offsetMs === null) return [say.note('clockUnknown')];
  const minutes = Math.round(Math.abs(offsetMs) / MINUTE_MS);
  if (Math.abs(offsetMs) > REFUSED_AFTER_MS) return [say.failed('clockWrong', minutes, offsetMs < 0)];
  if (Math.abs(offsetMs) > NOTABLE_MS) return [say.warning('clockOff', minutes, offsetMs < 0)];
  return [say.ok('clockFine', host)];
}
