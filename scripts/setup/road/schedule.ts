import type { Road } from './road.ts';

const QSTASH_CONSOLE = 'https://console.upstash.com/qstash';

/** Vercel's free plan calls the sweep once a day: offers a schedule at QStash that calls it every two minutes. */
export async function scheduleSweep(road: Road): Promise<void> {
  const { draft, terminal, words, checks, progress, left } = road;
  const isKnown = draft.get('QSTASH_TOKEN') !== '';
  terminal.say(`\n${words.schedule.intro}`);
  if (!isKnown) {
    terminal.say(words.schedule.where(QSTASH_CONSOLE));
    const token = await terminal.ask(`${words.schedule.ask}: `, true);
    progress.count('SETUP_QUESTIONS');
    if (token === '') {
      left.push(words.schedule.left);
      return;
    }
    progress.count('SETUP_PASTED');
    draft.set('QSTASH_TOKEN', token);
  }
  const findings = await checks.schedule();
  road.sayFindings(findings);
  if (findings.some(({ level }) => level === 'failed' || level === 'warning')) {
    // A token that was mistyped is asked for again the next time.
    if (!isKnown) draft.set('QSTASH_TOKEN', '');
    left.push(words.schedule.left);
  } else if (!isKnown) road.save();
}
