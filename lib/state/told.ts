// How much a reply of the store tells beside its own matter.

/** Most turns whose lease has lapsed, and most whose form is due: the instance that is told looks after them. */
export const MOST_TOLD = 3;

/** Most waiting forms of a group. */
export const MOST_GROUP_FORMS = 10;

/** How long an instance has for a form that is due, in milliseconds. After that another one is told of it. */
export const DUE_AGAIN_MS = 60_000;
