/** An HTML tag of the source. Names are in lower case. */
export interface Tag {
  name: string;
  closing: boolean;
  attributes: ReadonlyMap<string, string>;
}

const NAMES =
  'a abbr address article aside audio b base bdi bdo big blockquote body br button canvas caption center cite code col ' +
  'colgroup data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure font footer form h1 h2 ' +
  'h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li link main map mark menu meta meter nav ' +
  'noscript object ol optgroup option output p param picture pre progress q rp rt ruby s samp script search section ' +
  'select small source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time ' +
  'title tr track tt u ul var video wbr';

/** The elements of HTML. A tag of any other name is text: `List<String>`, `<your key>`. */
export const KNOWN_TAGS: ReadonlySet<string> = new Set(NAMES.split(' '));

/** Elements that begin and end a line. */
export const LINE_TAGS: ReadonlySet<string> = new Set(
  (
    'address article aside blockquote br caption dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 ' +
    'h6 header hr li main nav ol p section summary table tr ul'
  ).split(' '),
);

const ATTRIBUTE = /([a-z_:][\w:.-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/gi;

/** Reads a tag. Undefined if it is not a tag of HTML. */
export function readTag(raw: string): Tag | undefined {
  const found = /^<(\/?)([a-z][a-z0-9-]*)([^]*)>$/i.exec(raw);
  const name = found?.[2]?.toLowerCase();
  if (name === undefined || !KNOWN_TAGS.has(name)) return undefined;
  const attributes = new Map<string, string>();
  for (const [, key = '', double, single, bare] of (found?.[3] ?? '').matchAll(ATTRIBUTE)) {
    attributes.set(key.toLowerCase(), double ?? single ?? bare ?? '');
  }
  return { name, closing: found?.[1] === '/', attributes };
}

/** Whether a token of HTML is a comment or a declaration. Neither is shown. */
export function isComment(raw: string): boolean {
  return /^<!(?:--|doctype\b|\[CDATA\[)/i.test(raw);
}

/** Writes a field of an HTML form as its question in brackets: a reader cannot fill it in here. */
export function fieldText({ attributes }: Tag): string {
  const type = attributes.get('type')?.toLowerCase();
  if (type === 'hidden') return '';
  if (type === 'checkbox' || type === 'radio') return attributes.has('checked') ? '☑ ' : '☐ ';
  return `【${attributes.get('placeholder') || attributes.get('value') || attributes.get('name') || '…'}】`;
}
