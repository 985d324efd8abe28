// What happens in a chaos run and when: a plan that is made from one seed before the run begins.
import type { DifyApi, DifyFaultEffect, Ending } from '../../playground/dify/types.ts';
import type { DingTalkApi, DingTalkFaultEffect } from '../../playground/dingtalk/types.ts';
import { createRandom } from '../../playground/http/random.ts';

export const INSTANCES = 3;
export const ROBOTS = ['flow', 'easy', 'work'] as const;
export type RobotName = (typeof ROBOTS)[number];
/** Of another organisation: without a staff id. */
export const OUTSIDE = 'u-outside';
export const PEOPLE = ['p1', 'p2', 'p3', 'p4', 'p5', OUTSIDE] as const;
export const GROUPS = ['cidGroupA==', 'cidGroupB=='] as const;
/** Stands in every error text of an upstream. No user may ever see it. */
export const UPSTREAM_MARK = 'UPSTREAM';
/** The text of a form, written by the author of the app. Users may see it. */
export const FORM_TEXT = 'May this go on?';

export type DoorName = 'http' | 'stream';

/** What happens to the Stream connections of a robot. */
export type StreamFault = 'cut' | 'disconnect' | 'replace' | 'lose-ack' | 'forget';

export interface Chat {
  robot: RobotName;
  from: string;
  /** Null: the person's single chat. */
  group: string | null;
}

export interface PlannedQuestion extends Chat {
  kind: 'ask';
  number: number;
  /** The words of the answer, and how they come. */
  words: string[];
  everyMs: number;
  ending: Ending;
  difyFault: DifyFaultEffect | null;
  instance: number;
  /** DingTalk delivers the message again to these instances, this much later. */
  redeliveries: { afterMs: number; instance: number }[];
  /** Both tries of its acceptance fail in this way. */
  storeFault: 'reset' | 'hang' | 'lost-response' | null;
}

export interface PlannedCommand extends Chat {
  kind: 'command';
  number: number;
  text: '/new' | '/stop';
  instance: number;
}

export type StoreFaultKind = 'lost-response' | 'reset' | 'hang' | 'status' | 'delay' | 'late';

export type PlannedEvent = { atMs: number } & (
  | PlannedQuestion
  | PlannedCommand
  | { kind: 'kill'; instance: number; downMs: number }
  | { kind: 'sweep'; instance: number }
  /** The next requests to the store fail; an acceptance only in a way that its one repeat mends. */
  | { kind: 'store-fault'; fault: StoreFaultKind; times: number }
  | { kind: 'dingtalk-fault'; robot: RobotName; api: DingTalkApi; effect: DingTalkFaultEffect; times: number }
  | { kind: 'dify-fault'; api: DifyApi; effect: DifyFaultEffect; times: number }
  | { kind: 'stream-fault'; robot: RobotName; fault: StreamFault }
  | { kind: 'forget-tokens' | 'forget-sessions'; robot: RobotName }
);

export const questionText = (number: number) => `q${number}q please`;
const answerText = (number: number, count: number) =>
  Array.from({ length: count }, (_, index) => `a${number}w${index + 1}`).join(' ');

/** Questions a second. */
const RATE = 1.4;

export function planOf(seed: number, turns: number, door: DoorName = 'http'): PlannedEvent[] {
  const random = createRandom(seed);
  const chance = (share: number) => random() < share;
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from + 1));
  const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const events: PlannedEvent[] = [];
  let commands = 0;

  const newChat = (): Chat => ({
    robot: oneOf(ROBOTS),
    from: oneOf(PEOPLE),
    group: chance(0.4) ? oneOf(GROUPS) : null,
  });

  const endingOf = ({ robot }: Chat): Ending => {
    const lot = random();
    if (lot < 0.04) return { kind: 'failed', message: `${UPSTREAM_MARK} model failed` };
    if (lot < 0.06) return { kind: 'error', status: 500, code: 'internal_server_error', message: UPSTREAM_MARK };
    if (lot < 0.08) return { kind: 'eof' };
    if (lot < 0.1) return { kind: 'cut' };
    if (lot < 0.11 && robot !== 'easy') return { kind: 'paused', formContent: FORM_TEXT, formToken: null };
    return { kind: 'end' };
  };

  const difyFaultOf = (): DifyFaultEffect | null => {
    const lot = random();
    if (lot < 0.05) return { kind: 'cut', afterBytes: between(0, 6_000) };
    if (lot < 0.065) return { kind: 'stall', afterBytes: between(0, 4_000) };
    if (lot < 0.085) return { kind: 'lost-response' };
    if (lot < 0.1) return { kind: 'reset' };
    if (lot < 0.12) return { kind: 'slow', delayMs: between(500, 5_000) };
    if (lot < 0.15)
      return {
        kind: 'http',
        name: oneOf(['internal-server-error', 'nginx-504', 'cloudflare-1015', 'too-many-requests-as-400']),
      };
    if (lot < 0.17)
      return { kind: 'error-frame', message: UPSTREAM_MARK, code: 'completion_request_error', status: 400 };
    if (lot < 0.18) return { kind: 'error-frame', message: UPSTREAM_MARK };
    if (lot < 0.185) return { kind: 'hang' };
    return null;
  };

  const redeliveriesOf = () =>
    chance(0.15)
      ? Array.from({ length: between(1, 3) }, () => ({
          afterMs: chance(0.5) ? between(0, 20) : between(500, 6_000),
          instance: between(0, INSTANCES - 1),
        }))
      : [];

  function ask(atMs: number, number: number, chat: Chat): void {
    const count = between(12, 45);
    const redeliveries = redeliveriesOf();
    events.push({
      ...chat,
      kind: 'ask',
      atMs,
      number,
      words: answerText(number, count).split(' '),
      everyMs: between(50, 120),
      ending: endingOf(chat),
      difyFault: difyFaultOf(),
      instance: between(0, INSTANCES - 1),
      redeliveries,
      // A message that is not in the store would be answered twice if DingTalk delivered it to another instance too.
      storeFault: redeliveries.length === 0 && chance(0.03) ? oneOf(['reset', 'hang', 'lost-response'] as const) : null,
    });
  }

  let atMs = 500;
  for (let number = 1; number <= turns;) {
    const chat = newChat();
    const burst = chance(0.25) ? between(2, 3) : 1;
    let askedMs = atMs;
    for (let count = 0; count < burst && number <= turns; count += 1) {
      ask(askedMs, number, chat);
      number += 1;
      askedMs += between(20, 900);
    }
    if (chance(0.12)) {
      commands += 1;
      const text = chance(0.5) ? '/new' : '/stop';
      const afterMs = between(50, 3_000);
      events.push({ ...chat, kind: 'command', atMs: atMs + afterMs, number: commands, text, instance: between(0, 2) });
    }
    atMs += (burst * 2_000 * random()) / RATE;
  }
  const endMs = atMs;

  const spread = (share: number, make: (atMs: number) => PlannedEvent) => {
    const count = Math.round(turns * share);
    for (let index = 0; index < count; index += 1) events.push(make(Math.floor(random() * endMs)));
  };
  spread(0.2, (at) => {
    const fault = oneOf<StoreFaultKind>([
      'lost-response',
      'lost-response',
      'lost-response',
      'reset',
      'reset',
      'hang',
      'status',
      'delay',
      'late',
    ]);
    return { atMs: at, kind: 'store-fault', fault, times: chance(0.2) ? 3 : 1 };
  });
  spread(0.3, (at) => {
    const api = oneOf<DingTalkApi>([
      'streaming',
      'streaming',
      'streaming',
      'createAndDeliver',
      'createAndDeliver',
      'sendBySession',
      'accessToken',
    ]);
    const effect = oneOf<DingTalkFaultEffect>([
      { kind: 'qps' },
      { kind: 'qps' },
      { kind: 'too-many-requests' },
      { kind: 'busy' },
      { kind: 'gateway-timeout' },
      { kind: 'reset' },
      { kind: 'lost-response' },
      { kind: 'lost-response' },
      { kind: 'lost-response', delayMs: 700 },
      { kind: 'slow', delayMs: between(1_000, 5_000) },
      { kind: 'status', status: 502, code: UPSTREAM_MARK, message: UPSTREAM_MARK },
      ...(chance(0.5) ? [{ kind: 'hang' } as const] : []),
    ]);
    // An instance tries five times to end a card, and each try may need a token first. More faults in a row than that
    // would keep the card from ending.
    const times = api !== 'accessToken' && chance(0.3) ? between(2, 3) : 1;
    return { atMs: at, kind: 'dingtalk-fault', robot: oneOf(ROBOTS), api, effect, times };
  });
  spread(0.05, (at) => ({
    atMs: at,
    kind: 'dify-fault',
    api: oneOf<DifyApi>(['info', 'parameters', 'messages', 'runDetail', 'runEvents', 'stop']),
    effect: oneOf<DifyFaultEffect>([
      { kind: 'http', name: 'internal-server-error' },
      { kind: 'reset' },
      { kind: 'slow', delayMs: 2_000 },
      { kind: 'cut', afterBytes: 300 },
    ]),
    times: between(1, 2),
  }));
  spread(0.01, (at) => ({ atMs: at, kind: chance(0.7) ? 'forget-tokens' : 'forget-sessions', robot: oneOf(ROBOTS) }));
  for (let at = 5_000; at < endMs; at += between(8_000, 22_000))
    events.push({ atMs: at, kind: 'kill', instance: between(0, INSTANCES - 1), downMs: between(500, 6_000) });
  for (let at = 4_000; at < endMs; at += between(6_000, 15_000))
    events.push({ atMs: at, kind: 'sweep', instance: between(0, INSTANCES - 1) });
  // At the end, so that a seed means the same for both doors.
  if (door === 'stream') {
    spread(0.12, (at) => ({
      atMs: at,
      kind: 'stream-fault',
      robot: oneOf(ROBOTS),
      fault: oneOf<StreamFault>(['cut', 'cut', 'disconnect', 'replace', 'lose-ack', 'lose-ack', 'forget']),
    }));
  }
  return events.toSorted((a, b) => a.atMs - b.atMs);
}
