import * as z from 'zod';
import { printable } from '../printable.ts';
import { commandLine } from '../command.ts';
import { createDws, type Dws, type DwsApp, type DwsResult } from '../dws.ts';
import {
  isRobotRight,
  missingScopes,
  planOf,
  publishArgs,
  readConsole,
  robotNote,
  unlistedScopes,
  wantedOf,
  type Wanted,
} from './console-plan.ts';
import { setUpByPages } from './pages.ts';
import { agree, askCounted, isLater, showPage, type Road } from './road.ts';

const created = z.object({ versionId: z.string().min(1) });
const approvalBody = z.object({
  approvalOptions: z.array(z.object({ label: z.string().nullish(), userId: z.string().min(1) })).nullish(),
  requiresApproval: z.boolean().nullish(),
  approvalMode: z.string().nullish(),
});

/** How the console stands afterwards; `userId` is the person whom `dws` knows. */
export interface ConsoleEnd {
  userId: string | null;
  /** Whether the robot can be used now. */
  isLive: boolean;
}

/** Robot, permissions and version: with `dws` where it is there and logged in, else page by page. */
export async function setUpConsole(road: Road): Promise<ConsoleEnd> {
  const wanted = wantedOf(road.draft, road.where);
  if (wanted === null) {
    road.left.push(road.words.pages.noAddress);
    return { userId: null, isLive: false };
  }
  const dws = createDws(road.run);
  const found = await findApp(road, dws);
  if (found === null) return { userId: null, isLive: await setUpByPages(road, wanted) };
  const { app, userId } = found;
  const isChanged = await change(road, dws, app, wanted);
  if (isChanged === 'unreadable') {
    road.terminal.say(`  ! ${road.words.dws.unreadable}`);
    return { userId, isLive: await setUpByPages(road, wanted) };
  }
  if (isChanged === 'refused') return { userId, isLive: await setUpByPages(road, wanted) };
  return { userId, isLive: isChanged === 'fine' && (await publish(road, dws, app)) };
}

/** The app, shown by its name. Null: by pages. */
async function findApp(road: Road, dws: Dws): Promise<{ app: DwsApp; userId: string | null } | null> {
  const { terminal, words, draft } = road;
  for (;;) {
    const state = await dws.state();
    if (state.kind === 'missing' || state.kind === 'old') {
      terminal.say(`\n  ! ${state.kind === 'old' ? words.dws.old(printable(state.version)) : words.dws.missing}`);
      return null;
    }
    if (state.kind === 'ready') {
      const app = await dws.app(draft.get('DINGTALK_CLIENT_ID'));
      const organisation = printable(state.organisation);
      if (app) {
        terminal.say(`\n${words.dws.app(printable(app.name), organisation)}`);
        return { app, userId: state.userId };
      }
      terminal.say(`\n  ✗ ${words.dws.otherOrganisation(organisation)}`);
    } else terminal.say(`\n  ! ${words.dws.loggedOut}`);
    if (isLater(await askCounted(road, words.dws.lookAgain))) return null;
  }
}

/** `later`: something stays as it was, and is on the list. */
async function change(
  road: Road,
  dws: Dws,
  app: DwsApp,
  wanted: Wanted,
): Promise<'fine' | 'later' | 'refused' | 'unreadable'> {
  const { terminal, words, progress, left } = road;
  const before = await readConsole(dws, app);
  if (!before) return 'unreadable';
  const unlisted = unlistedScopes(before, wanted);
  if (unlisted.length > 0) {
    terminal.say(`  ! ${words.dws.unlisted(unlisted)}`);
    left.push(words.pages.left(`${words.pages.names.permissions} (${unlisted.join(', ')})`));
  }
  const { robot, enable, version } = planOf(app, before, wanted, progress.get('SETUP_ROBOT'));
  const hasVersion = progress.get('SETUP_VERSION_ID') !== '';
  if (robot.length === 0 && enable === null && (hasVersion || progress.get('SETUP_ROBOT') !== '')) return 'fine';
  const plan = [...robot, ...(enable ? [enable] : []), ...(hasVersion ? [] : [version])];
  if (
    !(await agree(
      road,
      plan.map((args) => commandLine('dws', args)),
    ))
  )
    return 'refused';
  for (const args of robot) await perform(road, dws, args);
  let after = await readConsole(dws, app);
  if (enable && after?.robot.status === 'OFFLINE') {
    await perform(road, dws, enable);
    after = await readConsole(dws, app);
  }
  // DingTalk may not tell the address; then what it said to the command counts.
  const isRight = after !== null && isRobotRight(after, wanted, robotNote(wanted));
  terminal.say(
    isRight ? `  ✓ ${words.dws.readBack(robotNote(wanted))}` : `  ✗ ${words.dws.notAsAsked(robotNote(wanted))}`,
  );
  if (!after || !isRight) {
    left.push(words.pages.left(words.pages.names.robot));
    return 'later';
  }
  progress.note('SETUP_ROBOT', robotNote(wanted));
  const missing = missingScopes(after, wanted);
  if (missing.length > 0) left.push(words.dws.needsApproval(missing));
  else terminal.say(`  ✓ ${words.dws.readBack(wanted.scopes.join(', '))}`);
  if (hasVersion) return 'fine';
  const result = await perform(road, dws, version);
  const id = 'data' in result ? created.safeParse(result.data).data?.versionId : undefined;
  if (id === undefined) {
    left.push(words.dws.leftPublish);
    return 'later';
  }
  progress.note('SETUP_VERSION_ID', id);
  return 'fine';
}

/** Runs a command that the person has agreed to; where DingTalk wants consent first, once more after it. */
async function perform(road: Road, dws: Dws, args: readonly string[]): Promise<DwsResult> {
  const { terminal, words } = road;
  for (;;) {
    terminal.say(`  ${words.running(commandLine('dws', args))}`);
    const result = await dws.change(args);
    if (result.kind === 'failed') {
      const secret = road.draft.get('DINGTALK_CLIENT_SECRET');
      const isSafe = result.reason !== '' && !result.reason.includes(secret);
      terminal.say(`  ✗ ${words.commandFailed(isSafe ? printable(result.reason) : `exit ${result.exitCode}`)}`);
    }
    if (result.kind !== 'consent' || result.link === null) return result;
    terminal.say(`  ! ${words.dws.consent(result.link)}`);
    showPage(road, result.link);
    if (isLater(await askCounted(road, words.dws.afterConsent))) return result;
  }
}

/** True when the version is published. A version that was made by an earlier run is gone on with. */
async function publish(road: Road, dws: Dws, app: DwsApp): Promise<boolean> {
  const { terminal, words, progress, left } = road;
  const id = progress.get('SETUP_VERSION_ID');
  if (id === '') return true;
  const read = () => dws.version(app, id);
  let state = await read();
  if (state === 'open') {
    const approver = await chooseApprover(road, await dws.approval(app, id));
    const args = approver.kind === 'later' ? null : publishArgs(app, id, approver.userId);
    if (args && (await agree(road, [commandLine('dws', args)]))) await perform(road, dws, args);
    // Whatever the command said: an answer without ids ends with 5 although the version was submitted.
    state = await read();
  }
  if (state === 'released') {
    terminal.say(`  ✓ ${words.dws.released}`);
    progress.note('SETUP_VERSION_ID', '');
    return true;
  }
  if (state === 'waits') {
    terminal.say(`  ! ${words.dws.waits}`);
    left.push(words.dws.leftVersion(id));
    return false;
  }
  if (state === 'refused') {
    terminal.say(`  ✗ ${words.dws.versionRefused}`);
    progress.note('SETUP_VERSION_ID', '');
    progress.note('SETUP_ROBOT', '');
  }
  left.push(words.dws.leftPublish);
  return false;
}

/** `userId` is null where none is needed, or the organisation's own process chooses. A person chooses, also among one. */
async function chooseApprover(
  road: Road,
  approval: unknown,
): Promise<{ kind: 'later' } | { kind: 'go'; userId: string | null }> {
  const { terminal, words } = road;
  const { approvalOptions, approvalMode } = approvalBody.safeParse(approval).data ?? {};
  if (approvalMode !== 'SELECT_APPROVER' || !approvalOptions || approvalOptions.length === 0) {
    return { kind: 'go', userId: null };
  }
  terminal.say(
    words.dws.approver(approvalOptions.map(({ label, userId }, index) => `${index + 1} ${printable(label || userId)}`)),
  );
  for (;;) {
    const answer = await askCounted(road, words.dws.approverAsk);
    if (isLater(answer)) return { kind: 'later' };
    const chosen = approvalOptions[Number(answer) - 1];
    if (chosen) return { kind: 'go', userId: chosen.userId };
  }
}
