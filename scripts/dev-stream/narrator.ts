import { parseJson } from '../../lib/runtime/json.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { CommandWords } from '../words/en.ts';

export interface NarratorOptions {
  /** How many robots are to be connected. */
  robots: () => number;
  say: (sentence: string) => void;
  words: CommandWords;
  /** The credentials of every robot are wrong. */
  onAllRefused: () => void;
  clock: Clock;
}

/** Silence for so long after the first connection is worth a hint. */
const HINT_AFTER_MS = 60_000;

/** Says in words what the log lines of the connections mean. */
export function createNarrator({ robots, say, words, onAllRefused, clock }: NarratorOptions): (line: string) => void {
  const refused = new Set<unknown>();
  let cancelHint: (() => void) | null = null;
  return (line) => {
    const { event, robot, code, reason, status } = (parseJson(line) ?? {}) as Record<string, unknown>;
    const sayOfRobot = (sentence: string) => say(`[${typeof robot === 'string' ? robot : words.robot}] ${sentence}`);
    if (event === 'message_accepted') cancelHint?.();
    if (event === 'stream_ending') sayOfRobot(words.ended(String(reason)));
    if (event === 'stream_opened') {
      sayOfRobot(words.connected);
      cancelHint ??= clock.schedule(HINT_AFTER_MS, () => say(words.hint));
    }
    if (event !== 'stream_not_opened') return;
    const isOfTicket = code === 'dingtalk_stream_handshake' && typeof status === 'number';
    const remedy = words.remedies[String(code)] ?? words.noConnection(String(code));
    sayOfRobot(isOfTicket ? words.ticketRefused(status) : remedy);
    if (code !== 'dingtalk_credentials') return;
    refused.add(robot);
    if (refused.size === robots()) onAllRefused();
  };
}
