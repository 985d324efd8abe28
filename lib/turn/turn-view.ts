import type { EndingOptions } from '../answer/ending.ts';
import { sendLink } from '../answer/links.ts';
import type { ViewOptions } from '../answer/view.ts';
import type { RobotConfig } from '../config/robot.ts';
import type { Texts } from '../texts/texts.ts';
import { questionQuote } from './question-line.ts';
import { isPress } from './record.ts';
import type { Turn } from './turn.ts';

interface Shown {
  robot: RobotConfig;
  texts: Texts;
}

/** How the answer of a turn is written: what its chat and its card can show. */
export function viewOf(turn: Turn, { robot, texts }: Shown): ViewOptions {
  const { chat } = turn.message;
  const { cardButtons, cardMaxChars } = robot.dingtalk;
  const links = !cardButtons && !chat.isGroup;
  const stopHint = links ? sendLink(texts.stop, texts.stopWord) : cardButtons ? '' : texts.stopByWord;
  const isQuoted = turn.hasWaited || turn.progress?.isQuoted === true || isPress(turn.message.id);
  // The "question" of a form whose time is over is the sentence that the answer begins with.
  const quote = isQuoted && !turn.form?.expired ? questionQuote(turn, robot, texts) : '';
  const aiLabel = robot.aiLabel ? texts.aiLabel : '';
  const needsMention = chat.isGroup;
  return { texts, showThinking: robot.showThinking, cardMaxChars, links, needsMention, stopHint, quote, aiLabel };
}

/** What the last line of its answer can offer. */
export function endingOptions(
  turn: Turn,
  { robot }: Pick<Shown, 'robot'>,
  { onCard, toldAdmins }: { onCard: boolean; toldAdmins: boolean },
): EndingOptions {
  return {
    reference: turn.reference,
    canTap: !turn.message.chat.isGroup,
    hasRetry: onCard && robot.dingtalk.cardButtons,
    retryText: mayRetryInWords(turn) ? turn.question : null,
    toldAdmins,
  };
}

/** A question with files or about another message, or an answer to a form, cannot be asked again in words. */
function mayRetryInWords({ message, form, held = [] }: Turn): boolean {
  return message.content.kind === 'text' && message.quoted === null && form === null && held.length === 0;
}
