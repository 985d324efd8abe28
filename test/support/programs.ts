// Programs from outside npm that some tests need, and where to find them on this machine.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const programs = {
  'redis-server': { names: ['redis-server'], install: 'apt-get install redis-server' },
  script: { names: ['script'], install: 'apt-get install bsdutils' },
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
    install: 'apt-get install chromium',
  },
} as const;

export type Program = keyof typeof programs;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The full path of a program on PATH, under any of its names. */
export function programPath(program: Program): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const { names } = programs[program];
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

/** How to get a program, for the line that says that it is missing. */
export const howToInstall = (program: Program): string => programs[program].install;
