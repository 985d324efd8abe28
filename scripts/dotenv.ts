import { existsSync } from 'node:fs';
import { environment } from '../lib/config/environment.ts';
import { languageOf } from './language.ts';
import { commandWords } from './words/index.ts';

/** Reads `.env` in the working directory (npm's commands run in the project's), if there is one. The environment wins. */
export function loadDotenv(): void {
  if (!existsSync('.env')) return;
  try {
    process.loadEnvFile('.env');
  } catch {
    // Another user's file, or the directory that Docker makes of a file that is to be mounted and is not there.
    console.error(commandWords[languageOf(environment())].unreadable);
    process.exit(1);
  }
}
