import { BridgeError } from '../errors.ts';
import { withTimeout, type Clock } from '../runtime/clock.ts';
import { safeFileName } from './file-name.ts';
import { readLimited, type Fetch, type HttpAnswer } from './http.ts';

export interface MultipartFile {
  /** The form's field. */
  field: string;
  name: string;
  type: string;
  /** Bytes; null when not known beforehand. */
  size: number | null;
  bytes: AsyncIterable<Uint8Array>;
}

/** A form with one file, written while it is sent. */
export interface Multipart {
  headers: Record<string, string>;
  body: ReadableStream<Uint8Array>;
  /** What the file's bytes threw while they were read; `fetch` wraps it or hides it. */
  failure(): { error: unknown } | null;
  /** Leaves the file's bytes, read or not. Never rejects and waits for nothing. */
  close(): void;
}

export interface FormRequest {
  url: string;
  headers?: Record<string, string>;
  form: Multipart;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** The answers to uploads are small JSON. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * With a known size the length of the whole body is announced: Node's `fetch` keeps a `content-length` beside a
 * stream (tried on Node 24), and refuses a body of another length. Without one the body goes out chunked.
 *
 * @param boundary must not occur in the file: the default is random.
 */
export function multipart(
  { fields, file }: { fields: Readonly<Record<string, string>>; file: MultipartFile },
  boundary = `form-${crypto.randomUUID()}`,
): Multipart {
  const encoder = new TextEncoder();
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
  );
  const head = encoder.encode(
    `${texts.join('')}--${boundary}\r\nContent-Disposition: form-data; name="${quoted(file.field)}"; ` +
      `filename="${quoted(safeFileName(file.name))}"\r\nContent-Type: ${safeType(file.type)}\r\n\r\n`,
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const source = file.bytes[Symbol.asyncIterator]();
  let failure: { error: unknown } | null = null;

  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    yield head;
    try {
      yield* exactly(source, file.size);
    } catch (error) {
      failure = { error };
      throw error;
    }
    yield tail;
  }

  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      ...(file.size === null ? {} : { 'content-length': String(head.length + file.size + tail.length) }),
    },
    body: ReadableStream.from<Uint8Array>(parts()),
    failure: () => failure,
    close() {
      source.return?.().catch(() => {});
    },
  };
}

/**
 * Sends a form; its answer is read as JSON. Redirects are not followed.
 *
 * @throws what the file's bytes threw, else what `fetch` throws, a `TimeoutError` among it.
 */
export async function sendForm(fetch: Fetch, clock: Clock, request: FormRequest): Promise<HttpAnswer> {
  const { url, headers, form, timeoutMs } = request;
  return withTimeout(
    clock,
    timeoutMs,
    async (signal) => {
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { accept: 'application/json', ...headers, ...form.headers },
          body: form.body,
          duplex: 'half',
          redirect: 'manual',
          signal,
        });
        const text = response.body ? new TextDecoder().decode(await readLimited(response.body, MAX_ANSWER_BYTES)) : '';
        return { status: response.status, json: parseJson(text) };
      } catch (error) {
        throw form.failure()?.error ?? error;
      } finally {
        // After an abort or an early refusal Node's `fetch` does not cancel the stream.
        form.close();
      }
    },
    request.signal,
  );
}

/** As browsers write names in a form (HTML standard, "multipart/form-data encoding algorithm"): UTF-8, three escapes. */
const quoted = (name: string) => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const safeType = (type: string) =>
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}$/.test(type) ? type : 'application/octet-stream';

/** Passes the bytes on; another number of them than was announced is an error. */
async function* exactly(
  source: AsyncIterator<Uint8Array>,
  size: number | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  let count = 0;
  for (;;) {
    const { done, value } = await source.next();
    if (done) break;
    count += value.byteLength;
    if (size !== null && count > size) break;
    yield value;
  }
  if (size !== null && count !== size) {
    throw new BridgeError('file_unavailable', 'the file is not as long as was said', { reason: 'length' });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
