import type { FormSubmission } from '../ask/form.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { Callback, Message } from '../dingtalk/callback.ts';
import type { CardAction } from '../dingtalk/card-action.ts';
import type { BackgroundWork, Platform } from '../runtime/platform.ts';
import type { Budget } from '../state/budget.ts';
import type { Arrival } from '../state/arrival.ts';
import type { AcceptRequest } from '../state/state.ts';
import type { Load } from '../state/told.ts';
import { createChannels } from '../turn/channels.ts';
import { conversationOf } from '../turn/conversation.ts';
import { readHandover } from '../turn/handover.ts';
import { referenceOf, turnIdOf } from '../turn/record.ts';
import { createRunner, type RunnerOptions } from '../turn/runner.ts';
import type { TurnPayload } from '../turn/turn.ts';
import { mayAsk, rowOf } from './access.ts';
import { notifyBudget } from './budget.ts';
import type { Reaction } from './buttons.ts';
import { createDueForms } from './due-forms.ts';
import { createHolding, filesAlone, isTap } from './holding.ts';
import { readFormAnswer, readIntent, sentence } from './intent.ts';
import { createPresses } from './press.ts';
import { createQuestions } from './questions.ts';
import { createRefusals } from './refusals.ts';
import { createReplies } from './replies.ts';
import { reportOf, type StatusReport } from './status.ts';

/** The side of a robot that the receiver sees. */
export interface ReceivingRobot {
  config: RobotConfig;
  /** Takes a message over; resolves when it is safe to acknowledge it, with the work that remains, if any. */
  accept(
    message: Extract<Callback, { kind: 'message' }>,
    platform: Platform,
    arrival: Arrival,
  ): Promise<BackgroundWork | null>;
  /** Does what a button asks for; what it returns is for the person who pressed. Never rejects. */
  act(action: CardAction, platform: Platform, arrival: Arrival): Promise<Reaction>;
  /**
   * Takes over a turn that another invocation hands on; null when it is not to be had any more.
   *
   * @throws BridgeError `route_closed` when the request is not signed by this function, or too old.
   */
  resume(headers: Headers, body: string, platform: Platform): Promise<BackgroundWork | null>;
  /** @throws BridgeError `store_unavailable`. */
  status(nowMs: number): Promise<StatusReport>;
  /** Takes over the turns whose function died, and goes on with them in the background. */
  sweep(platform: Platform): Promise<SweepCounts>;
}

/** What a sweep found. */
export interface SweepCounts {
  overdue: number;
  takenOver: number;
}

/** Most turns that one sweep takes over. */
const SWEEP_LIMIT = 50;

/** One robot: claims a message, and does what it asks for after the acknowledgement. */
export function createRobot(options: RunnerOptions): ReceivingRobot {
  const { config, state, clock, newId, log, texts } = options;
  const channels = createChannels(options);
  const runner = createRunner(options, channels);
  const presses = createPresses(options, runner);
  const refusals = createRefusals(options);
  const replies = createReplies(options, runner);
  const questions = createQuestions(options, { channels, runner, replies, refusals, lookAfterOthers });
  const holding = createHolding(options, { questions, replies, lookAfterOthers });
  const dueForms = createDueForms(options, (message, form, { deadlineMs }) => {
    const conversation = conversationOf(message, config.conversation.scope);
    const question = message.content.kind === 'text' ? message.content.text : '';
    return questions.accept({ message, conversation, question, form, heldFiles: 'leave' }, deadlineMs, true);
  });

  return {
    config,

    accept(message, { deadlineMs }, arrival) {
      state.noteArrival(arrival);
      return take(message, deadlineMs, null, null);
    },

    act(action, { deadlineMs }, arrival) {
      state.noteArrival(arrival);
      return presses.press(action, (message, form, again) => take(message, deadlineMs, form, again));
    },

    async resume(headers, body, platform) {
      const { name, dingtalk } = config;
      const signed = { robotName: name, secrets: dingtalk.clientSecrets };
      const { turnId, ...handedOver } = readHandover(headers, body, signed);
      return runner.takeOver(turnId, handedOver, platform);
    },

    status: (nowMs) => reportOf(config, state, nowMs),

    async sweep(platform) {
      const nowMs = clock.now();
      state.noteArrival({ door: 'sweep', atMs: nowMs, offsetMs: null });
      const turnIds = await state.overdue({ nowMs, limit: SWEEP_LIMIT });
      const counts: SweepCounts = { overdue: turnIds.length, takenOver: 0 };
      for (const turnId of turnIds) {
        const work = await runner.takeOver(turnId, null, platform);
        if (!work) continue;
        counts.takenOver += 1;
        platform.waitUntil(work());
      }
      const due = await state.dueForms({ nowMs: clock.now(), limit: SWEEP_LIMIT });
      if (due.length > 0) platform.waitUntil(dueForms.look(due, platform));
      return counts;
    },
  };

  /** Puts a message on record before it is acknowledged, and returns what it asks for after that. */
  async function take(
    message: Message,
    deadlineMs: number | null,
    form: FormSubmission | null,
    again: TurnPayload | null,
  ): Promise<BackgroundWork | null> {
    const conversation = conversationOf(message, config.conversation.scope);
    const intent = form ? readFormAnswer(message, form) : readIntent(message, texts);
    const isRefused = !(intent.kind === 'command' && intent.command.open) && !mayAsk(message, config.access);
    if (isRefused) log.info('message_refused', { robot: config.name });
    // A sentence would be answered by the other robot, and so on without end.
    if (message.fromRobot && (isRefused || intent.kind !== 'question')) return null;
    if (intent.kind === 'question' && !isRefused) {
      const isPressed = form !== null || again !== null;
      const heldFiles = isPressed ? 'leave' : heldFilesFor(message);
      const asked = { message, conversation, question: intent.text, form, held: again?.held, heldFiles };
      const alone = isPressed || config.fileAlone === 'ask' ? [] : filesAlone(message);
      return alone.length > 0 ? holding.hold(asked, alone, deadlineMs) : questions.accept(asked, deadlineMs);
    }
    const turnId = turnIdOf(message.id);
    const claimed = await (isRefused
      ? refusals.claimTelling('list', message, conversation.key)
      : state.claim({ turnId, owner: newId(), nowMs: clock.now(), row: rowOf(message) }));
    if (!claimed.isNew) {
      if (!isRefused) log.info('message_repeated', { robot: config.name });
      return null;
    }
    log.info('message_accepted', { turn: referenceOf(turnId), robot: config.name, kind: intent.kind });
    // A question that comes here was refused.
    const answered = isRefused || intent.kind === 'question' ? sentence(texts.refused) : intent;
    return (platform) =>
      lookAfterOthers(replies.respond(answered, turnId, message, conversation), { load: claimed }, platform);
  }

  /** Files are held in single chats, and a question in a group may belong to the same conversation. */
  function heldFilesFor(message: Message): AcceptRequest['heldFiles'] {
    if (message.chat.isGroup) return 'leave';
    return config.fileAlone === 'hold' && isTap(message, texts) ? 'need' : 'take';
  }

  /** Every message that comes in also looks after answers whose function died, and after the month. Never rejects. */
  async function lookAfterOthers(
    work: Promise<void>,
    { load, budget }: { load: Pick<Load, 'overdue' | 'dueForms'>; budget?: Budget },
    platform: Platform,
  ): Promise<void> {
    const reached = budget?.reached ?? null;
    const notice = reached === null ? null : notifyBudget(reached, options);
    const rescues = load.overdue.map((turnId) => runner.rescue(turnId, platform));
    await Promise.all([work, notice, dueForms.look(load.dueForms ?? [], platform), ...rescues]);
  }
}
