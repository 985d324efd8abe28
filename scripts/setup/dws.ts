import * as z from 'zod';
import { parseJson, readJson } from '../../lib/runtime/json.ts';
import type { Ended, RunCommand } from './command.ts';

/** The first version that answers `dev app` commands with an envelope (dws.md, section 3, 10). */
const LEAST_VERSION = [1, 0, 58] as const;

export type DwsState =
  | { kind: 'missing' }
  | { kind: 'old'; version: string }
  | { kind: 'loggedOut' }
  | { kind: 'ready'; organisation: string; userId: string | null };

/** What became of one command. `data` is what its envelope holds. */
export type DwsResult =
  | { kind: 'done'; data: unknown }
  /** Exit 0 and not done: an approver is to be chosen, or the version is in review. */
  | { kind: 'pending'; data: unknown }
  /** Exit 4: the person has to consent, on the page at this link. */
  | { kind: 'consent'; link: string | null }
  | { kind: 'failed'; exitCode: number | null; reason: string };

export interface DwsApp {
  unifiedAppId: string;
  name: string;
}

export interface DwsPermission {
  scope: string;
  isGranted: boolean;
  needsApproval: boolean;
}

export interface DwsRobot {
  status: string;
  mode: string | null;
  address: string | null;
  name: string | null;
}

/** How a version stands; `waits` while its approver has not decided. */
export type VersionState = 'released' | 'waits' | 'open' | 'refused' | 'unknown';

const text = z.string().min(1);
const envelope = z.looseObject({ ok: z.boolean().optional(), outcome: z.string().optional(), data: z.unknown() });
const versionBody = z.looseObject({ version: text });
const authBody = z.looseObject({
  authenticated: z.boolean().nullish(),
  token_valid: z.boolean().nullish(),
  corp_id: z.string().nullish(),
  corp_name: z.string().nullish(),
  user_id: z.string().nullish(),
});
// The answer may hold the app's secret: only these two fields are read, and none of it is shown or kept.
const appBody = z.object({ unifiedAppId: text, name: z.string().nullish() });
const permissionsBody = z.object({
  items: z.array(
    z.object({ scopeValue: text, authed: z.boolean().nullish(), requiredApproval: z.boolean().nullish() }),
  ),
});
const pageBody = z.object({
  meta: z.object({ pagination: z.object({ next_token: z.string().nullish() }).nullish() }).nullish(),
});
const robotBody = z.object({
  robotStatus: z.string().nullish(),
  mode: z.string().nullish(),
  outgoingUrl: z.string().nullish(),
  name: z.string().nullish(),
});
const consentBody = z.looseObject({ data: z.looseObject({ uri: z.string() }) });
const errorBody = z.looseObject({ error: z.looseObject({ message: z.string() }) });
const statusBody = z.object({ versionStatus: z.string().nullish(), processStatus: z.string().nullish() });

export interface Dws {
  state(): Promise<DwsState>;
  /** Null: not in this organisation, or the person has no developer's rights there. */
  app(clientId: string): Promise<DwsApp | null>;
  permissions(app: DwsApp): Promise<DwsPermission[] | null>;
  robot(app: DwsApp): Promise<DwsRobot | null>;
  approval(app: DwsApp, versionId: string): Promise<unknown>;
  version(app: DwsApp, versionId: string): Promise<VersionState>;
  /** A command that changes something. `args` are exactly what the person has agreed to. */
  change(args: readonly string[]): Promise<DwsResult>;
}

const JSON_FORMAT = ['--format', 'json'];

/** DingTalk's command line tool, as far as set-up uses it. Never called: `auth logout`, `credentials get`, `robot result`. */
export function createDws(run: RunCommand): Dws {
  const call = async (args: readonly string[]) => resultOf(await run('dws', [...args, ...JSON_FORMAT]));
  /** The data of a command that only reads; null where it has none. */
  const read = async <T>(args: readonly string[], shape: z.ZodType<T>): Promise<T | null> => {
    const result = await call(['dev', 'app', ...args]);
    return result.kind === 'done' ? (shape.safeParse(result.data).data ?? null) : null;
  };
  return {
    async state() {
      const versioned = await run('dws', ['version', ...JSON_FORMAT]);
      if (versioned.code === null) return { kind: 'missing' };
      const version = readJson(versionBody, versioned.stdout)?.version ?? '';
      if (!isRecent(version)) return { kind: 'old', version };
      const auth = await run('dws', ['auth', 'status', ...JSON_FORMAT]);
      // It ends with 0 whether or not a person is logged in.
      const known = readJson(authBody, auth.stdout);
      if (known?.authenticated !== true || known.token_valid !== true) return { kind: 'loggedOut' };
      return { kind: 'ready', organisation: known.corp_name || known.corp_id || '?', userId: known.user_id || null };
    },
    async app(clientId) {
      const app = await read(['get', '--app-key', clientId], appBody);
      return app && { unifiedAppId: app.unifiedAppId, name: app.name || clientId };
    },
    async permissions({ unifiedAppId }) {
      const all: DwsPermission[] = [];
      for (let cursor: string | null = null; ;) {
        const page = cursor === null ? [] : ['--cursor', cursor];
        const args = [
          'permission',
          'list',
          '--unified-app-id',
          unifiedAppId,
          '--auth-status',
          'ALL',
          '--page-size',
          '50',
        ];
        const ended = await run('dws', ['dev', 'app', ...args, ...page, ...JSON_FORMAT]);
        const result = resultOf(ended);
        const items = result.kind === 'done' ? permissionsBody.safeParse(result.data).data?.items : undefined;
        if (!items) return all.length > 0 ? all : null;
        for (const { scopeValue, authed, requiredApproval } of items) {
          all.push({ scope: scopeValue, isGranted: authed === true, needsApproval: requiredApproval === true });
        }
        const next: string | null = readJson(pageBody, ended.stdout)?.meta?.pagination?.next_token || null;
        if (next === null || next === cursor) return all;
        cursor = next;
      }
    },
    async robot({ unifiedAppId }) {
      const robot = await read(['robot', 'get', '--unified-app-id', unifiedAppId], robotBody);
      return (
        robot && {
          status: robot.robotStatus ?? 'UNCONFIGURED',
          mode: robot.mode ?? null,
          address: robot.outgoingUrl ?? null,
          name: robot.name ?? null,
        }
      );
    },
    async approval({ unifiedAppId }, versionId) {
      return read(
        ['version', 'check-approval', '--unified-app-id', unifiedAppId, '--version-id', versionId],
        z.unknown(),
      );
    },
    async version({ unifiedAppId }, versionId) {
      const known = await read(
        ['version', 'status', '--unified-app-id', unifiedAppId, '--version-id', versionId],
        statusBody,
      );
      if (!known) return 'unknown';
      if (known.versionStatus === 'RELEASE') return 'released';
      if (/^(?:FAIL|WITHDRAW|CANCEL|PUBLISH_FAILED)$/.test(known.processStatus ?? '')) return 'refused';
      if (known.versionStatus === 'AUDIT' || known.processStatus === 'UNDER_REVIEW') return 'waits';
      return known.versionStatus === 'INIT' ? 'open' : 'unknown';
    },
    change: (args) => call(args),
  };
}

function resultOf({ code, stdout, stderr }: Ended): DwsResult {
  if (code === 4) {
    const uri = readJson(consentBody, stderr)?.data.uri ?? null;
    return { kind: 'consent', link: URL.parse(uri ?? '')?.protocol === 'https:' ? uri : null };
  }
  const json = parseJson(stdout);
  const read = envelope.safeParse(json);
  if (code !== 0 || !read.success || read.data.ok === false) {
    // Older shapes say on stderr what is wrong.
    const reason = readJson(errorBody, stdout) ?? readJson(errorBody, stderr);
    return { kind: 'failed', exitCode: code, reason: reason?.error.message ?? '' };
  }
  const data = read.data.data ?? json;
  return { kind: read.data.outcome === 'pending' ? 'pending' : 'done', data };
}

function isRecent(version: string): boolean {
  const numbers = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
  for (const [index, least] of LEAST_VERSION.entries()) {
    const number = numbers[index] ?? -1;
    if (number !== least) return number > least;
  }
  return true;
}
