// Makes one animated PNG out of screenshots. Each frame after the first holds only the rectangle that changed.
// The format: https://www.w3.org/TR/png-3/ (acTL, fcTL, fdAT).
import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** A screenshot and how long it is shown. */
export interface Still {
  /** As Chromium writes it: 8 bits a channel, RGB or RGBA, not interlaced. */
  png: Buffer;
  ms: number;
}

interface Pixels {
  width: number;
  height: number;
  /** Three bytes a pixel. */
  rgb: Buffer;
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Five bits of a channel, spread over the eight: too little to see, and the file is smaller. White stays white. */
const coarse = (channel: number) => (channel & 0b1111_1000) | (channel >> 5);

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const CHANNELS = 3;

/** An animated PNG that begins again for ever. Stills that look the same become one frame. */
export function movingPicture(stills: readonly Still[]): Buffer {
  const frames: { pixels: Pixels; box: Box; ms: number }[] = [];
  for (const { png, ms } of stills) {
    const pixels = decode(png);
    const before = frames.at(-1);
    const box = before === undefined ? wholeOf(pixels) : changed(before.pixels, pixels);
    if (before !== undefined && box === null) before.ms += ms;
    else if (box !== null) frames.push({ pixels, box, ms });
  }
  const [first] = frames;
  if (first === undefined) throw new Error('a moving picture needs a still');
  let sequence = 0;
  const chunks = frames.flatMap(({ pixels, box, ms }, index) => {
    const control = chunk('fcTL', frameControl((sequence += 1) - 1, box, ms));
    const data = encode(pixels, box);
    if (index === 0) return [control, chunk('IDAT', data)];
    return [control, chunk('fdAT', Buffer.concat([uint32((sequence += 1) - 1), data]))];
  });
  // 8 bits a channel, RGB, and the only compression, filter method and order of lines that there are.
  const header = Buffer.concat([uint32(first.pixels.width), uint32(first.pixels.height), Buffer.from([8, 2, 0, 0, 0])]);
  const endless = 0;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('acTL', Buffer.concat([uint32(frames.length), uint32(endless)])),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const wholeOf = ({ width, height }: Pixels): Box => ({ left: 0, top: 0, width, height });

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

function frameControl(sequence: number, { left, top, width, height }: Box, ms: number): Buffer {
  const delay = Buffer.alloc(4);
  delay.writeUInt16BE(Math.min(ms, 0xffff), 0);
  delay.writeUInt16BE(1000, 2);
  // Leave the frame as it is, and replace what was there.
  const operations = Buffer.from([0, 0]);
  return Buffer.concat([...[sequence, width, height, left, top].map(uint32), delay, operations]);
}

/** The smallest rectangle that holds every pixel that differs; null where none does. */
function changed(before: Pixels, after: Pixels): Box | null {
  const { width, height } = after;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let at = 0; at < after.rgb.length; at += CHANNELS) {
    if (before.rgb.compare(after.rgb, at, at + CHANNELS, at, at + CHANNELS) === 0) continue;
    const pixel = at / CHANNELS;
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The lines of a rectangle, each with the filter that leaves the smallest numbers. */
function encode({ width, rgb }: Pixels, box: Box): Buffer {
  const stride = box.width * CHANNELS;
  const lines: Buffer[] = [];
  let above: Buffer = Buffer.alloc(stride);
  for (let y = box.top; y < box.top + box.height; y += 1) {
    const start = (y * width + box.left) * CHANNELS;
    const line = rgb.subarray(start, start + stride);
    lines.push(filtered(line, above));
    above = line;
  }
  return deflateSync(Buffer.concat(lines), { level: 9 });
}

/** None, Sub and Up: flat areas and text need no more. */
function filtered(line: Buffer, above: Buffer): Buffer {
  const none = Buffer.concat([Buffer.from([0]), line]);
  const sub = Buffer.from([1, ...line.map((byte, index) => byte - (line[index - CHANNELS] ?? 0))]);
  const up = Buffer.from([2, ...line.map((byte, index) => byte - (above[index] ?? 0))]);
  const weight = (bytes: Buffer) => bytes.subarray(1).reduce((sum, byte) => sum + Math.min(byte, 256 - byte), 0);
  return [none, sub, up].toSorted((a, b) => weight(a) - weight(b))[0] ?? none;
}

function decode(png: Buffer): Pixels {
  const [width, height, colours] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]];
  if (png[24] !== 8 || (colours !== 2 && colours !== 6) || png[28] !== 0) throw new Error('another kind of PNG');
  const channels = colours === 6 ? 4 : 3;
  const data: Buffer[] = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const bytes = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const rgb = Buffer.alloc(width * height * CHANNELS);
  let above: Buffer = Buffer.alloc(stride);
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1);
    const line = Buffer.from(bytes.subarray(start + 1, start + 1 + stride));
    unfilter(bytes[start] ?? 0, line, above, channels);
    for (let x = 0; x < width; x += 1)
      line.copy(rgb, (y * width + x) * CHANNELS, x * channels, x * channels + CHANNELS);
    above = line;
  }
  for (let at = 0; at < rgb.length; at += 1) rgb[at] = coarse(rgb[at] ?? 0);
  return { width, height, rgb };
}

/** Undoes the filter of a line, in place. */
function unfilter(kind: number, line: Buffer, above: Buffer, channels: number): void {
  for (let at = 0; at < line.length; at += 1) {
    const a = line[at - channels] ?? 0;
    const b = above[at] ?? 0;
    const c = above[at - channels] ?? 0;
    const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][kind] ?? 0;
    line[at] = (line[at] ?? 0) + guess;
  }
}

function paeth(a: number, b: number, c: number): number {
  const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - c - c)];
  if (toA <= toB && toA <= toC) return a;
  return toB <= toC ? b : c;
}
