import { createDws, type DwsRobot } from '../setup/dws.ts';
import type { RobotContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';

/** What the console has of the robot. An app cannot ask for it; `dws` can, where a developer of the app is logged in. */
export async function checkConsole(context: RobotContext, say: Finder): Promise<Finding[]> {
  const robot = await askConsole(context);
  if (robot === null) return [say.note('consoleUnknown')];
  const { address, robot: config } = context;
  const { connection } = config.dingtalk;
  if (robot.status === 'OFFLINE' || robot.status === 'UNCONFIGURED') return [say.failed('robotOffline', robot.status)];
  const mode = connection === 'stream' ? 'STREAM' : 'HTTPS';
  if (robot.mode !== mode) return [say.failed('modeDiffers', robot.mode ?? '', connection)];
  if (connection === 'http' && address !== null && !isSame(robot.address, address)) {
    return [say.failed('consoleAddress', shown(robot.address), address.href)];
  }
  return [say.ok('consoleFine', mode)];
}

/** Null without `dws`, without a login, or for an app that the person may not see. It only reads. */
async function askConsole({ ports, robot }: RobotContext): Promise<DwsRobot | null> {
  if (!ports.runCommand) return null;
  const dws = createDws(ports.runCommand);
  if ((await dws.state()).kind !== 'ready') return null;
  const app = await dws.app(robot.dingtalk.clientId);
  return app && dws.robot(app);
}

const isSame = (found: string | null, expected: URL) =>
  URL.parse(found ?? '')?.href.replace(/\/$/, '') === expected.href.replace(/\/$/, '');

/** Without its query, which may hold a secret. */
function shown(address: string | null): string {
  const url = URL.parse(address ?? '');
  return url ? `${url.origin}${url.pathname}` : '';
}
