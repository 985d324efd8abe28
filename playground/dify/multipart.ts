/** A `multipart/form-data` body, read as Dify's web framework reads it. */

export interface Part {
  name: string;
  /** undefined for a plain field. */
  filename: string | undefined;
  /** Empty when the part does not name one. */
  mimeType: string;
  bytes: Buffer;
}

const lineBreak = '\r\n';

/** The parts, or `undefined` when the body is not what its content type says. */
export function readMultipart(contentType: string | undefined, body: Buffer): Part[] | undefined {
  const boundary = /^multipart\/form-data;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/iu.exec(contentType ?? '');
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return undefined;
  const parts: Part[] = [];
  let at = body.indexOf(`--${mark}`);
  while (at !== -1) {
    const from = at + mark.length + 2;
    if (body.toString('latin1', from, from + 2) === '--') return parts;
    const next = body.indexOf(`${lineBreak}--${mark}`, from);
    const part = next === -1 ? undefined : readPart(body.subarray(from + lineBreak.length, next));
    if (!part) return undefined;
    parts.push(part);
    at = next + lineBreak.length;
  }
  // The closing boundary is missing: the body was cut off.
  return undefined;
}

function readPart(bytes: Buffer): Part | undefined {
  const gap = bytes.indexOf(lineBreak.repeat(2));
  if (gap === -1) return undefined;
  const headers = new Map(
    bytes
      .toString('utf8', 0, gap)
      .split(lineBreak)
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const disposition = headers.get('content-disposition') ?? '';
  const name = /\bname="([^"]*)"/u.exec(disposition)?.[1];
  if (name === undefined) return undefined;
  return {
    name,
    filename: /\bfilename="([^"]*)"/u.exec(disposition)?.[1],
    mimeType: (headers.get('content-type') ?? '').replace(/;.*$/u, '').trim().toLowerCase(),
    bytes: bytes.subarray(gap + 2 * lineBreak.length),
  };
}

/** What is kept of such a body in the record of a request. */
export function describeParts(parts: readonly Part[]): Record<string, unknown> {
  return Object.fromEntries(
    parts.map(({ name, filename, mimeType, bytes }) => [
      name,
      filename === undefined ? bytes.toString('utf8') : { name: filename, mimeType, size: bytes.length },
    ]),
  );
}
