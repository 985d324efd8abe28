/**
 * Where the card of the tour goes: beside what it speaks of, and never on it where there is room.
 *
 * @typedef {{ left: number, top: number, width: number, height: number }} Box
 */

/** Between the card, what it points at, and the edge of the window. */
const GAP_PX = 14;
const EDGE_PX = 10;
/** How far the ring stands off. */
const RING_PX = 5;

/** What is to be seen of an element in its scrolling part. @param {Element} element @returns {Box | null} */
export function visibleBox(element) {
  const rect = element.getBoundingClientRect();
  const frame = element.closest('.tab-body, .timeline')?.getBoundingClientRect();
  const left = Math.max(rect.left - RING_PX, frame?.left ?? 0, 2);
  const top = Math.max(rect.top - RING_PX, frame?.top ?? 0, 2);
  const right = Math.min(rect.right + RING_PX, frame?.right ?? innerWidth, innerWidth - 2);
  const bottom = Math.min(rect.bottom + RING_PX, frame?.bottom ?? innerHeight, innerHeight - 2);
  return right - left > 4 && bottom - top > 4 ? { left, top, width: right - left, height: bottom - top } : null;
}

/**
 * @param {Box | null} target
 * @param {{ width: number, height: number }} card
 * @returns {{ left: number, top: number }}
 */
export function placeBeside(target, { width, height }) {
  const mostLeft = innerWidth - width - EDGE_PX;
  const mostTop = innerHeight - height - EDGE_PX;
  /** @param {number} value @param {number} most */
  const within = (value, most) => Math.max(EDGE_PX, Math.min(value, most));
  if (!target) return { left: within(mostLeft / 2, mostLeft), top: within(mostTop / 2, mostTop) };
  const across = within(target.top + target.height / 2 - height / 2, mostTop);
  const along = within(target.left + target.width / 2 - width / 2, mostLeft);
  const places = [
    { left: target.left + target.width + GAP_PX, top: across },
    { left: target.left - width - GAP_PX, top: across },
    { left: along, top: target.top + target.height + GAP_PX },
    { left: along, top: target.top - height - GAP_PX },
  ];
  const free = places.find(({ left, top }) => left >= EDGE_PX && left <= mostLeft && top >= EDGE_PX && top <= mostTop);
  if (free) return free;
  // No room beside it: over the half in which less of it is.
  const isLow = target.top + target.height / 2 > innerHeight / 2;
  return { left: along, top: isLow ? EDGE_PX : within(mostTop, mostTop) };
}
