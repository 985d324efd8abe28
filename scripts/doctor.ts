// `npm run doctor`: checks a real configuration piece by piece and says how to mend what is wrong.
import { systemClock } from '../lib/runtime/clock.ts';
import { environment } from '../lib/config/environment.ts';
import { createTcpRedis } from '../lib/state/redis/tcp.ts';
import { readArguments, usageOf } from './doctor/arguments.ts';
import { isFailure, jsonReport, readableReport } from './doctor/report.ts';
import { runDoctor } from './doctor/run.ts';
import { loadDotenv } from './dotenv.ts';
import { languageOf } from './language.ts';
import { placesOf } from './problems.ts';
import { createRunCommand } from './setup/command.ts';

loadDotenv();
const env = environment();
const usage = usageOf[languageOf(env)];
process.exit(await doctor().catch(failed));

/** The exit code. A connection to Redis would keep the process, so it is ended. */
async function doctor(): Promise<0 | 1 | 2> {
  const command = readArguments(process.argv.slice(2));
  if (command.kind === 'help') {
    await print(usage);
    return 0;
  }
  if (command.kind === 'wrong') return refuse(command.reason);
  const ports = {
    env,
    fetch: (url: string, init: RequestInit) => globalThis.fetch(url, init),
    clock: systemClock,
    newId: () => crypto.randomUUID(),
    connectRedis: (url: string) => createTcpRedis({ url, clock: systemClock }),
    runCommand: createRunCommand(env),
    nodeVersion: process.version,
  };
  const report = await runDoctor(ports, command.request);
  if (!report.ok) return refuse(report.reason);
  const isColoured = process.stdout.isTTY && !command.isPlain && !env['NO_COLOR'];
  await print(command.isJson ? jsonReport(report) : readableReport(report, { isColoured, showsAll: command.showsAll }));
  return isFailure(report) ? 1 : 0;
}

/** Waits until all of it is out: to a pipe that can be after the end of the process. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

function refuse(reason: string): 2 {
  console.error(`${reason}\n\n${usage}`);
  return 2;
}

/** A mistake of the doctor's own. */
function failed(error: unknown): 1 {
  console.error(['The doctor itself failed; please report these lines:', ...placesOf(error)].join('\n'));
  return 1;
}
