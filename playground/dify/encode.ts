import type { Behaviour } from './types.ts';

/** Python's `json.dumps`: a space after `:` and `,`, everything beyond ASCII as \uXXXX (protocol 2.1). */
export function dumps(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => dumps(entry)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    return `{${entries.map(([key, entry]) => `${dumps(key)}: ${dumps(entry)}`).join(', ')}}`;
  }
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(/[\u0080-\uffff]/gu, '').length === text.length ? text : escapeBeyondAscii(text);
}

function escapeBeyondAscii(text: string): string {
  let escaped = '';
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    escaped += code < 0x80 ? text.charAt(index) : `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

/** One event as it stands on the wire: the name is inside the JSON, there is no `event:` line. */
export function encodeEvent(event: object, style: Behaviour['style']): Buffer {
  return Buffer.from(`data: ${style === 'spaced' ? dumps(event) : JSON.stringify(event)}\n\n`, 'utf8');
}

/** The keep-alive: exactly these 13 bytes, without data. */
export const ping = Buffer.from('event: ping\n\n', 'utf8');
