import type { Ports } from '../doctor/check.ts';
import type { Language } from '../language.ts';
import type { Options } from './arguments.ts';
import type { RunCommand } from './command.ts';
import type { Terminal } from './terminal.ts';
import type { Variable } from './variables.ts';
import { wordsOf } from './words/index.ts';

/** What a guide that acts stands on besides. */
export interface ActPorts {
  run: RunCommand;
  openPage: (url: string) => void;
  /** Writes the template's file and returns its name. */
  writeTemplate: () => string;
}

export interface Setup {
  ports: Ports;
  options: Options;
  /** What `--from` brings. */
  imported: ReadonlyMap<Variable, string>;
  language: Language;
  /** Only `say` where nothing is asked. */
  terminal: Terminal;
  /** What a file begins as where there is none: every variable with its comment. */
  example: string;
  /** Of a guide that acts, too; null where it only asks, or asks nothing. */
  acts: ActPorts | null;
  /** Told when the file is written: an interruption has less to say then. */
  onWritten: () => void;
}

export async function confirm({ options, language, terminal }: Setup): Promise<'write' | 'back' | 'leave'> {
  const words = wordsOf[language];
  for (;;) {
    const answer = await terminal.ask(`${words.confirm(options.envFile)}: `, false);
    if (/^(?:y|yes|是)$/i.test(answer)) return 'write';
    if (/^(?:n|no|否)$/i.test(answer)) return 'leave';
    if (answer === 'b') return 'back';
    terminal.say(words.yesOrNo);
  }
}
