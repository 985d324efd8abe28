import { pathOf } from '../../../lib/routes.ts';
import type { Dws, DwsApp, DwsPermission, DwsRobot } from '../dws.ts';
import type { Draft } from '../draft.ts';
import { scopesOf, type Where } from './road.ts';

const JSON_FORMAT = ['--format', 'json'];

/** What the console is to hold. */
export interface Wanted {
  mode: 'HTTPS' | 'STREAM';
  /** Null in Stream mode. */
  address: string | null;
  scopes: readonly string[];
}

/** What the console holds, as far as `dws` tells it. */
export interface Found {
  robot: DwsRobot;
  permissions: readonly DwsPermission[];
}

/** Null: HTTP mode, and no public address is known yet. */
export function wantedOf(draft: Draft, where: Where): Wanted | null {
  const scopes = scopesOf(draft);
  if (where === 'stream') return { mode: 'STREAM', address: null, scopes };
  const origin = draft.get('PUBLIC_URL');
  return origin === '' ? null : { mode: 'HTTPS', address: `${origin}${pathOf(null)}`, scopes };
}

/** Null: something could not be read, so nothing may be changed. */
export async function readConsole(dws: Dws, app: DwsApp): Promise<Found | null> {
  const [permissions, robot] = [await dws.permissions(app), await dws.robot(app)];
  return permissions && robot ? { permissions, robot } : null;
}

/** `known`: the mode and address that an earlier run has set and read back; DingTalk may not tell the address. */
export function isRobotRight({ robot }: Found, wanted: Wanted, known: string): boolean {
  if (robot.mode !== wanted.mode || robot.status === 'UNCONFIGURED') return false;
  if (wanted.address === null) return true;
  return robot.address === null ? known === robotNote(wanted) : robot.address === wanted.address;
}

export const robotNote = ({ mode, address }: Wanted): string => `${mode} ${address ?? ''}`.trim();

/** Offered by DingTalk and not granted; only such are applied for. */
export const missingScopes = ({ permissions }: Found, { scopes }: Wanted): string[] =>
  scopes.filter((scope) => permissions.some((permission) => permission.scope === scope && !permission.isGranted));

export const unlistedScopes = ({ permissions }: Found, { scopes }: Wanted): string[] =>
  scopes.filter((scope) => permissions.every((permission) => permission.scope !== scope));

export interface Plan {
  robot: string[][];
  /** Run only where the robot is still off after the others. */
  enable: string[] | null;
  version: string[];
}

/** The commands that lead from what is found to what is wanted, in their order. */
export function planOf(app: DwsApp, found: Found, wanted: Wanted, known: string): Plan {
  const of = (...args: string[]) => ['dev', 'app', ...args, '--yes', ...JSON_FORMAT];
  const id = ['--unified-app-id', app.unifiedAppId];
  const scopes = missingScopes(found, wanted);
  const name = found.robot.name ?? app.name;
  const mode = ['--mode', wanted.mode, ...(wanted.address === null ? [] : ['--outgoing-url', wanted.address])];
  const robot = [
    ...(isRobotRight(found, wanted, known)
      ? []
      : [of('robot', 'config', ...id, '--name', name, '--brief', 'Dify', '--desc', `${name} (Dify)`, ...mode)]),
    ...(scopes.length > 0 ? [of('permission', 'add', ...id, '--scope-values', scopes.join(','))] : []),
  ];
  const enable = robot.length > 0 || found.robot.status === 'OFFLINE' ? of('robot', 'enable', ...id) : null;
  return { robot, enable, version: of('version', 'create', ...id, '--desc', 'Dify') };
}

export function publishArgs(app: DwsApp, versionId: string, approver: string | null): string[] {
  const chosen = approver === null ? [] : ['--approver-user-id', approver];
  const id = ['--unified-app-id', app.unifiedAppId, '--version-id', versionId];
  return ['dev', 'app', 'version', 'publish', ...id, ...chosen, '--yes', ...JSON_FORMAT];
}
