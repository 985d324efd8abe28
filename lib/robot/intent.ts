import type { FormSubmission } from '../ask/form.ts';
import type { Message } from '../dingtalk/callback.ts';
import { sentFilesOf, type Quoted } from '../dingtalk/message-kinds.ts';
import type { Texts } from '../texts/texts.ts';
import { findCommand, type Command } from './commands.ts';

/** What a message asks for: an answer, a command, or a sentence that says why there is none. */
export type Intent =
  { kind: 'question'; text: string } | { kind: 'command'; command: Command } | { kind: 'sentence'; text: string };

/** What needs no turn. */
export type ShortIntent = Exclude<Intent, { kind: 'question' }>;

/** A message about a file that has no words gets a default question. */
export function readIntent(message: Pick<Message, 'content' | 'quoted' | 'fromRobot'>, texts: Texts): Intent {
  const { content, quoted } = message;
  switch (content.kind) {
    case 'text':
      if (content.text === '' && quoted) return aboutQuoted(quoted, texts);
      // To a robot nothing is said but answers: a sentence could make it say something as well, without end.
      return message.fromRobot ? question(content.text) : readText(content.text, texts);
    case 'rich-text': {
      const [file] = sentFilesOf(content);
      return file ? question(content.text || texts.askAbout[file.kind]) : readText(content.text, texts);
    }
    case 'document':
      return sentence(texts.sharedDocument);
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

/** What a message without words asks of what it refers to. */
function aboutQuoted({ file, problem, isRecord, cardKey }: Quoted, texts: Texts): Intent {
  if (isRecord && !problem) return question(texts.askAbout.record);
  if (file) return question(texts.askAbout[file.kind]);
  return sentence(problem && cardKey === undefined ? texts.quoteProblems[problem] : texts.emptyQuestion);
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
