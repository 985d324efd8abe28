import { parseJson } from '../../lib/runtime/json.ts';
import type { Clock } from '../../lib/runtime/clock.ts';

export interface NarratorOptions {
  /** How many robots are to be connected. */
  robots: () => number;
  say: (sentence: string) => void;
  /** The credentials of every robot are wrong. */
  onAllRefused: () => void;
  clock: Clock;
}

/** Silence for so long after the first connection is worth a hint. */
const HINT_AFTER_MS = 60_000;

const HINT =
  'no message has come for a minute. If you have sent one: the robot is in HTTP mode (开发者后台 → the app → 机器人 → ' +
  '消息接收模式: choose Stream 模式, then 发布), or another program is connected with the same client id, or the ' +
  'robot was not mentioned in a group';

/** What to do about an attempt that failed, by its code. */
const REMEDIES: Readonly<Record<string, string>> = {
  dingtalk_credentials:
    'DingTalk does not know this pair of client id and client secret (401). Copy both again (开发者后台 → the app → ' +
    '凭证与基础信息) into .env, without blanks, and start again',
  dingtalk_stream_refused: 'DingTalk refused to open a connection: the app may have no robot, or none in Stream mode',
  dingtalk_stream_handshake:
    'the connection could not be opened: look for a proxy or firewall that lets no WebSocket through',
  dingtalk_unreachable: 'DINGTALK_API_URL cannot be reached: look at the network',
  dingtalk_timeout: 'DINGTALK_API_URL gave no answer in time: look at the network',
};

/** Says in words what the log lines of the connections mean. */
export function createNarrator({ robots, say, onAllRefused, clock }: NarratorOptions): (line: string) => void {
  const refused = new Set<unknown>();
  let cancelHint: (() => void) | null = null;
  return (line) => {
    const { event, robot, code, reason, status } = (parseJson(line) ?? {}) as Record<string, unknown>;
    const sayOfRobot = (sentence: string) => say(`[${typeof robot === 'string' ? robot : 'robot'}] ${sentence}`);
    if (event === 'message_accepted') cancelHint?.();
    if (event === 'stream_ending') sayOfRobot(`the connection has ended (${String(reason)}), connecting again`);
    if (event === 'stream_opened') {
      sayOfRobot('connected, waiting for messages');
      cancelHint ??= clock.schedule(HINT_AFTER_MS, () => say(HINT));
    }
    if (event !== 'stream_not_opened') return;
    const ofTicket = `DingTalk refused the ticket (${String(status)}): it was too old, or used already`;
    const isOfTicket = code === 'dingtalk_stream_handshake' && typeof status === 'number';
    sayOfRobot(isOfTicket ? ofTicket : (REMEDIES[String(code)] ?? `no connection (${String(code)})`));
    if (code !== 'dingtalk_credentials') return;
    refused.add(robot);
    if (refused.size === robots()) onAllRefused();
  };
}
