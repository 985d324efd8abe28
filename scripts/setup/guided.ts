import { robotSettings } from '../../lib/config/robot-settings.ts';
import { codeOf } from '../problems.ts';
import { remainingSteps, summaryOf } from './ending.ts';
import { mergeEnv, readEnvFile, writeEnvFile } from './env-file.ts';
import { createGuide, sayFindings } from './guide.ts';
import { openProgress, type Progress } from './progress.ts';
import { newSecret } from './question-parts.ts';
import type { State } from './question.ts';
import { openState } from './state.ts';
import { lookAtApp } from './questions.ts';
import { showCard } from './road/card.ts';
import { setUpConsole } from './road/console.ts';
import { deployToVercel } from './road/deploy.ts';
import { scheduleSweep } from './road/schedule.ts';
import { showPage, WHERES, type Road, type Where } from './road/road.ts';
import { scanForApp } from './scan.ts';
import { confirm, type ActPorts, type Setup } from './setup.ts';
import type { Variable } from './variables.ts';
import { createVercel } from './vercel.ts';
import { roadWordsOf, wordsOf } from './words/index.ts';

const CARD_PLATFORM = 'https://open-dev.dingtalk.com/fe/card';
const DIFY_CLOUD_API = robotSettings.DIFY_API_URL.default;

/** Where answers are kept until they are in the file itself. */
export const progressFileOf = (envFile: string) => `${envFile}.setup`;

/** Answers that are copied from a page. */
const PASTED: ReadonlySet<string> = new Set<Variable>([
  'DINGTALK_CLIENT_ID',
  'DINGTALK_CLIENT_SECRET',
  'DINGTALK_CARD_TEMPLATE_ID',
  'DIFY_API_URL',
  'DIFY_API_KEY',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
]);

/** From a scan to a card: asks, and does with the person's consent what can be done by commands. */
export async function runGuided(setup: Setup, acts: ActPorts, before: string): Promise<0 | 1> {
  const { ports, options, language, terminal } = setup;
  const words = wordsOf[language];
  const kept = progressFileOf(options.envFile);
  let progress: Progress;
  try {
    progress = openProgress(options.isDryRun ? null : kept, ports.newId);
  } catch (error) {
    terminal.say(words.fileRefused(kept, codeOf(error)));
    return 1;
  }
  const state = openState(setup, before, new Map([...setup.imported, ...progress.answers()]));
  const { draft } = state;
  const road: Road = {
    ...acts,
    terminal,
    words: roadWordsOf[language],
    draft,
    progress,
    checks: state.checks,
    where: 'vercel',
    save: () => save(setup, draft),
    sayFindings: (findings) => sayFindings(terminal, findings, language),
    left: [],
  };
  const answered = answeredBefore(progress);
  terminal.say(`\n${road.words.intro(options.envFile)}`);
  if (answered.length > 0) terminal.say(road.words.resumed(kept));
  try {
    await takeApp(setup, road, answered);
    await askAll(setup, acts, road, state, answered);
    if (!(await writeFile(setup, road, before))) return 1;
  } catch (error) {
    terminal.say(words.fileRefused(options.envFile, codeOf(error)));
    return 1;
  }
  if (options.isDryRun) return 0;
  if (!options.isChecked) {
    terminal.say(remainingSteps(draft, words, options.envFile));
    return 0;
  }
  await act(road);
  end(road);
  return 0;
}

/** By a scan, where no app is known yet and the person does not enter one by hand. A scan creates an app at DingTalk. */
async function takeApp({ ports, options }: Setup, road: Road, answered: string[]): Promise<void> {
  const { draft, progress } = road;
  if (draft.get('DINGTALK_CLIENT_ID') !== '' || !options.isChecked || options.isDryRun) return;
  const oapiUrl = draft.environment()['DINGTALK_OAPI_URL'] ?? robotSettings.DINGTALK_OAPI_URL.default;
  const scanned = await scanForApp({ ...ports, oapiUrl }, road.terminal, road.words.scan);
  if (!scanned) return;
  draft.set('DINGTALK_CLIENT_ID', scanned.clientId);
  draft.set('DINGTALK_CLIENT_SECRET', scanned.clientSecret);
  // DingTalk tells the secret once: it is kept before anything else happens.
  progress.keep('DINGTALK_CLIENT_ID', scanned.clientId);
  progress.keep('DINGTALK_CLIENT_SECRET', scanned.clientSecret);
  answered.push('DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET');
  progress.note('SETUP_ANSWERED', JSON.stringify(answered));
}

async function askAll(
  setup: Setup,
  { writeTemplate }: ActPorts,
  road: Road,
  state: State,
  answered: readonly string[],
): Promise<void> {
  const { terminal, language, options } = setup;
  const { progress, draft, words } = road;
  const where = () => WHERES.find((known) => known === progress.get('SETUP_WHERE')) ?? '';
  const vercel = await createVercel(road.run).state();
  state.acts = {
    words,
    where,
    setWhere: (chosen: Where) => progress.note('SETUP_WHERE', chosen),
    hasVercel: vercel.kind === 'ready',
    showTemplate() {
      if (!options.isDryRun) terminal.say(words.templateFile(writeTemplate()));
      showPage(road, CARD_PLATFORM);
    },
    showDify() {
      const url = draft.get('DIFY_API_URL') || DIFY_CLOUD_API;
      showPage(road, url === DIFY_CLOUD_API ? 'https://cloud.dify.ai/apps' : `${URL.parse(url)?.origin ?? ''}/apps`);
    },
  };
  // What the app requires is known only after it was asked again.
  if (answered.includes('DIFY_API_KEY') && state.isChecked) await lookAtApp(state);
  const guide = createGuide({
    state,
    terminal,
    language,
    answered,
    onLine({ id }, line) {
      progress.count('SETUP_QUESTIONS');
      if (line.length > 1 && PASTED.has(id)) progress.count('SETUP_PASTED');
    },
    onAnswered(ids) {
      for (const [variable, value] of draft.changes()) progress.keep(variable, value);
      progress.note('SETUP_ANSWERED', JSON.stringify(ids));
    },
  });
  await guide.run();
  road.where = where() || 'vercel';
  if (draft.get('CRON_SECRET') === '') draft.set('CRON_SECRET', newSecret());
}

function answeredBefore(progress: Progress): string[] {
  const text = progress.get('SETUP_ANSWERED');
  return text === '' ? [] : (JSON.parse(text) as string[]);
}

/** A file that was there before is changed only after the person has seen the summary. */
async function writeFile(setup: Setup, road: Road, before: string): Promise<boolean> {
  const { options, language, terminal } = setup;
  const { draft, progress } = road;
  const words = wordsOf[language];
  for (const { variable, expected } of draft.malformed()) terminal.say(`  ! ${words.malformed(variable, expected)}`);
  terminal.say(`\n${summaryOf(draft, words)}\n`);
  const changes = draft.changes();
  const merged = mergeEnv(before, changes);
  if (!merged.ok) {
    terminal.say(words.unwritable(merged.variable));
    return false;
  }
  if (options.isDryRun) {
    terminal.say(words.dryRun(options.envFile, [...changes.keys()]));
    return true;
  }
  if (changes.size > 0) {
    if (before !== '') {
      const decision = await confirm(setup);
      progress.count('SETUP_QUESTIONS');
      if (decision !== 'write') {
        terminal.say(words.declined);
        return false;
      }
    }
    save(setup, draft);
    // A deployment has the values of its time.
    progress.note('SETUP_DEPLOYED', '');
    terminal.say(words.written(options.envFile));
  }
  progress.forgetAnswers();
  return true;
}

function save({ options, example, ports, onWritten }: Setup, draft: Road['draft']): void {
  const now = readEnvFile(options.envFile);
  const merged = mergeEnv(now === '' ? example : now, draft.changes());
  if (!merged.ok) return;
  writeEnvFile(options.envFile, merged.text, ports.newId());
  onWritten();
}

/** The steps in their order. The schedule stands behind the deployment: it needs the address. */
async function act(road: Road): Promise<void> {
  const { where, progress, checks, terminal, words } = road;
  if (where === 'vercel' && progress.get('SETUP_DEPLOYED') === '') await deployToVercel(road);
  if (where === 'vercel' && progress.get('SETUP_DEPLOYED') !== '') await scheduleSweep(road);
  const { userId, isLive } = await setUpConsole(road);
  road.sayFindings((await checks.register()) ?? []);
  if (isLive) await showCard(road, userId);
  else road.left.push(words.card.left);
  if (where !== 'vercel') terminal.say(`\n${words.ownServer}`);
}

function end({ terminal, words, left, progress }: Road): void {
  const count = (note: 'SETUP_QUESTIONS' | 'SETUP_PAGES' | 'SETUP_PASTED') => Number(progress.get(note) || 0);
  terminal.say('');
  if (left.length === 0) terminal.say(words.nothingLeft);
  else terminal.say([words.left, ...left.map((line) => `  – ${line}`), words.runAgain].join('\n'));
  terminal.say(words.more);
  terminal.say(words.tally(count('SETUP_QUESTIONS'), count('SETUP_PAGES'), count('SETUP_PASTED')));
  if (left.length === 0) progress.end();
}
