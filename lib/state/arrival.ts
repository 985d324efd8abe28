/** The ways in: a robot message over HTTP, a card button over HTTP, either over a Stream connection, a sweep. */
export const DOORS = ['http', 'card', 'stream', 'sweep'] as const;

/** Something that came in from outside. */
export interface Arrival {
  door: (typeof DOORS)[number];
  /** By the clock of this instance. */
  atMs: number;
  /** How far that clock is ahead of the sender's, the time of the way included; null where the sender told no time. */
  offsetMs: number | null;
}
