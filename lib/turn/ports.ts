import type { RobotConfig } from '../config/robot.ts';
import type { FormPorts } from '../ask/form.ts';
import type { QuestionPorts } from '../ask/question.ts';
import type { CardPorts } from '../delivery/card.ts';
import type { FollowUps } from '../delivery/follow-ups.ts';
import type { CardSink, MessageSink } from '../delivery/sink.ts';
import type { DifyClient } from '../dify/ask.ts';
import type { Attachments } from '../files/attachments.ts';
import type { DifyRecovery } from '../recovery/recover.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import type { Handover } from './handover.ts';
import type { LeaseOptions, LeaseTiming } from './lease.ts';
import type { StopSwitch } from './stop.ts';

export interface TurnPorts extends Omit<CardPorts, 'settleMs'>, QuestionPorts, FormPorts {
  robot: RobotConfig;
  texts: Texts;
  /** Null without a template, or while cards are left alone. */
  card: () => CardSink | null;
  reply: MessageSink;
  dify: DifyClient;
  recovery: DifyRecovery;
  state: State;
  handover: Handover;
  leaseTiming: LeaseTiming;
  onRunning: LeaseOptions['onRunning'];
  /** When this invocation ends (milliseconds since the epoch), or null where nothing ends it. */
  deadlineMs: number | null;
  /** Aborts when the process is asked to end; its reason says so. */
  shutdown: AbortSignal;
  stop: StopSwitch;
  /** For the files of the answer; null where nothing may be spent on them. */
  openAttachments: () => Attachments | null;
  meter: CallMeter;
  /** Shows what belongs below an answer on its card. */
  followUps: FollowUps;
  /** Goes on beside the next turn. The work never rejects. */
  alongside: (work: Promise<void>) => void;
}

/** Where the calls to DingTalk for an answer are counted, as far as they count for the organisation's month. */
export interface CallMeter {
  onCall: () => void;
}
