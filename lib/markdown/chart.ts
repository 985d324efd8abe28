import * as z from 'zod';

const label = z.union([z.string(), z.number()]);

const point = z.union([label, z.null(), z.object({ name: label.optional(), value: label.nullable() })]);

/** The fields of an ECharts option that hold data. The other fields describe how the chart looks. */
const Axis = z.object({ name: z.string().optional(), data: z.array(label).optional() });

const Option = z.object({
  title: z.object({ text: z.string().optional() }).optional(),
  xAxis: z.union([Axis, z.tuple([Axis])]).optional(),
  yAxis: z.union([Axis, z.tuple([Axis])]).optional(),
  series: z.array(z.object({ name: z.string().optional(), data: z.array(point) })).min(1),
});

/**
 * Writes the data of an ECharts option as a markdown table under its title. Undefined if the data is no simple table.
 */
export function chartTable(json: string): string | undefined {
  const option = Option.safeParse(parseJson(json)).data;
  if (option === undefined) return undefined;
  const xAxis = Array.isArray(option.xAxis) ? option.xAxis[0] : option.xAxis;
  const yAxis = Array.isArray(option.yAxis) ? option.yAxis[0] : option.yAxis;
  // Horizontal bars have their categories on the y axis.
  const axis = xAxis?.data === undefined ? yAxis : xAxis;
  const columns = option.series.map(({ data }) => data.map(readPoint));
  const names = axis?.data ?? columns[0]?.map(({ name }) => name);
  if (names === undefined || names.some((name) => name === undefined)) return undefined;
  const rows = names.map((name, row) => [name, ...columns.map((column) => column[row]?.value)]);
  const header = [axis?.name, ...option.series.map(({ name }) => name)];
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`);
  const title = cell(option.title?.text);
  return (title === '' ? '' : `**${title}**\n\n`) + lines.join('\n');
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

type Label = z.infer<typeof label>;

function readPoint(data: z.infer<typeof point>): { name?: Label | undefined; value: Label | null } {
  return typeof data === 'object' && data !== null ? { name: data.name, value: data.value } : { value: data };
}

function cell(value: Label | null | undefined): string {
  return String(value ?? '')
    .replace(/\s+/g, ' ')
    .replace(/[\\|*`]/g, '\\$&')
    .trim();
}
