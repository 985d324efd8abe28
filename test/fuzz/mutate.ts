// Mutations of recorded values. Each is described by small numbers, so that fast-check can make it smaller.
import * as fc from 'fast-check';

/** JSON values that readers are known to stumble over. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  0.1,
  '',
  ' ',
  '0',
  'null',
  '{}',
  '[]',
  '[[]]',
  '{"a":1}',
  '"',
  '\u0000',
  '\ud800',
  '\u202e',
  '__proto__',
  'constructor',
  'toString',
  '{{query}}',
  '<think>',
  '```',
  '[a](dtmd://dingtalkclient/sendMessage?content=x)',
  '![](/files/x)',
  'a'.repeat(5_000),
  '汉'.repeat(4_000),
  '👩‍👩‍👧'.repeat(400),
  [],
  {},
  [[]],
  [null],
  [''],
  { length: 3 },
  { toString: 1 },
  { content: null },
  JSON.parse('{"__proto__":{"x":1}}'),
];

export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_VALUES) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** One change to a JSON value: at the place `at`, counted through all of its parts. */
export interface JsonEdit {
  at: number;
  how: 'set' | 'drop' | 'wrap' | 'text' | 'twice' | 'swap';
  value: unknown;
}

const jsonEdit: fc.Arbitrary<JsonEdit> = fc.record({
  at: fc.nat(10_000),
  how: fc.constantFrom('set', 'set', 'set', 'drop', 'wrap', 'text', 'twice', 'swap'),
  value: oddValue,
});

export const jsonEdits = fc.array(jsonEdit, { maxLength: 4 });

type Holder = Record<string, unknown> | unknown[];

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** Every place in a value: what holds it, and under which name. */
function placesIn(value: unknown, places: { holder: Holder; key: string }[] = []): { holder: Holder; key: string }[] {
  if (!isHolder(value)) return places;
  for (const key of Object.keys(value)) {
    places.push({ holder: value, key });
    placesIn(Reflect.get(value, key), places);
  }
  return places;
}

function changed(inner: unknown, { how, value }: JsonEdit): unknown {
  if (how === 'set') return value;
  if (how === 'wrap') return { [typeof value === 'string' ? value : 'content']: inner };
  if (how === 'text')
    return typeof inner === 'string' ? `${inner}${JSON.stringify(value) ?? ''}` : JSON.stringify(inner);
  return [inner, inner];
}

/** Sets a property of any name, `__proto__` included. */
function put(holder: Holder, key: string, value: unknown): void {
  Reflect.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

/** A copy of `value` with these changes. */
export function edited(value: unknown, edits: readonly JsonEdit[]): unknown {
  const root = { value: structuredClone(value) };
  for (const edit of edits) {
    const places = placesIn(root);
    const place = places[edit.at % places.length];
    if (!place) continue;
    const { holder, key } = place;
    if (edit.how === 'drop') {
      Reflect.deleteProperty(holder, key);
    } else if (edit.how === 'swap') {
      const other = places[(edit.at * 7) % places.length];
      if (other) put(holder, key, structuredClone(Reflect.get(other.holder, other.key)));
    } else {
      put(holder, key, structuredClone(changed(Reflect.get(holder, key), edit)));
    }
  }
  return root.value;
}

/** One change to bytes, which are a string with a character for each. */
interface ByteEdit {
  at: number;
  how: 'put' | 'cut' | 'repeat' | 'flip';
  length: number;
  token: string;
}

/** What means something in a stream of events or in JSON. */
const TOKENS = [
  '\n',
  '\n\n',
  '\r',
  '\r\n\r\n',
  'data: ',
  'data:',
  'event: ping\n\n',
  ':',
  '"',
  '\\',
  '\\ud800',
  '{',
  '}',
  ']',
  ',',
  '\u00ef\u00bb\u00bf',
  '\u00ff\u00fe',
  '\u00e4',
  '\u0000',
  'data: [DONE]\n\n',
  'data: {}\n\n',
  'data: null\n\n',
  'data: {"event":"error","code":null,"status":"x","message":{}}\n\n',
  'data: {"event":"message_end","metadata":[]}\n\n',
  'data: {"event":"workflow_finished","data":{"status":"succeeded","outputs":[1]}}\n\n',
  'data: {"event":"message","answer":"<think>"}\n\n',
  'data: {"event":"message_replace","answer":""}\n\n',
];

const byteEdit: fc.Arbitrary<ByteEdit> = fc.record({
  at: fc.nat(1_000_000),
  how: fc.constantFrom('put', 'put', 'cut', 'repeat', 'flip'),
  length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 2_000 })),
  token: fc.constantFrom(...TOKENS),
});

export const byteEdits = fc.array(byteEdit, { maxLength: 5 });

export function editedBytes(bytes: string, edits: readonly ByteEdit[]): string {
  let changedBytes = bytes;
  for (const { at, how, length, token } of edits) {
    const from = at % (changedBytes.length + 1);
    const before = changedBytes.slice(0, from);
    const part = changedBytes.slice(from, from + length);
    const after = changedBytes.slice(from + length);
    if (how === 'put') changedBytes = `${before}${token}${part}${after}`;
    else if (how === 'cut') changedBytes = `${before}${after}`;
    else if (how === 'repeat') changedBytes = `${before}${part}${part}${after}`;
    else changedBytes = `${before}${flipped(part)}${after}`;
  }
  return changedBytes;
}

const flipped = (bytes: string): string =>
  bytes === '' ? '' : `${String.fromCharCode((bytes.charCodeAt(0) ^ 0x55) & 0xff)}${bytes.slice(1)}`;

/** A text as bytes, and back. */
export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
export const bufferOf = (bytes: string): Buffer => Buffer.from(bytes, 'latin1');
