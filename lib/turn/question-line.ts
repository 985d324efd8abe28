import type { RobotConfig } from '../config/robot.ts';
import { oneLine, plainLine, shortened } from '../markdown/plain-line.ts';
import type { Texts } from '../texts/texts.ts';
import type { Turn } from './turn.ts';

type Asked = Pick<Turn, 'message' | 'question'>;

/** On a phone, about three lines of a card. */
const QUESTION_CHARS = 80;

const NAME_CHARS = 20;

/** The asker's name for a card; empty where a press does not tell it. */
export const askerName = ({ sender }: Pick<Asked['message'], 'sender'>): string =>
  shortened(plainLine(sender.nick), NAME_CHARS);

/** The beginning of the question in one line, in groups with the name of its asker. */
export function questionLine({ message: { chat, sender }, question }: Asked, texts: Texts): string {
  const line = shortened(oneLine(question), QUESTION_CHARS);
  const name = chat.isGroup ? askerName({ sender }) : '';
  return name === '' ? line : texts.questionOf(name, line);
}

/**
 * That line as a quote, for a card that does not stand right below its question; empty where the template shows the
 * variable `question`.
 */
export function questionQuote(asked: Asked, { dingtalk }: Pick<RobotConfig, 'dingtalk'>, texts: Texts): string {
  const line = dingtalk.cardButtons ? '' : plainLine(questionLine(asked, texts), '#~');
  return line === '' ? '' : `> ${line}`;
}
