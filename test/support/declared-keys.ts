// Runs scripts as a user of Redis who may touch only the keys that were passed with the script. Upstash locks by these.
import { createHash } from 'node:crypto';
import { createRespClient, type RespReply } from './resp.ts';

/** The patterns of the keys that a script learns from what it reads, and so cannot be passed. */
export type FoundKeys = (script: string) => readonly string[];

const USER = 'declared-keys';

export interface DeclaredKeys {
  /** Whether the command is a script. */
  concerns(command: readonly string[]): boolean;
  /** Runs it. A key that was not passed is refused by Redis itself, in the words of a failed script. */
  run(command: readonly string[]): Promise<RespReply>;
  close(): void;
}

export function createDeclaredKeys(redisPort: number, found: FoundKeys): DeclaredKeys {
  const admin = createRespClient(redisPort);
  const user = createRespClient(redisPort);
  const scripts = new Map<string, string>();
  /** The rights are those of the user, so one script runs at a time. */
  let last: Promise<unknown> = admin
    .send([['ACL', 'SETUSER', USER, 'on', 'nopass', '+@all']])
    .then(() => user.send([['AUTH', USER, 'any']]));

  async function runNext(command: readonly string[]): Promise<RespReply> {
    const [name = '', given = '', count = '0'] = command;
    if (name.toLowerCase() === 'eval') scripts.set(createHash('sha1').update(given).digest('hex'), given);
    const script = scripts.get(given) ?? given;
    const passed = command.slice(3, 3 + Number(count)).map((key) => key.replace(/[\\*?[\]]/gu, String.raw`\$&`));
    await admin.send([['ACL', 'SETUSER', USER, 'resetkeys', ...[...passed, ...found(script)].map((key) => `~${key}`)]]);
    const [reply = null] = await user.send([command]);
    return reply;
  }

  return {
    concerns: ([name = '']) => /^eval(?:sha)?$/iu.test(name),
    run(command) {
      const reply = last.then(() => runNext(command));
      last = reply.catch(() => undefined);
      return reply;
    },
    close() {
      admin.close();
      user.close();
    },
  };
}
