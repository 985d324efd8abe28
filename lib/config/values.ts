import * as z from 'zod';

// The kinds of value that a variable can hold. The description of each completes the sentence "expected …".

/** A whole number written in digits, between `min` and `max`. */
export const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from ${min} to ${max}`);

export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values).describe(`one of ${values.join(', ')}`);

export const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0']))
  .transform((value) => value === 'true' || value === '1')
  .describe('true or false');

export const text = z.string().describe('a text');

/** An http or https address without query, kept without its trailing slash. */
export const address = z
  .string()
  .refine((value) => {
    const url = URL.parse(value);
    return (
      url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === ''
    );
  })
  .transform((value) => value.replace(/\/+$/, ''))
  .describe('an address that begins with https:// or http://');

export const redisAddress = z
  .string()
  .regex(/^rediss?:\/\/\S+$/)
  .describe('an address that begins with redis:// or rediss://');

/** Ids separated by commas, spaces or line breaks. */
export const idList = z
  .string()
  .transform((value) => value.split(/[\s,，;；]+/).filter((id) => id !== ''))
  .describe('ids separated by commas');

const MS_PER_UNIT: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `N/T`: N questions in a window of T. */
export const rate = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,6}[smhd]$/)
  .transform((value) => {
    const [, count = '', length = '', unit = ''] = /^(\d+)\/(\d+)(\w)$/.exec(value) ?? [];
    return { questions: Number(count), windowMs: Number(length) * (MS_PER_UNIT[unit] ?? 0) };
  })
  .describe('a rate such as 20/1h (questions per s, m, h or d)');

export const jsonObject = z
  .string()
  .transform((value, context) => {
    try {
      return z.record(z.string(), z.json()).parse(JSON.parse(value));
    } catch {
      context.addIssue('not a JSON object');
      return z.NEVER;
    }
  })
  .describe('a JSON object');

/** The current client secret first; the second one is still accepted while the secret is being rotated. */
export const secrets = z
  .string()
  .transform((value) => value.split(',').map((secret) => secret.trim()))
  .refine((list) => list.length <= 2 && list.every((secret) => secret !== ''))
  .describe('the client secret, or new,old while it is being rotated');
