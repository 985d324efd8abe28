import { cutBlock } from './cut-block.ts';

/** Lengths are in UTF-16 units, of which no text has fewer than characters. */
interface PageLimits {
  firstChars: number;
  restChars: number;
  maxPages: number;
}

interface Pages {
  pages: string[];
  /** Code points of the rendered text that did not fit. */
  leftOutChars: number;
}

const SEPARATOR = '\n\n';

/** A block too long for any page starts on the current one only if this part of it is free. */
const WORTH_STARTING = 0.25;

/**
 * Cuts blocks into pages: between blocks if possible, else between lines, else where a reader would pause.
 * Never within a link or a character; what is cut open is closed on its page and continued on the next.
 */
export function paginate(blocks: readonly string[], limits: PageLimits): Pages {
  const pages: string[] = [];
  const pending = blocks.filter((block) => block !== '');
  let page = '';
  /** Code points at the start of the first pending block that were already shown. */
  let repeated = 0;
  while (pending[0] !== undefined && pages.length < limits.maxPages) {
    const block = pending[0];
    const limit = pages.length === 0 ? limits.firstChars : limits.restChars;
    const start = page === '' ? '' : page + SEPARATOR;
    const room = limit - start.length;
    if (block.length <= room) {
      page = start + block;
      pending.shift();
      repeated = 0;
      continue;
    }
    const isLastPage = pages.length === limits.maxPages - 1;
    const canMove = page !== '' && !isLastPage && (block.length <= limits.restChars || room < limit * WORTH_STARTING);
    const cut = canMove ? undefined : cutBlock(block, room, page === '');
    if (cut !== undefined && cut.head !== '') {
      page = start + cut.head;
      repeated = cut.repeated;
      if (cut.tail === '') pending.shift();
      else pending[0] = cut.tail;
    } else if (page === '') {
      break;
    }
    pages.push(page);
    page = '';
  }
  if (page !== '') pages.push(page);
  const leftOut = Array.from(pending.join(SEPARATOR)).length - repeated;
  return { pages, leftOutChars: Math.max(0, leftOut) };
}
