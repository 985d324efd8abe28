import type { FormSubmission } from '../ask/form.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { Texts } from '../texts/texts.ts';
import { findCommand, type Command } from './commands.ts';

/** What a message asks for: an answer, a command, or a sentence that says why there is none. */
export type Intent =
  { kind: 'question'; text: string } | { kind: 'command'; command: Command } | { kind: 'sentence'; text: string };

/** What needs no turn. */
export type ShortIntent = Exclude<Intent, { kind: 'question' }>;

/** A message about a file that has no words gets a default question. */
export function readIntent({ content, quoted }: Pick<Message, 'content' | 'quoted'>, texts: Texts): Intent {
  switch (content.kind) {
    case 'text':
      // A person who quotes a file and writes nothing asks about the file.
      return content.text === '' && quoted?.file
        ? question(texts.askAbout[quoted.file.kind])
        : readText(content.text, texts);
    case 'rich-text':
      if (content.pictures.length === 0) return readText(content.text, texts);
      return question(content.text || texts.askAbout.picture);
    case 'audio':
      if (content.recognition !== '') return readText(content.recognition, texts);
      // Words may still be found by the app's own speech recognition.
      return content.downloadCode === null ? sentence(texts.failures.speech_unclear) : question(texts.askAbout.audio);
    case 'picture':
    case 'video':
      return question(texts.askAbout[content.kind]);
    case 'file':
      return question(texts.askAbout.file);
    case 'unknown':
      return sentence(texts.unsupported);
  }
}

/** The action of a form answers the form, also when its title is the word of a command. */
export function readFormAnswer({ content }: Pick<Message, 'content'>, form: FormSubmission): Intent {
  return question(content.kind === 'text' ? content.text : form.action);
}

function readText(text: string, texts: Texts): Intent {
  if (text === '') return sentence(texts.emptyQuestion);
  const command = findCommand(text);
  return command ? { kind: 'command', command } : question(text);
}

const question = (text: string): Intent => ({ kind: 'question', text });

export const sentence = (text: string): ShortIntent => ({ kind: 'sentence', text });
