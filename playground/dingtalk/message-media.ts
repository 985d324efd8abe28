import { isText, type Json } from '../http/shape.ts';
import type { MediaType, SimulatedMessage, UploadedMedia } from './types.ts';
import { extensionOf } from './upload-media.ts';
import type { World } from './world.ts';

export type ShownMedia = Pick<SimulatedMessage, 'file' | 'image'>;

/** What `sampleFile` shows (protocol 7); other files can be uploaded, but not sent. */
const fileTypes = ['xlsx', 'pdf', 'zip', 'rar', 'doc', 'docx'];

/** The upload that a field names, or what is wrong with it. */
function uploaded(world: World, param: Json, field: string, type: MediaType): UploadedMedia | string {
  const media = world.media.get(String(param[field]));
  if (!media) return `${field} is not an uploaded file`;
  return media.type === type ? media : `${field} was uploaded as ${media.type}, not as ${type}`;
}

/** `photoURL`: a media id, or the address of a picture (protocol 6: both are confirmed for this key). */
function imageOf(world: World, param: Json): ShownMedia | string {
  const url = String(param['photoURL']);
  if (URL.canParse(url) && new URL(url).protocol === 'https:') return { image: { url } };
  const media = uploaded(world, param, 'photoURL', 'image');
  return typeof media === 'string' ? media : { image: { mediaId: media.id } };
}

function fileOf(world: World, param: Json): ShownMedia | string {
  const media = uploaded(world, param, 'mediaId', 'file');
  if (typeof media === 'string') return media;
  const type = String(param['fileType']);
  if (!fileTypes.includes(type)) return `fileType must be one of ${fileTypes.join(', ')}`;
  if (extensionOf(media.name) !== type) return `fileType is ${type}, but the uploaded file is ${media.name}`;
  return { file: { mediaId: media.id, name: String(param['fileName']), type } };
}

/** Audio and video carry no name of their own: the upload's is shown. */
function recordingOf(world: World, param: Json, field: string, type: 'voice' | 'video'): ShownMedia | string {
  const media = uploaded(world, param, field, type);
  if (typeof media === 'string') return media;
  // Protocol 7: milliseconds for audio, seconds for video.
  if (!/^\d+$/u.test(String(param['duration']))) return 'duration must be a number, written as text';
  return { file: { mediaId: media.id, name: media.name, type: extensionOf(media.name) } };
}

function videoOf(world: World, param: Json): ShownMedia | string {
  const cover = uploaded(world, param, 'picMediaId', 'image');
  if (typeof cover === 'string') return cover;
  return param['videoType'] === 'mp4' ? recordingOf(world, param, 'videoMediaId', 'video') : 'videoType must be mp4';
}

/** The file or picture that a robot message consists of, or what is wrong with it; nothing for messages of text. */
export function mediaOf(world: World, key: string, param: Json): ShownMedia | string {
  switch (key) {
    case 'sampleImageMsg':
      return imageOf(world, param);
    case 'sampleFile':
      return fileOf(world, param);
    case 'sampleAudio':
      return recordingOf(world, param, 'mediaId', 'voice');
    case 'sampleVideo':
      return videoOf(world, param);
    default:
      return {};
  }
}

/** Markdown of messages may show an upload by its id (protocol 6). One that is not known is a broken picture to people. */
export function unknownPicture(world: World, markdown: string): string | undefined {
  const ids = Array.from(markdown.matchAll(/!\[[^\]]*\]\((@[^)\s]+)\)/gu), ([, id]) => id);
  const unknown = ids.find((id) => isText(id) && world.media.get(id)?.type !== 'image');
  return unknown && `the picture ${unknown} is not an uploaded image`;
}
