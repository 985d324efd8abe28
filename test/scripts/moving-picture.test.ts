import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { movingPicture } from '../../scripts/moving-picture.ts';

const [WIDTH, HEIGHT] = [4, 3];

function chunk(type: string, data: Buffer): Buffer {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  const body = Buffer.concat([Buffer.from(type), data]);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A still whose lines are filtered by Up, white but for some black pixels. */
function still(black: readonly (readonly [x: number, y: number])[]): Buffer {
  const header = Buffer.from([0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, 2, 0, 0, 0]);
  const rows = Array.from({ length: HEIGHT }, () => Buffer.alloc(WIDTH * 3, 255));
  for (const [x, y] of black) rows[y]?.fill(0, x * 3, x * 3 + 3);
  const lines = rows.map((row, y) => Buffer.from([2, ...row.map((byte, at) => byte - (rows[y - 1]?.[at] ?? 0))]));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(lines))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const found = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    expect(png.readUInt32BE(at + 8 + data.length)).toBe(crc32(png.subarray(at + 4, at + 8 + data.length)));
    found.push({ type: png.toString('latin1', at + 4, at + 8), data });
  }
  return found;
}

test('a still that looks like the one before is no frame, and a later frame holds only what changed', () => {
  const stills = [
    { png: still([]), ms: 100 },
    { png: still([]), ms: 200 },
    { png: still([[2, 1]]), ms: 300 },
  ];
  const chunks = chunksOf(movingPicture(stills));
  expect(chunks.map(({ type }) => type)).toEqual(['IHDR', 'acTL', 'fcTL', 'IDAT', 'fcTL', 'fdAT', 'IEND']);
  const [first, second] = chunks.filter(({ type }) => type === 'fcTL').map(({ data }) => data);
  // Sequence, width, height, left, top; then the milliseconds.
  const box = (data?: Buffer) => [0, 4, 8, 12, 16].map((at) => data?.readUInt32BE(at));
  expect([box(first), first?.readUInt16BE(20)]).toEqual([[0, WIDTH, HEIGHT, 0, 0], 300]);
  expect([box(second), second?.readUInt16BE(20)]).toEqual([[1, 1, 1, 2, 1], 300]);
  expect([...inflateSync(chunks[5]?.data.subarray(4) ?? Buffer.alloc(0)).subarray(1)]).toEqual([0, 0, 0]);
  const white = inflateSync(chunks[3]?.data ?? Buffer.alloc(0));
  expect([...white.subarray(1, 4)]).toEqual([255, 255, 255]);
});
