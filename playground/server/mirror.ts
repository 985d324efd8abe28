import type { DingTalkSimulator, SimulatedCard, SimulatedMessage } from '../dingtalk/types.ts';
import type { ButtonInfo, FileInfo } from './protocol.ts';

/** What the simulated DingTalk shows beside text, for the page to draw. */

/** The buttons of a card as each of these people sees them. */
export function mirrorButtons(
  dingtalk: DingTalkSimulator,
  card: SimulatedCard,
  people: readonly string[],
): Record<string, ButtonInfo[]> {
  const entries = people.map((person) => {
    const buttons = dingtalk.buttonsOf(card.outTrackId, person).map((button) => ({
      actionId: button.actionId,
      params: button.params,
      label: button.label,
      chosen: button.chosen ?? false,
      fields: (button.fields ?? []).map(({ name, label, type, options = [], value = '' }) => ({
        name,
        label,
        type,
        options,
        value,
      })),
    }));
    return [person, buttons] as const;
  });
  return Object.fromEntries(entries);
}

/** The sentence on a card that only this person reads. */
export function mirrorNotices(card: SimulatedCard, people: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    people.flatMap((person) => {
      const notice = card.privateVariables[person]?.['notice'];
      return notice ? [[person, notice]] : [];
    }),
  );
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
