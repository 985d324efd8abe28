/** `note`: nothing to mend, or something that could not be checked. */
export type Level = 'ok' | 'note' | 'warning' | 'failed';

/** Before a finding in the terminal. */
export const SIGNS: Readonly<Record<Level, string>> = { ok: '✓', warning: '!', failed: '✗', note: '–' };
