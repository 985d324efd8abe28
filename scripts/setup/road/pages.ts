import { hasFailed, type Finding } from '../../doctor/finding.ts';
import type { Wanted } from './console-plan.ts';
import { askCounted, isLater, showPage, type Road } from './road.ts';

const CONSOLE = 'https://open-dev.dingtalk.com';

type Page = keyof Road['words']['pages']['names'];

/** The console by hand: one page at a time, each checked where a check exists. True when all of them are done. */
export async function setUpByPages(road: Road, { address, scopes }: Wanted): Promise<boolean> {
  const { terminal, words, progress, checks, left } = road;
  const done = new Set(progress.get('SETUP_PAGES_DONE').split(',').filter(Boolean));
  const pages: { name: Page; text: string; check: (() => Promise<Finding[]>) | null }[] = [
    { name: 'permissions', text: words.pages.permissions(scopes), check: checks.permissions },
    {
      name: 'robot',
      text: address === null ? words.pages.robotStream : words.pages.robotHttp(address),
      // Nothing tells the mode of a robot in HTTP mode before a message comes.
      check: address === null ? checks.stream : null,
    },
    { name: 'version', text: words.pages.version, check: null },
  ];
  const open = pages.filter(({ name }) => !done.has(name));
  if (open.length > 0) terminal.say(`\n${words.pages.intro}`);
  let isShown = false;
  for (const { name, text, check } of open) {
    terminal.say(`\n${text}`);
    if (!isShown) showPage(road, CONSOLE);
    isShown = true;
    if (await isDone(road, check)) {
      done.add(name);
      progress.note('SETUP_PAGES_DONE', [...done].join(','));
    } else left.push(words.pages.left(words.pages.names[name]));
  }
  return done.size === pages.length;
}

async function isDone(road: Road, check: (() => Promise<Finding[]>) | null): Promise<boolean> {
  const { words } = road;
  for (let prompt = words.pages.done; ; prompt = words.pages.again) {
    if (isLater(await askCounted(road, prompt))) return false;
    if (!check) return true;
    const findings = await check();
    road.sayFindings(findings);
    if (!hasFailed(findings)) return true;
  }
}
