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

/** As DingTalk does without a picture: the last characters of a Chinese name, the first letters of another. */
const initials = (/** @type {string} */ name, /** @type {number} */ most) =>
  /\p{Script=Han}/u.test(name)
    ? Array.from(name).slice(-most).join('')
    : name
        .split(' ')
        .map((part) => part.slice(0, 1))
        .join('')
        .slice(0, most);

/** @param {{ id: string, name: string }} person */
export function personAvatar({ id, name }) {
  return h('span', { class: `avatar colour-${colourOf(id)}`, 'aria-hidden': 'true' }, initials(name, 2));
}

export function robotAvatar() {
  return h('span', { class: 'avatar robot', 'aria-hidden': 'true' }, icon(icons.spark, 'icon solid'));
}

/** Up to four faces in one square. @param {readonly { id: string, name: string }[]} members */
export function groupAvatar(members) {
  const faces = members
    .slice(0, 3)
    .map(({ id, name }) => h('span', { class: `face colour-${colourOf(id)}` }, initials(name, 1)));
  return h(
    'span',
    { class: 'avatar group', 'aria-hidden': 'true' },
    faces,
    h('span', { class: 'face robot' }, icon(icons.spark, 'icon solid')),
  );
}
