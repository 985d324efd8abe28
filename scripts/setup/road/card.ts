import { hasFailed } from '../../doctor/finding.ts';
import { printable } from '../printable.ts';
import { askCounted, isLater, type Road } from './road.ts';

/** Sends a real card: nothing else proves a template. `userId` is the person whom `dws` knows, if any. */
export async function showCard(road: Road, userId: string | null): Promise<void> {
  const { draft, words, progress, checks, left, terminal } = road;
  if (draft.get('DINGTALK_CARD_TEMPLATE_ID') === '') {
    left.push(words.card.noTemplate);
    return;
  }
  if (progress.get('SETUP_CARD') === draft.get('DINGTALK_CARD_TEMPLATE_ID')) return;
  const person =
    userId ?? (road.where === 'stream' ? await firstPerson(road) : await askCounted(road, words.card.staffId));
  for (;;) {
    if (person === '') break;
    const findings = await checks.card(person);
    road.sayFindings(findings);
    if (!hasFailed(findings)) {
      progress.note('SETUP_CARD', draft.get('DINGTALK_CARD_TEMPLATE_ID'));
      return;
    }
    const answer = await askCounted(road, words.card.afterFailure);
    if (isLater(answer)) break;
    if (answer === '') continue;
    if (!answer.endsWith('.schema')) {
      terminal.say(words.templateShape);
      continue;
    }
    progress.count('SETUP_PASTED');
    draft.set('DINGTALK_CARD_TEMPLATE_ID', answer);
    road.save();
  }
  left.push(words.card.left);
}

/** The staff id of the first person who writes to the robot; empty where the person at the terminal does not wait. */
async function firstPerson({ terminal, words, checks }: Road): Promise<string> {
  const leaving = new AbortController();
  const came = new AbortController();
  const first = checks.firstPerson(leaving.signal).finally(() => came.abort());
  for (;;) {
    const line = await terminal.wait(() => words.card.writeToRobot, came.signal);
    if (line !== null && !isLater(line)) continue;
    leaving.abort();
    const person = await first;
    if (person) terminal.say(`  ✓ ${words.card.first(printable(person.nick))}`);
    return person?.staffId ?? '';
  }
}
