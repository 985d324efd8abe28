import { strToU8, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { inspect, type ExpectedFile } from '../../lib/files/inspect.ts';

const hex = (digits: string, length = 64) => Buffer.concat([Buffer.from(digits.replaceAll(' ', ''), 'hex')], length);
const text = (content: string) => Buffer.from(content);

const png = hex('89504E470D0A1A0A 0000000D 49484452 00000001 00000001 08060000001F15C489 0000000049444154');
const jpg = hex('FFD8FFE000104A46494600010100000100010000');
const gif = text('GIF89a\u0001\u0000\u0001\u0000\u0000');
const webp = Buffer.concat([text('RIFF'), hex('24000000', 4), text('WEBPVP8 '), Buffer.alloc(40)]);
const bmp = hex('424D 3A000000 0000 0000 36000000 28000000');
const pdf = text('%PDF-1.7\n%âãÏÓ\n1 0 obj\n');
const exe = hex('4D5A 90000300000004000000FFFF0000B8');
const mp4 = Buffer.concat([hex('00000018', 4), text('ftypmp42'), hex('00000000', 4), text('mp42isom')]);
const mp3 = Buffer.concat([text('ID3'), hex('0300 0000000000', 7), hex('FFFB9064', 400)]);
const wav = Buffer.concat([text('RIFF'), hex('24000000', 4), text('WAVEfmt '), Buffer.alloc(40)]);
const amr = text('#!AMR\n<0123');
const rar = hex('526172211A0700CF907300');
const cfb = hex('D0CF11E0A1B11AE1', 600);
const svg = text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const html = text('<!DOCTYPE html><html><script>alert(1)</script></html>');
const zip = zipSync({ 'a.txt': strToU8('hello') });
const office = (folder: string, type: string) =>
  zipSync({
    '[Content_Types].xml': strToU8(
      `<Types><Override PartName="/${folder}" ContentType="application/${type}"/></Types>`,
    ),
    [`${folder}/a.xml`]: strToU8('<a/>'),
  });
const docx = office('word', 'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml');
const xlsx = office('xl', 'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml');
/** Its first part is so long that the rest is out of sight. */
const bigDocx = zipSync({
  'word/media/image1.png': [Buffer.from(Array.from({ length: 9_000 }, (_, n) => (n * 7919) % 251)), { level: 0 }],
  '[Content_Types].xml': strToU8('<Types/>'),
});

async function* chunks(content: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const look = (content: Uint8Array, name: string | null, kind: ExpectedFile['kind'] = 'file') =>
  inspect(chunks(content), { name, kind });

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof BridgeError ? error.code : String(error)),
  );

describe('a file is what it says', () => {
  test.each([
    ['a.png', png, 'image', 'image/png'],
    ['a.jpg', jpg, 'image', 'image/jpeg'],
    ['a.JPEG', jpg, 'image', 'image/jpeg'],
    ['a.gif', gif, 'image', 'image/gif'],
    ['a.webp', webp, 'image', 'image/webp'],
    ['a.bmp', bmp, 'custom', 'image/bmp'],
    ['报告.pdf', pdf, 'document', 'application/pdf'],
    ['a.docx', docx, 'document', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['big.docx', bigDocx, 'document', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['a.xlsx', xlsx, 'document', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['a.xls', cfb, 'document', 'application/vnd.ms-excel'],
    ['a.doc', cfb, 'custom', 'application/msword'],
    ['a.zip', zip, 'custom', 'application/zip'],
    ['a.rar', rar, 'custom', 'application/x-rar-compressed'],
    ['a.mp4', mp4, 'video', 'video/mp4'],
    ['a.mp3', mp3, 'audio', 'audio/mpeg'],
    ['a.wav', wav, 'audio', 'audio/wav'],
    ['a.amr', amr, 'audio', 'audio/amr'],
    ['a.txt', text('hello'), 'document', 'text/plain'],
    ['a.csv', text('BMW,1\n'), 'document', 'text/csv'],
    ['a.csv', Buffer.from('\uFEFF名,数\n', 'utf16le'), 'document', 'text/csv'],
    ['a.md', text('# 你好'), 'document', 'text/markdown'],
    ['a.json', text('{}'), 'custom', 'application/json'],
    ['a.html', html, 'document', 'text/html'],
    ['a.constructor', hex('0102030405'), 'custom', 'application/octet-stream'],
    ['a.dat', hex('0102030405'), 'custom', 'application/octet-stream'],
    ['empty.txt', Buffer.alloc(0), 'document', 'text/plain'],
  ])('%s', async (name, content, fileClass, mimeType) => {
    const file = await look(content, name);
    expect([file.name, file.class, file.extension]).toEqual([name, fileClass, name.split('.')[1]?.toLowerCase()]);
    expect(file.mimeType).toBe(mimeType);
  });

  test('and is given on whole, whatever parts it comes in', async () => {
    const content = Buffer.concat([png, Buffer.from(Array.from({ length: 20_000 }, (_, n) => n % 251))]);
    for (const size of [1, 999, 4_100, 50_000]) {
      const { bytes } = await inspect(chunks(content, size), { name: 'a.png', kind: 'picture' });
      const parts: Uint8Array[] = [];
      for await (const part of bytes) parts.push(part);
      expect(Buffer.concat(parts).equals(content)).toBe(true);
    }
  });

  test('and its error while it is read is its own', async () => {
    const mine = new BridgeError('file_unavailable', 'gone');
    const failing = async function* () {
      yield png;
      throw mine;
    };
    await expect(inspect(failing(), { name: 'a.png', kind: 'picture' })).rejects.toBe(mine);
  });
});

describe('a file is not what it says', () => {
  test.each([
    ['HTML as a picture', 'a.png', html, 'picture'],
    ['HTML as a picture that was sent as a file', 'a.png', html, 'file'],
    ['SVG as a picture', 'a.svg', svg, 'picture'],
    ['SVG as a nameless picture', null, svg, 'picture'],
    ['a PDF as a picture', null, pdf, 'picture'],
    ['nothing as a picture', null, Buffer.alloc(0), 'picture'],
    ['a program as a PDF', 'a.pdf', exe, 'file'],
    ['a program as a Word file', 'a.docx', exe, 'file'],
    ['a program as text', 'a.txt', exe, 'file'],
    ['a plain text as a PDF', 'a.pdf', text('hello'), 'file'],
    ['a PNG as a PDF', 'a.pdf', png, 'file'],
    ['a JPEG as a PNG that was sent as a file', 'a.png', jpg, 'file'],
    ['a workbook as a Word file', 'a.docx', xlsx, 'file'],
    ['an old office file as a new one', 'a.xlsx', cfb, 'file'],
    ['a rar as a zip', 'a.zip', rar, 'file'],
    ['a picture as a recording', null, png, 'audio'],
    ['a picture as a video', null, png, 'video'],
  ] as const)('%s', async (_what, name, content, kind) => {
    expect(await refusal(look(content, name, kind))).toBe('file_wrong_type');
  });
});

describe('a name', () => {
  test.each([
    [null, png, 'picture', 'picture.png'],
    ['', jpg, 'picture', 'picture.jpg'],
    ['///', amr, 'audio', 'audio.amr'],
    [null, mp4, 'video', 'video.mp4'],
    [null, text('hello'), 'file', 'file.txt'],
    [null, hex('0102'), 'file', 'file.bin'],
    ['README', text('hello'), 'file', 'README.txt'],
    ['scan', pdf, 'file', 'scan.pdf'],
    ['scan.', pdf, 'file', 'scan.pdf'],
    ['../a.png', png, 'picture', 'a.png'],
    ['a.png', jpg, 'picture', 'a.jpg'],
    ['photo.jpeg', jpg, 'picture', 'photo.jpeg'],
    ['v1.2 final', pdf, 'file', 'v1.2 final.pdf'],
  ] as const)('%j becomes usable', async (given, content, kind, name) => {
    expect((await look(content, given, kind)).name).toBe(name);
  });
});
