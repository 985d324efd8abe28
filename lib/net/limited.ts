/**
 * The bytes, up to a number of them.
 *
 * @throws what `tooMany` makes when there are more; the rest is not read.
 */
export async function* limited(
  bytes: AsyncIterable<Uint8Array>,
  most: number,
  tooMany: () => Error,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.byteLength;
    if (count > most) throw tooMany();
    yield chunk;
  }
}
