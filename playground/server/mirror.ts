import type { CardField, DingTalkSimulator, SimulatedCard, SimulatedMessage } from '../dingtalk/types.ts';
import type { DrawnInfo, FieldInfo, FileInfo } from './protocol.ts';

/** What the simulated DingTalk shows beside text, for the page to draw. */

/** A card as each of these people sees it. */
export function mirrorDrawing(
  dingtalk: DingTalkSimulator,
  { outTrackId }: SimulatedCard,
  people: readonly string[],
): Record<string, DrawnInfo[]> {
  const fieldOf = ({ name, label, type, options = [], value = '' }: CardField): FieldInfo => ({
    name,
    label,
    type,
    options,
    value,
  });
  const entries = people.map((person): [string, DrawnInfo[]] => [
    person,
    dingtalk
      .drawingOf(outTrackId, person)
      .map((part) => (part.kind === 'form' ? { ...part, fields: part.fields.map(fieldOf) } : part)),
  ]);
  return Object.fromEntries(entries);
}

const KINDS = { image: 'picture', voice: 'voice', video: 'video', file: 'file' } as const;

/** A message that is a file or a picture the robot uploaded. */
export function mirrorFile(dingtalk: DingTalkSimulator, { file, image }: SimulatedMessage): FileInfo | null {
  if (image && 'url' in image) return { kind: 'picture', name: '', size: 0, url: image.url };
  const media = dingtalk.media.get(file?.mediaId ?? image?.mediaId ?? '');
  if (!media) return null;
  const name = file?.name ?? media.name;
  const url = `/playground/media/${encodeURIComponent(media.id)}`;
  return { kind: KINDS[media.type], name, size: media.bytes.length, url };
}
