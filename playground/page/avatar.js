import { h, icon } from './dom.js';
import { icons } from './icons.js';

/** Enough to tell people apart; the same person always has the same one. */
const COLOURS = 6;

/** @param {string} id */
function colourOf(id) {
  let sum = 0;
  for (const sign of id) sum = (sum * 7 + (sign.codePointAt(0) ?? 0)) % 1009;
  return sum % COLOURS;
}

/** As DingTalk does without a picture: the last two characters of a Chinese name. @param {string} name */
const initials = (name) => Array.from(name).slice(-2).join('');

/** @param {{ id: string, name: string }} person */
export function personAvatar({ id, name }) {
  return h('span', { class: `avatar colour-${colourOf(id)}`, 'aria-hidden': 'true' }, initials(name));
}

export function robotAvatar() {
  return h('span', { class: 'avatar robot', 'aria-hidden': 'true' }, icon(icons.spark, 'icon solid'));
}

/** Up to four faces in one square. @param {readonly { id: string, name: string }[]} members */
export function groupAvatar(members) {
  const faces = members
    .slice(0, 3)
    .map(({ id, name }) => h('span', { class: `face colour-${colourOf(id)}` }, Array.from(name).slice(-1).join('')));
  return h(
    'span',
    { class: 'avatar group', 'aria-hidden': 'true' },
    faces,
    h('span', { class: 'face robot' }, icon(icons.spark, 'icon solid')),
  );
}
