/** Marks a file object of Dify, anywhere in the outputs. */
const FILE_MARK = '__dify__file__';

type Outputs = Readonly<Record<string, unknown>>;

/** The text of an app that has exactly one output and it is a text; null otherwise. */
export function onlyText(outputs: Outputs): string | null {
  const values = Object.values(outputs);
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : null;
}

/**
 * The text of an app whose other outputs are empty or files; null otherwise. Such a text needs no name: files come as
 * messages of their own, which have names.
 */
export function singleText(outputs: Outputs): string | null {
  const values = Object.values(outputs).filter((value) => !isEmpty(value) && !isFiles(value));
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : null;
}

/** Whether no output is a text or data. */
export function hasOnlyFiles(outputs: Outputs): boolean {
  return Object.values(outputs).every((value) => isEmpty(value) || isFiles(value));
}

/** The outputs of a run as markdown, each below its name if there are several. Empty when there is nothing to show. */
export function renderOutputs(outputs: Outputs): string {
  const single = singleText(outputs);
  if (single !== null) return single;
  const shown = Object.entries(outputs).filter(([, value]) => !isEmpty(value));
  const [first] = shown;
  if (shown.length === 1 && first) return renderValue(first[1]);
  return shown.map(([key, value]) => renderEntry(key, value)).join('\n\n');
}

const isFiles = (value: unknown) => isFile(value) || (Array.isArray(value) && value.length > 0 && value.every(isFile));

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** How a line begins that is a heading, a quote, a table, a list or code only at the start of a line. */
const BLOCK = /^(?:#{1,6} |>|\||```|~~~|[-*+] |\d{1,9}[.)] )/;

function renderEntry(key: string, value: unknown): string {
  const rendered = renderValue(value);
  return rendered.includes('\n') || BLOCK.test(rendered) ? `**${key}**\n\n${rendered}` : `**${key}**: ${rendered}`;
}

function renderValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isFile(value)) return fileName(value);
  if (Array.isArray(value)) return renderList(value);
  return fencedJson(value);
}

function renderList(items: readonly unknown[]): string {
  if (items.every(isFile)) return items.map((file) => `- ${fileName(file)}`).join('\n');
  const rows = items.filter(isFlatRecord);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === items.length && columns.length > 0 && columns.length <= 8) {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    return [
      line(columns.map(tableCell)),
      line(columns.map(() => '---')),
      ...rows.map((row) => line(columns.map((column) => tableCell(row[column])))),
    ].join('\n');
  }
  const isShort = items.every((item) => typeof item === 'number' || (typeof item === 'string' && item.length <= 20));
  if (isShort) return JSON.stringify(items).replaceAll('","', '", "');
  if (items.every((item) => typeof item === 'string')) return items.map((item) => `- ${item}`).join('\n');
  return fencedJson(items);
}

function isFlatRecord(value: unknown): value is Record<string, string | number | boolean | null> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((cell) => cell === null || typeof cell !== 'object')
  );
}

function tableCell(value: string | number | boolean | null | undefined): string {
  return String(value ?? '')
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ');
}

function fencedJson(value: unknown): string {
  return `\`\`\`json\n${writtenJson(value)}\n\`\`\``;
}

/** `…` for a value of thousands of levels: `JSON.stringify` runs out of stack. */
function writtenJson(value: unknown): string {
  try {
    // A file inside a value is shown by its name. The file itself comes as a message of its own.
    return JSON.stringify(value, (_key, inner: unknown) => (isFile(inner) ? fileName(inner) : inner), 2);
  } catch {
    return '…';
  }
}

export function isFile(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dify_model_identity' in value &&
    value.dify_model_identity === FILE_MARK
  );
}

function fileName(file: Record<string, unknown>): string {
  return typeof file['filename'] === 'string' && file['filename'] !== '' ? `📎 ${file['filename']}` : '📎';
}
