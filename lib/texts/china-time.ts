/** DingTalk's users read times of China, whose clocks are the same all year. */
export function chinaTime(ms: number): { month: number; day: number; time: string } {
  const date = new Date(ms + 8 * 3_600_000);
  return { month: date.getUTCMonth() + 1, day: date.getUTCDate(), time: date.toISOString().slice(11, 16) };
}
