// Small files that are what they say, and `GET /parameters` of apps that take files.
import { crc32, deflateSync } from 'node:zlib';

/** A PNG of one pixel. */
export function png(): Uint8Array {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(1, 0);
  header.writeUInt32BE(1, 4);
  header.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from([0, 255, 0, 0]))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

export const pdf = (): Uint8Array => Buffer.from('%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n');
export const csv = (): Uint8Array => Buffer.from('name,amount\n张三,300\n');
export const amr = (): Uint8Array => Buffer.from('#!AMR\n\u0004\u0000\u0000', 'latin1');

/** The parameters of an app that takes files of these classes with a question. */
export const taking = (...types: ('image' | 'document' | 'audio' | 'video' | 'custom')[]) => ({
  file_upload: {
    enabled: types.length > 0,
    allowed_file_types: types,
    allowed_file_extensions: [],
    allowed_file_upload_methods: ['local_file', 'remote_url'],
    number_limits: 3,
  },
});
