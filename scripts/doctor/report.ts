import { styleText } from 'node:util';
import { sectionOf } from '../../lib/errors.ts';
import type { CheckedFinding, Report } from './run.ts';
import { hasFailed } from './finding.ts';
import { SIGNS, type Level } from './level.ts';
import { frameOf } from './sentences/index.ts';
import { type Titles } from './check-name.ts';

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red', note: 'gray' } as const;

type Done = Extract<Report, { ok: true }>;

export const isFailure = ({ sections }: Done): boolean => sections.some(({ findings }) => hasFailed(findings));

export interface Look {
  isColoured: boolean;
  /** Each line of what is fine; otherwise only what was checked. */
  showsAll: boolean;
}

const LEVELS = ['failed', 'warning', 'note', 'ok'] as const;

/** For people: one page, the worst first. */
export function readableReport({ language, sections }: Done, { isColoured, showsAll }: Look): string {
  const frame = frameOf[language];
  const paint = (level: Level, text: string) =>
    isColoured ? styleText(COLOURS[level], text, { validateStream: false }) : text;
  const hasSeveral = sections.filter(({ subject }) => subject === 'robot').length > 1;
  const all = sections.flatMap((section) => {
    const robot = hasSeveral && section.subject === 'robot' ? frame.robot(section.robot) : null;
    return joined(section.findings, frame.titles).map((line): PlacedLine => ({ ...line, robot }));
  });
  const titleOf = ({ robot, titles }: PlacedLine) =>
    [...(robot === null ? [] : [robot]), titles.join(frame.comma)].join(frame.colon);
  const lines = (line: PlacedLine) => {
    const { level, found, mend, where, failure } = line.finding;
    return [
      `  ${paint(level, SIGNS[level])} ${titleOf(line)}${frame.colon}${found}`,
      ...(mend === undefined ? [] : [`      ${frame.mend}${frame.colon}${mend}`]),
      ...(where === undefined ? [] : [`      ${frame.where}${frame.colon}${where}`]),
      ...(failure === undefined ? [] : [`      ${frame.more}${frame.colon}${sectionOf(failure, frame.operations)}`]),
    ];
  };
  const blocks = LEVELS.flatMap((level) => {
    const own = all.filter(({ finding }) => finding.level === level);
    if (own.length === 0) return [];
    const titles = [...new Set(own.map(titleOf))].join(frame.comma);
    const isFolded = level === 'ok' && !showsAll;
    const body = isFolded ? [`  ${paint('ok', SIGNS.ok)} ${titles}`, `      ${frame.all}`] : own.flatMap(lines);
    return [[paint(level, frame.levels[level]), ...body].join('\n')];
  });
  const found = sections.flatMap(({ findings }) => findings);
  const count = (level: Level) => found.filter((finding) => finding.level === level).length;
  const summary = frame.summary({ failed: count('failed'), warning: count('warning'), ok: count('ok') });
  const isUnfinished = found.some(({ code }) => code === 'variable');
  const ending = paint(count('failed') > 0 ? 'failed' : 'ok', summary);
  return [...blocks, ...(isUnfinished ? [frame.begin] : []), ending].join('\n\n');
}

/** A finding under the titles of the checks that it stands for. */
interface Line {
  titles: string[];
  finding: CheckedFinding;
}

interface PlacedLine extends Line {
  /** Of one robot of several. */
  robot: string | null;
}

/** What was left out for the same reason is one line. */
function joined(findings: readonly CheckedFinding[], titles: Titles): Line[] {
  const lines: Line[] = [];
  for (const finding of findings) {
    const same = lines.find((line) => line.finding.code === 'skipped' && line.finding.found === finding.found);
    if (finding.code === 'skipped' && same) same.titles.push(titles[finding.check]);
    else lines.push({ titles: [titles[finding.check]], finding });
  }
  return lines;
}

/** For programs: `code` and `check` stay the same in every language. */
export function jsonReport(report: Done): string {
  return JSON.stringify({ ok: !isFailure(report), language: report.language, sections: report.sections }, null, 2);
}
