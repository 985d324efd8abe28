import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw } from 'node:zlib';

export interface FileToZip {
  name: string;
  bytes: AsyncIterable<Uint8Array>;
  /** Of zlib: 0 stores, 9 compresses most. */
  level: number;
  /** The time of the file within the archive, in milliseconds since 1970. Archives have no time zone; this one is in UTC. */
  modifiedMs: number;
}

// Field values of PKWARE's APPNOTE.TXT 6.3.10: version 2.0 knows deflate; bit 11 says that the name is UTF-8.
const VERSION = 20;
const UTF8_NAME = 0x08_00;
const DEFLATE = 8;
const LOCAL_HEADER = 0x04_03_4b_50;
const DIRECTORY_ENTRY = 0x02_01_4b_50;
const END_OF_DIRECTORY = 0x06_05_4b_50;

/**
 * A zip archive with one file, as chunks in order. zlib compresses on another thread, so a large file does not hold up the
 * other answers of this instance, and only what is compressed is kept in memory. For files below 4 GB.
 *
 * @throws what reading the bytes throws.
 */
export async function zipFile({ name, bytes, level, modifiedMs }: FileToZip): Promise<Uint8Array[]> {
  let [checksum, size] = [0, 0];
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      checksum = crc32(chunk, checksum);
      size += chunk.byteLength;
      yield chunk;
    }
  }
  const deflate = createDeflateRaw({ level });
  const [compressed] = await Promise.all([Array.fromAsync<Uint8Array>(deflate), pipeline(counted, deflate)]);

  const fileName = Buffer.from(name, 'utf8');
  const compressedSize = compressed.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const described = [
    short(UTF8_NAME, DEFLATE),
    dosTime(new Date(modifiedMs)),
    long(checksum, compressedSize, size),
    short(fileName.byteLength),
  ];
  const header = Buffer.concat([long(LOCAL_HEADER), short(VERSION), ...described, short(0), fileName]);
  // After the name's length: no extra field, no comment, disk 0, no attributes, and the header is at offset 0.
  const entry = Buffer.concat([
    long(DIRECTORY_ENTRY),
    short(VERSION, VERSION),
    ...described,
    short(0, 0, 0, 0),
    long(0, 0),
    fileName,
  ]);
  const directoryAt = header.byteLength + compressedSize;
  const end = [long(END_OF_DIRECTORY), short(0, 0, 1, 1), long(entry.byteLength, directoryAt), short(0)];
  return [header, ...compressed, entry, ...end];
}

const short = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
const long = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);

/** Time, then date; seconds count in twos, years from 1980. */
function dosTime(at: Date): Uint8Array {
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return short(time, date);
}
