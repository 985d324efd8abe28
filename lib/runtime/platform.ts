/** What the platform offers to one request. */
export interface Platform {
  /** Keeps the invocation alive for work after the answer. The promise never rejects. */
  waitUntil(work: Promise<void>): void;
  /** When the invocation ends, in milliseconds since the epoch; null where nothing ends it. */
  deadlineMs: number | null;
}

/** What happens after the acknowledgement. Never rejects. */
export type BackgroundWork = (platform: Platform) => Promise<void>;
