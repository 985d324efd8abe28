import type { Answer } from '../answer/answer.ts';
import type { RobotConfig } from '../config/robot.ts';
import { sendBeside, type Shown } from '../delivery/deliver.ts';
import type { BridgeError } from '../errors.ts';
import { plainLine, shortened } from '../markdown/plain-line.ts';
import { sanitizeText } from '../markdown/sanitize.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Texts } from '../texts/texts.ts';
import type { TurnChannels } from './channels.ts';
import type { Ended } from './lease.ts';
import type { Turn } from './turn.ts';

/** Longest part of the question that the message quotes: enough to know it again. */
const QUESTION_CHARS = 40;

/** How a turn has ended. */
export interface TurnEnd {
  answer: Answer;
  failure: BridgeError | null;
  shown: Shown;
  /** The store's word about it. */
  ended: Ended;
}

export interface MentionPorts {
  robot: Pick<RobotConfig, 'notifyAfterMs'>;
  channels: Pick<TurnChannels, 'sessionReply'>;
  texts: Texts;
  clock: Clock;
  log: Log;
}

/**
 * Tells an asker in a group, who may have left the chat meanwhile, that a long answer has ended on its card: a card
 * cannot mention a person when it ends. Only the instance that ended the turn on record sends this, after that, so that it
 * comes at most once. Never rejects.
 */
export async function mentionAsker(
  turn: Turn,
  end: TurnEnd,
  { robot, channels, texts, clock, log }: MentionPorts,
): Promise<void> {
  const { notifyAfterMs } = robot;
  if (notifyAfterMs === null || clock.now() - turn.acceptedAtMs <= notifyAfterMs || !isAwaited(turn, end)) return;
  const question = sanitizeText(shortened(plainLine(turn.question), QUESTION_CHARS));
  const isWhole = end.failure === null && end.answer.ending?.kind === 'complete';
  const text = isWhole ? texts.answered(question) : texts.notAnswered(question);
  const { reference } = turn;
  await sendBeside(text, true, { reply: channels.sessionReply, clock, log, texts, reference });
}

/** In a group, and neither stopped nor about a form. An answer that came as messages has mentioned its asker. */
function isAwaited({ message: { chat, sender }, form }: Turn, { answer, shown, ended }: TurnEnd): boolean {
  const kind = answer.ending?.kind;
  const isOver = kind !== 'stopped' && kind !== 'paused' && !ended.isStopped;
  return chat.isGroup && sender.staffId !== null && shown === 'card' && ended.isOnRecord && isOver && !form?.expired;
}
