import { beginning } from '../../lib/characters.ts';

/** What others wrote, in Dify or in DingTalk, on one line and without what a terminal would obey. */
export function printable(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return plain.length > 80 ? `${beginning(plain, 80)}…` : plain;
}
