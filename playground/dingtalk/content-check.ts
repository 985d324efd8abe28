import type { DingTalkSettings } from './types.ts';

/** DingTalk's content check, reduced to a list of words. */
export function holdsUnsafeWord(settings: DingTalkSettings, texts: readonly string[]): boolean {
  return settings.unsafeWords.some((word) => texts.some((text) => text.includes(word)));
}
