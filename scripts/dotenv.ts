import { existsSync } from 'node:fs';

/** Reads `.env` in the working directory (npm's commands run in the project's), if there is one. The environment wins. */
export function loadDotenv(): void {
  if (existsSync('.env')) process.loadEnvFile('.env');
}
