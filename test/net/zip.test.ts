import { crc32 } from 'node:zlib';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { zipFile } from '../../lib/net/zip.ts';

const AT = Date.UTC(2026, 9, 31, 13, 45, 58);

async function* inChunks(content: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += length) yield content.subarray(start, start + length);
}

describe('an archive with one file', () => {
  it.each([
    ['small', '季度明细\n', 6, 4],
    ['empty', '', 6, 4],
    ['large', '一行很长的文字，'.repeat(40_000), 6, 1_000],
    ['stored without compression', 'abc'.repeat(50_000), 0, 70_000],
  ])('is read by another program, where the file is %s', async (_, text, level, chunk) => {
    const bytes = inChunks(Buffer.from(text), chunk);
    const archive = Buffer.concat(await zipFile({ name: '明细 表.csv', bytes, level, modifiedMs: AT }));
    const files = unzipSync(archive);
    expect(Object.entries(files).map(([name, content]) => [name, strFromU8(content)])).toEqual([['明细 表.csv', text]]);

    // What that program does not check: both headers tell the same, with the checksum and the time.
    const entry = archive.subarray(archive.readUInt32LE(archive.length - 6));
    expect(entry.readUInt32LE(16)).toBe(crc32(text));
    expect(entry.readUInt16LE(12)).toBe((13 << 11) | (45 << 5) | (58 / 2));
    expect(entry.readUInt16LE(14)).toBe(((2026 - 1980) << 9) | (10 << 5) | 31);
    expect(archive.subarray(6, 28)).toEqual(entry.subarray(8, 30));
  });

  it('is smaller than a text that repeats itself', async () => {
    const bytes = inChunks(Buffer.alloc(1_000_000, 'a'), 65_536);
    const archive = Buffer.concat(await zipFile({ name: 'a.txt', bytes, level: 6, modifiedMs: AT }));
    expect(archive.byteLength).toBeLessThan(5_000);
  });

  it('fails as reading the file fails', async () => {
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begun');
      throw new Error('the download broke');
    }
    const archive = zipFile({ name: 'a.txt', bytes: breaking(), level: 6, modifiedMs: AT });
    await expect(archive).rejects.toThrow('the download broke');
  });
});
