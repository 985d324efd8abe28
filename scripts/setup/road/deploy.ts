import { STORE_PAIRS } from '../../../lib/config/deployment-settings.ts';
import { commandLine } from '../command.ts';
import { isForVercel } from '../ending.ts';
import { VARIABLES } from '../variables.ts';
import { createVercel, VERCEL_DEPLOY, VERCEL_LINK, vercelSet, type Vercel } from '../vercel.ts';
import { agree, askCounted, isLater, showPage, type Road } from './road.ts';

const DASHBOARD = 'https://vercel.com/dashboard';

/** Links, sets the variables, deploys, and looks at the address; false where something of it is left. */
export async function deployToVercel(road: Road): Promise<boolean> {
  const { terminal, words, draft, progress, left } = road;
  const vercel = createVercel(road.run);
  const state = await vercel.state();
  if (state.kind !== 'ready') {
    terminal.say(`\n  ! ${words.vercel[state.kind]}`);
    left.push(words.vercel.leftDeploy);
    return false;
  }
  terminal.say(`\n${words.vercel.ready(state.user)}`);
  const isLinked = (await vercel.variables()) !== null;
  const variables = VARIABLES.filter((variable) => isForVercel(variable) && draft.get(variable) !== '');
  const plan = [...(isLinked ? [] : [VERCEL_LINK]), ...variables.map((variable) => vercelSet(variable)), VERCEL_DEPLOY];
  const isAgreed = await agree(
    road,
    plan.map((args) => commandLine('vercel', args)),
  );
  if (!isAgreed || (!isLinked && !(await vercel.link()))) return later(road, isAgreed ? VERCEL_LINK : null);
  for (const variable of variables) {
    if (!(await vercel.setVariable(variable, draft.get(variable)))) return later(road, vercelSet(variable));
  }
  if (!(await hasStore(road, vercel))) {
    left.push(words.vercel.leftStore);
    return false;
  }
  const deployment = await vercel.deploy();
  if (deployment === null) return later(road, VERCEL_DEPLOY);
  if (draft.get('PUBLIC_URL') === '') await chooseAddress(road, vercel, deployment);
  terminal.say(`  ✓ ${words.vercel.deployed(draft.get('PUBLIC_URL'))}`);
  progress.note('SETUP_DEPLOYED', draft.get('PUBLIC_URL'));
  road.sayFindings(await road.checks.reach());
  return true;
}

function later({ terminal, words, left }: Road, failed: readonly string[] | null): false {
  if (failed !== null) terminal.say(`  ✗ ${words.commandFailed(commandLine('vercel', failed))}`);
  left.push(words.vercel.leftDeploy);
  return false;
}

/** Without one the deployed function would answer nothing. */
async function hasStore(road: Road, vercel: Vercel): Promise<boolean> {
  const { words, terminal } = road;
  for (let isFirst = true; ; isFirst = false) {
    const names = await vercel.variables();
    if (STORE_PAIRS.some((pair) => pair.every((name) => names?.has(name)))) return true;
    terminal.say(`  ✗ ${words.vercel.noStore}`);
    if (isFirst) showPage(road, DASHBOARD);
    if (isLater(await askCounted(road, words.vercel.lookAgain))) return false;
  }
}

/** A domain of one's own is taken unasked. What the function takes by itself there is the same one. */
async function chooseAddress(road: Road, vercel: Vercel, deployment: string): Promise<void> {
  const { draft, words, terminal } = road;
  const domains = await vercel.domains(deployment);
  const own = domains.find((domain) => !domain.endsWith('.vercel.app'));
  const shortest = domains.toSorted((a, b) => a.length - b.length)[0] ?? deployment;
  let address = own ?? shortest;
  if (own === undefined) {
    terminal.say(`  ! ${words.vercel.ownDomain}`);
    const answer = await askCounted(road, words.vercel.domainAsk);
    const given = URL.parse(/^https?:/.test(answer) ? answer : `https://${answer}`);
    if (answer !== '' && given?.protocol === 'https:') {
      address = given.origin;
      // The function would go on with Vercel's own domain until it is told.
      if (!(await vercel.setVariable('PUBLIC_URL', address)) || (await vercel.deploy()) === null) {
        terminal.say(`  ✗ ${words.commandFailed(commandLine('vercel', VERCEL_DEPLOY))}`);
      }
    }
  }
  draft.set('PUBLIC_URL', address);
  road.save();
}
