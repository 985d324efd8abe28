/** The number of an option. Ends the command where it is none: a run of NaN turns would find nothing wrong. */
export function numberOf(option: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`--${option} wants a number of 0 or more`);
  return process.exit(2);
}
