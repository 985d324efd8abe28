import { plainLine } from '../markdown/plain-line.ts';
import { sanitizeText } from '../markdown/sanitize.ts';

/**
 * A link that sends a text into the chat as if the reader had typed it (robot interaction page). Only for single chats:
 * whether a text that is sent so in a group mentions the robot is not known.
 */
export function sendLink(label: string, text: string): string {
  // A text that was cut may end in half a character, which has no encoding. Parentheses would end the address.
  const content = encodeURIComponent(text.toWellFormed()).replace(
    /[()!'*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `[${labelOf(label)}](dtmd://dingtalkclient/sendMessage?content=${content})`;
}

/** Questions that the reader may ask next: as links, or as words to type. */
export function questionLines(questions: readonly string[], links: boolean): string {
  return questions.map((question) => `- ${links ? sendLink(question, question) : labelOf(question)}`).join('\n');
}

/** `#` at the beginning would make a heading of an entry of a list. */
const labelOf = (text: string) => sanitizeText(plainLine(text).replace(/^[#\s]+/, ''));
