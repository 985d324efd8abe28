/** What a played program printed, and how it ended. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Ends a played program from wherever it is. */
export class Left extends Error {
  readonly output: Output;

  constructor(output: Output) {
    super('the program has ended');
    this.output = output;
  }
}

/** @throws Left always. */
export function createLeave(code: number, stdout: string, stderr = ''): never {
  throw new Left({ code, stdout, stderr });
}
