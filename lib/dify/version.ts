import * as z from 'zod';

/** What follows from the version of a Dify. Null where neither its answers nor `GET /info` tell enough of it. */
export interface DifyVersion {
  /** The header `X-Version`, which every answer of Dify has; null where a proxy took it away. */
  version: string | null;
  /**
   * Whether the run of a workflow or chatflow goes on when its client is gone: from 1.9.2 on. Before, the run dies, and its
   * record stays `running` for ever (`docs/wire-dify.md`).
   */
  runsSurvive: boolean | null;
  /** Whether an agent goes on without its client, and keeps its text in its thoughts: up to 1.15. */
  agentsSurvive: boolean | null;
  /** Whether the events of a run can be joined later, and forms exist: from 1.14 on. */
  hasRunEvents: boolean | null;
}

type Release = readonly [number, number, number];

const RUNS_SURVIVE: Release = [1, 9, 2];

const RUN_EVENTS: Release = [1, 14, 0];

const AGENTS_END: Release = [1, 16, 0];

const infoBody = z.object({ mode: z.string().nullish() });

/** @param info the answer of `GET /info`; undefined where it was not asked, or not answered. */
export function readVersion(header: string | null, info: unknown): DifyVersion {
  const release = releaseOf(header);
  const isFrom = (first: Release) => release && compare(release, first) >= 0;
  // `GET /info` names the app's mode from 1.4 on. Where the header is missing, that is all there is to go by.
  const told = infoBody.safeParse(info).data;
  const isBeforeModes = told !== undefined && !told.mode;
  const ends = isFrom(AGENTS_END);
  return {
    version: release ? header : null,
    runsSurvive: isFrom(RUNS_SURVIVE) ?? (isBeforeModes ? false : null),
    agentsSurvive: ends === null ? null : !ends,
    hasRunEvents: isFrom(RUN_EVENTS) ?? (isBeforeModes ? false : null),
  };
}

/** Whether a header holds a version, so that it can be remembered and named. */
export const isVersion = (header: string | null): header is string => releaseOf(header) !== null;

function releaseOf(header: string | null): Release | null {
  const [, major, minor, patch] = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+.\w]{0,40})$/.exec(header ?? '') ?? [];
  return major === undefined || minor === undefined ? null : [Number(major), Number(minor), Number(patch ?? 0)];
}

function compare(a: Release, b: Release): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
