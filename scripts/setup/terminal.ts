import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';

/** Where the guide speaks and listens. */
export interface Terminal {
  say(text: string): void;
  /** The next line, trimmed. What is typed is not shown where `isHidden`. */
  ask(prompt: string, isHidden: boolean): Promise<string>;
  /** The next line under a prompt that is written anew each second. Null: `signal` came first. */
  wait(prompt: () => string, signal: AbortSignal): Promise<string | null>;
  close(): void;
}

export interface TerminalOptions {
  input: Readable;
  output: Writable & { columns?: number };
  /** Lines from a pipe: nothing is echoed anyway. */
  isPlain: boolean;
  /** Ctrl+C, or the end of the input before that of the questions. */
  onInterrupt: () => void;
}

export function openTerminal({ input, output, isPlain, onInterrupt }: TerminalOptions): Terminal {
  let isShown = false;
  // What is typed goes through this, so that nothing is shown but in an open question, also when it is typed too early.
  const echo = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (isShown) output.write(chunk);
      done();
    },
  });
  // The reader breaks long lines by it.
  Object.defineProperty(echo, 'columns', { get: () => output.columns });
  const lines: string[] = [];
  let wake: ((line: string) => void) | null = null;
  let hasEnded = false;
  // Without a history, in which the next question could look up a secret.
  const reader = createInterface({ input, output: echo, terminal: !isPlain, historySize: 0 });
  reader.on('line', (line) => {
    if (wake) wake(line);
    else lines.push(line);
  });
  reader.on('SIGINT', onInterrupt);
  reader.on('close', () => {
    hasEnded = true;
    if (wake) onInterrupt();
  });

  function nextLine(): Promise<string> {
    const line = lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (hasEnded) {
      onInterrupt();
      return new Promise(() => {});
    }
    return new Promise((resolve) => {
      wake = (next) => {
        wake = null;
        resolve(next);
      };
    });
  }

  async function wait(prompt: () => string, signal: AbortSignal): Promise<string | null> {
    isShown = true;
    const show = () => {
      reader.setPrompt(prompt());
      // What has been typed so far stays.
      reader.prompt(true);
    };
    show();
    const showing = setInterval(show, 1_000);
    const aborted = new Promise<null>((resolve) => {
      if (signal.aborted) resolve(null);
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const line = await Promise.race([nextLine(), aborted]);
    clearInterval(showing);
    wake = null;
    isShown = false;
    if (line === null) output.write('\n');
    return line === null ? null : line.trim();
  }

  return {
    say: (text) => void output.write(`${text}\n`),
    wait,
    async ask(prompt, isHidden) {
      // Shown by us where the echo is off, else by the reader, which writes it anew when the line is edited.
      if (isHidden || isPlain) output.write(prompt);
      isShown = !isHidden;
      reader.setPrompt(isHidden || isPlain ? '' : prompt);
      if (!isPlain) reader.prompt();
      const line = await nextLine();
      isShown = false;
      if (isHidden || isPlain) output.write('\n');
      return line.trim();
    },
    close: () => {
      reader.removeAllListeners('close');
      reader.close();
    },
  };
}
