// `dws` of 1.0.59, played by what dws.md saw of the real one.
import { createLeave, Left, type Output } from './program.ts';

export interface DwsWorld {
  version: string;
  loggedIn: boolean;
  organisation: string;
  userId: string;
  app: { appKey: string; appSecret: string; name: string; unifiedAppId: string } | null;
  permissions: Record<string, { authed: boolean; requiredApproval?: boolean }>;
  robot: { status: string; mode: string | null; url: string | null; name: string | null };
  /** Whether `robot get` tells the address. */
  tellsAddress: boolean;
  versions: { id: string; status: string; process: string }[];
  approver: { label: string; userId: string } | null;
  /** The publication is answered without ids: exit 5 although it was submitted. */
  withoutIds?: boolean;
  /** Writes want consent until so many were refused. */
  consents: number;
  /** Every call, for the test. */
  log: string;
}

const FLAGS: Record<string, string[]> = {
  version: [],
  'auth status': [],
  'dev app get': ['app-key', 'unified-app-id'],
  'dev app permission list': ['unified-app-id', 'auth-status', 'page-size', 'cursor'],
  'dev app permission add': ['unified-app-id', 'scope-values', 'yes'],
  'dev app robot get': ['unified-app-id'],
  'dev app robot config': ['unified-app-id', 'name', 'brief', 'desc', 'mode', 'outgoing-url', 'yes'],
  'dev app robot enable': ['unified-app-id', 'yes'],
  'dev app version create': ['unified-app-id', 'desc', 'yes'],
  'dev app version check-approval': ['unified-app-id', 'version-id'],
  'dev app version publish': ['unified-app-id', 'version-id', 'approver-user-id', 'confirmed-sensitive', 'yes'],
  'dev app version status': ['unified-app-id', 'version-id'],
};

const takesValue = (flag: string | undefined) => flag?.startsWith('--') === true && flag !== '--yes';

/** One run of the program. It changes `world`. */
export function playDws(world: DwsWorld, args: readonly string[]): Output {
  try {
    return run(world, args);
  } catch (left) {
    if (left instanceof Left) return left.output;
    throw left;
  }
}

function run(world: DwsWorld, args: readonly string[]): never {
  const leave: (code: number, out: unknown, errors?: unknown) => never = (code, out, errors) =>
    createLeave(
      code,
      out === null ? '' : `${JSON.stringify(out)}\n`,
      errors === undefined ? '' : `${JSON.stringify(errors)}\n`,
    );
  const words = args.filter((arg, index) => !arg.startsWith('--') && !takesValue(args[index - 1]));
  const flag = (name: string): string | null => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? null : (args[at + 1] ?? null);
  };
  const command = words.join(' ');

  const known = FLAGS[command];
  if (!known || flag('format') !== 'json')
    return leave(3, null, { error: { category: 'validation', code: 3, message: `unknown: ${command}` } });
  for (const arg of args) {
    if (arg.startsWith('--') && arg !== '--format' && !known.includes(arg.slice(2)))
      return leave(3, null, { error: { message: `unknown flag ${arg}` } });
  }

  const envelope = (data: unknown, outcome = 'success', meta: object = {}) => ({ ok: true, outcome, data, meta });
  if (command === 'version') return leave(0, { version: world.version });
  // It always ends with 0.
  if (command === 'auth status') {
    leave(
      0,
      world.loggedIn
        ? {
            authenticated: true,
            token_valid: true,
            corp_id: 'dingcorp0001',
            corp_name: world.organisation,
            user_id: world.userId,
          }
        : { authenticated: false, token_valid: false },
    );
  }
  if (!world.loggedIn)
    return leave(5, {
      ok: false,
      outcome: 'failure',
      error: { type: 'internal', exit_code: 5, message: 'not logged in' },
    });
  const isWrite = known.includes('yes');
  if (isWrite && !args.includes('--yes'))
    return leave(3, { ok: false, outcome: 'failure', error: { message: 'confirmation required' } });
  if (isWrite && world.consents > 0) {
    world.consents -= 1;
    return leave(4, null, { code: 'PAT_CONSENT_REQUIRED', data: { uri: 'https://login.dingtalk.com/consent?id=1' } });
  }
  const { app } = world;
  const isOurs = app !== null && (flag('app-key') === null || flag('app-key') === app.appKey);
  const idIsOurs = app !== null && (flag('unified-app-id') === null || flag('unified-app-id') === app.unifiedAppId);
  if (!isOurs || !idIsOurs)
    return leave(1, { ok: false, outcome: 'failure', error: { type: 'api', exit_code: 1, message: 'app not found' } });
  const version = world.versions.find(({ id }) => id === flag('version-id'));

  switch (command) {
    // The secret is printed whole.
    case 'dev app get':
      leave(
        0,
        envelope({
          unifiedAppId: app.unifiedAppId,
          appKey: app.appKey,
          appSecret: app.appSecret,
          name: app.name,
          appStatus: 'normal',
        }),
      );
    case 'dev app permission list': {
      const all = Object.entries(world.permissions).map(([scopeValue, rest]) => ({ scopeValue, ...rest }));
      const from = Number(flag('cursor') ?? 0);
      if (Number(flag('page-size') ?? 51) > 50) return leave(3, { ok: false, error: { message: 'page size' } });
      const next = from + 2 < all.length ? String(from + 2) : null;
      return leave(0, envelope({ items: all.slice(from, from + 2) }, 'success', { pagination: { next_token: next } }));
    }
    case 'dev app permission add': {
      const scopes = (flag('scope-values') ?? '').split(',');
      for (const scope of scopes) {
        const permission = world.permissions[scope];
        if (!permission) return leave(1, { ok: false, outcome: 'failure', error: { message: 'scope not applicable' } });
        permission.authed = permission.requiredApproval !== true;
      }
      return leave(0, envelope({ success: true }));
    }
    case 'dev app robot get': {
      const { status, mode, url, name } = world.robot;
      leave(
        0,
        envelope({
          robotStatus: status,
          mode,
          robotCode: app.appKey,
          name,
          configured: status !== 'UNCONFIGURED',
          ...(world.tellsAddress ? { outgoingUrl: url } : {}),
        }),
      );
    }
    case 'dev app robot config': {
      const url = flag('outgoing-url');
      if (flag('mode') === 'HTTPS' && !url?.startsWith('https://'))
        return leave(3, { ok: false, error: { message: 'outgoing url' } });
      world.robot = { status: 'OFFLINE', mode: flag('mode'), url, name: flag('name') };
      return leave(0, envelope({ success: true, operation: 'UPDATED', robotStatus: 'OFFLINE', configured: true }));
    }
    case 'dev app robot enable':
      world.robot.status = 'ONLINE';
      return leave(0, envelope({ success: true }));
    case 'dev app version create': {
      const id = `ver-${world.versions.length + 1}`;
      world.versions.push({ id, status: 'INIT', process: '' });
      return leave(0, envelope({ versionId: id, version: `1.0.${world.versions.length}`, versionStatus: 'INIT' }));
    }
    case 'dev app version check-approval':
      if (!version) return leave(1, { ok: false, error: { message: 'no such version' } });
      leave(
        0,
        envelope({
          requiresApproval: world.approver !== null,
          publishable: true,
          ...(world.approver ? { approvalMode: 'SELECT_APPROVER', approvalOptions: [world.approver] } : {}),
        }),
      );
    case 'dev app version publish':
      if (!version) return leave(1, { ok: false, error: { message: 'no such version' } });
      if (version.status === 'AUDIT') return leave(1, { ok: false, error: { message: 'in review already' } });
      // An approver is to be chosen first: pending, with exit 0, and nothing is published.
      if (world.approver && flag('approver-user-id') !== world.approver.userId)
        return leave(0, envelope({ approvalRequired: true }, 'pending'));
      if (world.approver) {
        Object.assign(version, { status: 'AUDIT', process: 'UNDER_REVIEW' });
        if (world.withoutIds)
          return leave(5, {
            ok: false,
            outcome: 'failure',
            error: { type: 'internal', exit_code: 5, message: 'missing a recovery command' },
          });
        return leave(0, envelope({ approvalSubmitted: true, processId: 'p-1' }, 'pending'));
      }
      version.status = 'RELEASE';
      return leave(0, envelope({ published: true }));
    case 'dev app version status':
      if (!version) return leave(1, { ok: false, error: { message: 'no such version' } });
      leave(
        0,
        envelope({
          versionStatus: version.status,
          ...(version.process === '' ? {} : { processStatus: version.process }),
        }),
      );
    default:
      return leave(3, null);
  }
}
