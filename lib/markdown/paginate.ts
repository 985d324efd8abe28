import { cutBlock } from './cut-block.ts';
import { numbersAsText } from './number-text.ts';

/** Lengths are in UTF-16 units. A text never has fewer of these than characters. */
interface PageLimits {
  firstChars: number;
  restChars: number;
  maxPages: number;
}

interface Pages {
  pages: string[];
  /** Number of code points of the rendered text that did not fit. */
  leftOutChars: number;
}

const SEPARATOR = '\n\n';

/** A block that is too long for any page starts on the current page only if this part of the page is free. */
const WORTH_STARTING = 0.25;

/** After a cut, a line of text that begins with a number would begin a list. */
const NUMBER_AT_START = /^(\d{1,9})([.)])(?= )/;

/**
 * Cuts blocks into pages: between blocks if possible, else between lines, else where a reader would pause. It never
 * cuts inside a link or a character. Markup that a cut leaves open is closed on its page and opened again on the next.
 * An ordered list that has to be cut is written with its numbers as text, all of it.
 */
export function paginate(blocks: readonly string[], limits: PageLimits): Pages {
  const pages: string[] = [];
  const pending = blocks.filter((block) => block !== '');
  let page = '';
  /** Number of code points at the start of the first pending block that are on a page already. */
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
    const items = canMove ? undefined : numbersAsText(block);
    if (items !== undefined) {
      pending.splice(0, 1, ...items);
      continue;
    }
    const cut = canMove ? undefined : cutBlock(block, room, page === '');
    if (cut !== undefined && cut.head !== '') {
      page = start + cut.head;
      repeated = cut.repeated;
      if (cut.tail === '') pending.shift();
      else pending[0] = cut.tail.replace(NUMBER_AT_START, '$1\\$2');
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
