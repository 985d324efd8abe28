import type { FileContent, MessageKind } from './types.ts';

/** A PNG of one pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGMQK/8PAAIzAY3srVTvAAAAAElFTkSuQmCC',
  'base64',
);

/** A PDF of one empty page, with an index that is right. */
function emptyPdf(): Buffer {
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 595]>>',
  ];
  let text = '%PDF-1.4\n';
  const index = objects.map((object, position) => {
    const line = `${String(text.length).padStart(10, '0')} 00000 n \n`;
    text += `${position + 1} 0 obj\n${object}\nendobj\n`;
    return line;
  });
  const head = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${index.join('')}`;
  const trailer = `trailer\n<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text + head + trailer, 'latin1');
}

/** Ten frames without sound, of 20 ms each: the head of RFC 4867 and its frame type 15 (no data). */
const silence = Buffer.concat([Buffer.from('#!AMR\n', 'latin1'), Buffer.alloc(10, 0x7c)]);

/** An MP4 as far as its type box (ISO 14496-12) and an empty `mdat`: enough to be recognised, nothing to be seen. */
const video = Buffer.concat([
  Buffer.from([0, 0, 0, 20]),
  Buffer.from('ftypisom\0\0\x02\0mp42', 'latin1'),
  Buffer.from([0, 0, 0, 8]),
  Buffer.from('mdat', 'latin1'),
]);

/** What people send where a test does not say: real bytes of each kind. */
export const sampleFiles: Readonly<Record<Extract<MessageKind, 'picture' | 'audio' | 'video' | 'file'>, FileContent>> =
  {
    picture: { name: 'picture.png', bytes: picture },
    audio: { name: 'voice.amr', bytes: silence },
    video: { name: 'video.mp4', bytes: video },
    file: { name: '报销制度 2026.pdf', bytes: emptyPdf() },
  };
