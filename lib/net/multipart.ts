import { BridgeError } from '../errors.ts';
import { withTimeout, type Clock } from '../runtime/clock.ts';
import { safeFileName } from './file-name.ts';
import { readAnswer, type Fetch, type HttpAnswer } from './http.ts';

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
  body: AsyncIterable<Uint8Array>;
  /** The error that reading the file's bytes threw, or null: an implementation of `Fetch` may wrap or hide it. */
  failure(): { error: unknown } | null;
  /** Ends the reading of the file's bytes. Returns at once and never throws. */
  close(): void;
}

export interface FormRequest {
  url: string;
  headers?: Record<string, string>;
  form: Multipart;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Longest answer that is read. The answers to uploads are small JSON. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Makes the form. With a known file size the length of the whole body is announced, and a file of another length ends the
 * upload. With an unknown size the body is sent chunked.
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
    body: parts(),
    failure: () => failure,
    close() {
      source.return?.().catch(() => {});
    },
  };
}

/**
 * Sends a form and reads the answer as JSON. Redirects are not followed.
 *
 * @throws the error of reading the file's bytes; else what `fetch` throws, a `TimeoutError` after `timeoutMs`, the
 * reason of `signal`, or a RangeError when the answer is longer than 1 MB.
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
        return await readAnswer(response, MAX_ANSWER_BYTES);
      } catch (error) {
        throw form.failure()?.error ?? error;
      } finally {
        // After an abort, or an answer that came before the end, the file may still be being read.
        form.close();
      }
    },
    request.signal,
  );
}

/** Writes a name as browsers do (HTML standard, "multipart/form-data encoding algorithm"): UTF-8, three escapes. */
const quoted = (name: string) => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const safeType = (type: string) =>
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}$/.test(type) ? type : 'application/octet-stream';

/**
 * Passes the bytes on.
 *
 * @throws BridgeError `file_unavailable` when there are more or fewer bytes than `size`.
 */
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
