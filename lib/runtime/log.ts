import { BridgeError, sectionOf } from '../errors.ts';
import type { Clock } from './clock.ts';

/** What the log may say of an error: our code, our words and its facts, or the name of an unexpected one. */
export function errorFields(error: unknown): Record<string, string | number | boolean | null> {
  if (error instanceof BridgeError) return { code: error.code, reason: error.message, ...error.facts };
  return { code: 'internal', error: error instanceof Error ? error.name : 'unknown' };
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Numbers and short codes. There is no field for text of users or of upstream services. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** The same log with these fields in each line. */
export function withFields(log: Log, fields: LogFields): Log {
  return {
    debug: (event, more) => log.debug(event, { ...fields, ...more }),
    info: (event, more) => log.info(event, { ...fields, ...more }),
    warn: (event, more) => log.warn(event, { ...fields, ...more }),
    error: (event, more) => log.error(event, { ...fields, ...more }),
  };
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log that writes one JSON object a line. A line with a code names the section of the documents on it. */
export function createLog(clock: Clock, level: LogLevel, write: (line: string) => void): Log {
  const threshold = LEVELS.indexOf(level);
  const at =
    (own: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(own) < threshold) return;
      const row = typeof fields['code'] === 'string' ? sectionOf(fields['code']) : undefined;
      write(JSON.stringify({ time: new Date(clock.now()).toISOString(), level: own, event, ...fields, row }));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
