import * as z from 'zod';
import type { Activity } from '../answer/event.ts';
import { plainLine, shortened } from '../markdown/plain-line.ts';
import { text } from './wire-fields.ts';

const MAX_NAME_CHARS = 40;

/** Nodes that only move data: they take no time, and a reader learns nothing from their names. */
const SILENT_NODES: ReadonlySet<string> = new Set([
  'start', 'end', 'answer', 'if-else', 'variable-aggregator', 'variable-assigner', 'assigner', 'iteration-start',
  'loop-start', 'loop-end', 'human-input', 'trigger-webhook', 'trigger-schedule', 'trigger-plugin',
]); // prettier-ignore

/** A name for the middle of a line of text. */
const activityName = (name: string) => shortened(plainLine(name, '~()#\\$'), MAX_NAME_CHARS);

/** The `data` of events that begin a node, an iteration or a loop. */
export const nodeShape = z.object({ node_type: text, title: text });

export function nodeActivity({ node_type, title }: z.output<typeof nodeShape>): Activity | null {
  if (node_type && SILENT_NODES.has(node_type)) return null;
  const name = activityName(title ?? '');
  return name === '' ? null : { kind: 'node', name };
}

export const toolShape = z.object({
  tool: text,
  tool_labels: z
    .record(z.string(), z.object({ zh_Hans: text, en_US: text }).nullish().catch(null))
    .nullish()
    .catch(null),
});

/** The tool of an agent's step; of several, joined by `;` on the wire, the first. */
export function toolActivity({ tool, tool_labels }: z.output<typeof toolShape>): Activity | null {
  const id = tool?.split(';').find((part) => part.trim() !== '');
  const name = activityName(id ?? '');
  if (id === undefined || name === '') return null;
  const own = tool_labels && Object.hasOwn(tool_labels, id) ? tool_labels[id] : null;
  const zh = activityName(own?.zh_Hans ?? '');
  const en = activityName(own?.en_US ?? '');
  if (zh === '' && en === '') return { kind: 'tool', name };
  return { kind: 'tool', name, labels: { ...(zh ? { zh } : {}), ...(en ? { en } : {}) } };
}

export const logShape = z.object({ label: text, status: text });

/** A step of a workflow's agent node. Dify reports it when it begins and again when it ends; the end is nothing new. */
export function logActivity({ label, status }: z.output<typeof logShape>): Activity | null {
  if (status && status !== 'start') return null;
  const tool = /^CALL\s+(\S.*)$/.exec(label ?? '')?.[1];
  const name = activityName(tool ?? label ?? '');
  return name === '' ? null : { kind: tool === undefined ? 'node' : 'tool', name };
}
