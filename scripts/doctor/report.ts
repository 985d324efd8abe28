import { styleText } from 'node:util';
import { sectionOf } from '../../lib/errors.ts';
import type { CheckedFinding, Report, Section } from './run.ts';
import type { Level } from './finding.ts';
import { frameOf } from './sentences/index.ts';
import { type Titles } from './check-name.ts';

const SIGNS: Readonly<Record<Level, string>> = { ok: '✓', warning: '!', failed: '✗', note: '–' };
const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red', note: 'gray' } as const;

type Done = Extract<Report, { ok: true }>;

export function hasFailed({ sections }: Done): boolean {
  return sections.some(({ findings }) => findings.some(({ level }) => level === 'failed'));
}

/** For people. */
export function readableReport({ language, sections }: Done, isColoured: boolean): string {
  const frame = frameOf[language];
  const paint = (level: Level, text: string) =>
    isColoured ? styleText(COLOURS[level], text, { validateStream: false }) : text;
  const heading = ({ subject, robot }: Section) => (subject === 'deployment' ? frame.deployment : frame.robot(robot));
  const lines = ({ titles, finding: { level, found, mend, where, failure } }: Line) => [
    `  ${paint(level, SIGNS[level])} ${titles.join(frame.comma)}${frame.colon}${found}`,
    ...(mend === undefined ? [] : [`      ${frame.mend}${frame.colon}${mend}`]),
    ...(where === undefined ? [] : [`      ${frame.where}${frame.colon}${where}`]),
    ...(failure === undefined ? [] : [`      ${frame.more}${frame.colon}${sectionOf(failure, frame.operations)}`]),
  ];
  const blocks = sections.map((section) =>
    [heading(section), ...joined(section.findings, frame.titles).flatMap(lines)].join('\n'),
  );
  const all = sections.flatMap(({ findings }) => findings);
  const count = (level: Level) => all.filter((finding) => finding.level === level).length;
  const summary = frame.summary({ failed: count('failed'), warning: count('warning'), ok: count('ok') });
  const isUnfinished = all.some(({ code }) => code === 'variable');
  const ending = paint(count('failed') > 0 ? 'failed' : 'ok', summary);
  return [...blocks, ...(isUnfinished ? [frame.begin] : []), ending].join('\n\n');
}

/** A finding under the titles of the checks that it stands for. */
interface Line {
  titles: string[];
  finding: CheckedFinding;
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
  return JSON.stringify({ ok: !hasFailed(report), language: report.language, sections: report.sections }, null, 2);
}
