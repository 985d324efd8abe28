/** `note`: nothing to mend, or something that could not be checked. */
export type Level = 'ok' | 'note' | 'warning' | 'failed';
