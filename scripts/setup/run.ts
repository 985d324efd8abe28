import { describeProblems, readConfig } from '../../lib/config/config.ts';
import { hasFailed, type Finding } from '../doctor/finding.ts';
import { expectedInChinese } from '../doctor/sentences/expected-zh-CN.ts';
import { codeOf } from '../problems.ts';
import type { Draft } from './draft.ts';
import { remainingSteps, summaryOf } from './ending.ts';
import { mergeEnv, readEnvFile, writeEnvFile } from './env-file.ts';
import { createGuide, sayFindings } from './guide.ts';
import { addressFindings } from './question-parts.ts';
import type { State } from './question.ts';
import { openState } from './state.ts';
import { runGuided } from './guided.ts';
import { confirm, type Setup } from './setup.ts';
import { VARIABLES } from './variables.ts';
import { wordsOf } from './words/index.ts';

/** The exit code: 1 means that nothing was written. Throws only for mistakes of its own. */
export async function runSetup(setup: Setup): Promise<0 | 1> {
  const { ports, options, language, terminal } = setup;
  const words = wordsOf[language];
  let before: string;
  try {
    before = readEnvFile(options.envFile);
  } catch (error) {
    terminal.say(words.fileRefused(options.envFile, codeOf(error)));
    return 1;
  }
  if (setup.acts) return runGuided(setup, setup.acts, before);
  const state = openState(setup, before, setup.imported);
  const { draft } = state;
  if (!options.isUnattended) terminal.say(`\n${words.intro(options.envFile, !options.isChecked)}`);
  else if (!(await isReady(setup, state))) return 1;

  const guide = createGuide({ state, terminal, language });
  for (;;) {
    if (!options.isUnattended) await guide.run();
    for (const { variable, expected } of draft.malformed()) terminal.say(`  ! ${words.malformed(variable, expected)}`);
    terminal.say(`\n${summaryOf(draft, words)}\n`);
    const merged = mergeEnv(before === '' ? setup.example : before, draft.changes());
    if (!merged.ok) {
      terminal.say(words.unwritable(merged.variable));
      return 1;
    }
    if (options.isDryRun) {
      terminal.say(words.dryRun(options.envFile, [...draft.changes().keys()]));
      break;
    }
    const isSame = merged.text === before;
    if (isSame) terminal.say(words.unchanged(options.envFile));
    const decision = isSame || options.isUnattended ? 'write' : await confirm(setup);
    if (decision === 'back') {
      guide.goBack();
      continue;
    }
    if (decision === 'leave') {
      terminal.say(words.declined);
      return 1;
    }
    if (!isSame) {
      try {
        writeEnvFile(options.envFile, merged.text, ports.newId());
      } catch (error) {
        terminal.say(words.fileRefused(options.envFile, codeOf(error)));
        return 1;
      }
      setup.onWritten();
      terminal.say(words.written(options.envFile));
    }
    if (options.isChecked) sayFindings(terminal, (await state.checks.register()) ?? [], language);
    break;
  }
  terminal.say(remainingSteps(draft, words, options.envFile));
  return 0;
}

/** Without questions: whether all is there and right. What is not is listed. */
async function isReady({ language, terminal }: Setup, state: State): Promise<boolean> {
  const { draft, words, checks } = state;
  const result = readConfig(everyValue(draft));
  if (!result.ok) {
    const problems = result.problems.map(({ variable, expected }) => ({
      variable,
      expected: language === 'en' ? expected : expectedInChinese(expected),
    }));
    terminal.say(words.missing(describeProblems(problems)));
    return false;
  }
  const findings: Finding[] = addressFindings(state);
  if (state.isChecked) {
    findings.push(...(await checks.token()));
    const { findings: ofDify, app } = await checks.dify();
    findings.push(...ofDify);
    if (app) findings.push(...(await checks.difyInputs()));
    findings.push(...(await checks.store()));
    state.app = app;
  }
  sayFindings(terminal, findings, language);
  if (state.app) terminal.say(`  – ${words.app(state.app.name, state.app.type)}`);
  if (!hasFailed(findings)) return true;
  terminal.say(words.checksFailed);
  return false;
}

/** Malformed values, too: they are to be named. */
const everyValue = (draft: Draft) => Object.fromEntries(VARIABLES.map((variable) => [variable, draft.get(variable)]));
