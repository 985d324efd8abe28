/** DingTalk's users read times of China, whose clocks are the same all year. */
export function chinaTime(ms: number): { month: number; day: number; time: string } {
  const date = new Date(ms + 8 * 3_600_000);
  return { month: date.getUTCMonth() + 1, day: date.getUTCDate(), time: date.toISOString().slice(11, 16) };
}

/** A time from now in one unit, rounded up, so that it is not too early. */
export function roundedUp(ms: number): [count: number, unit: 'second' | 'minute' | 'hour' | 'day'] {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds < 60) return [seconds, 'second'];
  if (seconds < 7_200) return [Math.ceil(seconds / 60), 'minute'];
  return seconds < 172_800 ? [Math.ceil(seconds / 3_600), 'hour'] : [Math.ceil(seconds / 86_400), 'day'];
}
