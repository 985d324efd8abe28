import * as z from 'zod';

// A field that cannot be read counts as null, so that the rest of its event or record is still read: without its end event an
// answer would count as cut off, and without its record as lost.

export const text = z.string().nullish().catch(null);

export const number = z.number().nullish().catch(null);

export const list = z.array(z.unknown()).nullish().catch(null);
