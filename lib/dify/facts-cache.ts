import type { AppType, DifyConfig } from '../config/robot.ts';
import { turnErrorCode } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { readAppName, readAppType, readParameters, type AppFacts } from './app-facts.ts';
import { acceptedJson, wasRefused, type DifyHttp } from './http.ts';
import { readVersion } from './version.ts';

/** What this instance knows of its Dify app. */
export interface FactsCache {
  /** Never rejects: without an answer of Dify the app counts as a chat app, of unknown type and without inputs. */
  facts(): Promise<AppFacts>;
  /**
   * What the app is called in Dify, as far as it is known now; else empty. Asks nothing. Where the type is configured, Dify
   * is not asked for it either.
   */
  knownName(): string;
  /** Dify refused the question because the app is of another type. Returns the next type to try, or null. */
  correctType(wrong: AppType): AppType | null;
}

const KEPT_MS = 600_000;

/** After a failed lookup: the configured or assumed type serves for this long. */
const KEPT_AFTER_FAILURE_MS = 30_000;

const LOOKUP_TIMEOUT_MS = 5_000;

const NEXT_TYPE: Readonly<Record<AppType, AppType | null>> = {
  chat: 'workflow',
  agent: 'workflow',
  chatflow: 'workflow',
  workflow: 'completion',
  completion: null,
};

export function createFactsCache(
  http: DifyHttp,
  { appType, clock, log }: Pick<DifyConfig, 'appType'> & { clock: Clock; log: Log },
): FactsCache {
  let kept: { facts: Promise<AppFacts>; untilMs: number } | null = null;
  let corrected: AppType | null = null;
  let name = '';

  /** `onFailure` is told for how long the assumed facts serve. */
  async function lookUp(onFailure: (forMs: number) => void): Promise<AppFacts> {
    let isRefused = false;
    const optional = async (path: string) => {
      try {
        return acceptedJson(await http.get(path, { timeoutMs: LOOKUP_TIMEOUT_MS }));
      } catch (error) {
        // The question is asked without these facts, and its own failure shows what is wrong.
        isRefused ||= wasRefused(error);
        // Nothing was waited for, and Dify may be back a moment later.
        onFailure(isRefused ? 0 : KEPT_AFTER_FAILURE_MS);
        log.warn('dify_facts_unavailable', { path, code: turnErrorCode(error) });
        return undefined;
      }
    };
    const [info, parameters] = await Promise.all([
      appType === 'auto' ? optional('/info') : undefined,
      optional('/parameters'),
    ]);
    name = readAppName(info) || name;
    const type = corrected ?? (appType === 'auto' ? readAppType(info) : appType);
    return {
      type: type ?? 'chat',
      isTypeKnown: type !== null,
      ...readVersion(http.version, info),
      ...readParameters(parameters),
      ...(isRefused ? { isRefused } : {}),
      ...(parameters === undefined ? { isAssumed: true } : {}),
    };
  }

  return {
    knownName: () => name,
    facts() {
      if (kept && clock.now() < kept.untilMs) return kept.facts;
      const entry: NonNullable<typeof kept> = {
        facts: lookUp((forMs) => (entry.untilMs = clock.now() + forMs)),
        untilMs: clock.now() + KEPT_MS,
      };
      kept = entry;
      return entry.facts;
    },
    correctType(wrong) {
      corrected = NEXT_TYPE[wrong];
      kept = null;
      return corrected;
    },
  };
}
