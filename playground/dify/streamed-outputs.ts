import { isRecord, type Json } from '../http/shape.ts';
import { fileMarkdownOf } from './result-files.ts';

/** Python's way to write a value inside a text. */
function repr(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map((entry) => repr(entry)).join(', ')}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, entry]) => `${repr(key)}: ${repr(entry)}`)
    .join(', ')}}`;
}

/** An end variable as it stands in a `text_chunk` (recorded: workflow-many-outputs.sse). */
export function streamedText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (isFile(value)) return fileMarkdownOf(value);
  if (Array.isArray(value))
    return value
      .map((entry) => (isFile(entry) ? fileMarkdownOf(entry) : `- ${typeof entry === 'string' ? entry : repr(entry)}`))
      .join('\n');
  return isRecord(value) ? JSON.stringify(value, null, 2) : repr(value);
}

const isFile = (value: unknown): value is Json => isRecord(value) && value['dify_model_identity'] === '__dify__file__';
