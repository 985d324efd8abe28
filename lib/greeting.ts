import type { AppParameters } from './dify/app-facts.ts';
import type { Message } from './dingtalk/callback.ts';
import { renderBlocks } from './markdown/render.ts';
import { questionLines } from './quick-links.ts';
import type { RobotConfig } from './runtime/config.ts';
import type { Texts } from './texts/index.ts';

/** What the app says first, with the questions that it proposes; empty for an app that says nothing. */
export function greetingText(
  { opening, openingQuestions }: Pick<AppParameters, 'opening' | 'openingQuestions'>,
  texts: Texts,
  isGroup: boolean,
): string {
  if (opening === '') return '';
  const words = renderBlocks(opening.slice(0, MAX_CHARS), 'message', texts.markdown).join('\n\n');
  if (openingQuestions.length === 0) return words;
  const title = isGroup ? texts.examplesToType : texts.examples;
  return `${words}\n\n**${title}**\n\n${questionLines(openingQuestions.slice(0, MAX_QUESTIONS), !isGroup)}`;
}

const MAX_CHARS = 3_000;
const MAX_QUESTIONS = 6;

/** In a group where everybody has a conversation of their own, a greeting for each would be noise. */
export function mayGreet({ chat }: Pick<Message, 'chat'>, scope: RobotConfig['conversation']['scope']): boolean {
  return !chat.isGroup || scope === 'chat';
}
