import { frameOf } from '../doctor/sentences/index.ts';
import { type Language } from '../language.ts';
import { hasFailed, type Finding } from '../doctor/finding.ts';
import { SIGNS } from '../doctor/level.ts';
import { printable } from './printable.ts';
import type { Question, State } from './question.ts';
import { questionsOf } from './questions.ts';
import type { Terminal } from './terminal.ts';
import { expectedOf } from './variables.ts';

export function sayFindings(terminal: Pick<Terminal, 'say'>, findings: readonly Finding[], language: Language): void {
  const { mend: mendTitle, where: whereTitle, colon } = frameOf[language];
  for (const { level, found, mend, where } of findings) {
    terminal.say(`  ${SIGNS[level]} ${found}`);
    if (mend !== undefined) terminal.say(`      ${mendTitle}${colon}${mend}`);
    if (where !== undefined) terminal.say(`      ${whereTitle}${colon}${where}`);
  }
}

export interface Guide {
  /** Asks what has not been answered, to the end. */
  run(): Promise<void>;
  /** Takes the last answer back, so that it is asked again. */
  goBack(): void;
}

export interface GuideOptions {
  state: State;
  terminal: Terminal;
  language: Language;
  /** Ids of questions that an earlier run has asked, in the order of the answers. */
  answered?: readonly string[];
  /** After each answer, and after each step back. */
  onAnswered?: (ids: readonly string[]) => void;
  /** Each line that was entered at a question. */
  onLine?: (question: Question, line: string) => void;
}

export function createGuide({ state, terminal, language, answered: before, onAnswered, onLine }: GuideOptions): Guide {
  const { words } = state;
  /** Ids, in the order of the answers. */
  const answered: string[] = [...(before ?? [])];

  function goBack(): void {
    const applying = new Set(questionsOf(state).map(({ id }) => id));
    // What does not apply any more would be passed over.
    while (answered.length > 0 && !applying.has(answered.at(-1) ?? '')) answered.pop();
    if (answered.pop() === undefined) terminal.say(words.atBeginning);
  }

  /** False: one step back. */
  async function pose(question: Question): Promise<boolean> {
    terminal.say(`\n${question.asking.where}`);
    question.lead?.();
    for (let hasFailedBefore = false; ;) {
      // What a check did not like is taken all the same: an empty answer tries it again.
      const { current } = questionsOf(state).find(({ id }) => id === question.id) ?? question;
      const answer = await terminal.ask(promptOf({ ...question, current }), question.isHidden);
      onLine?.(question, answer);
      if (answer === 'b') return false;
      if (answer === '!' && hasFailedBefore) {
        terminal.say(`  – ${words.taken}`);
        return true;
      }
      const value = valueOf({ ...question, current }, answer);
      if (value === null) continue;
      question.take(value);
      if (value === '' && question.whenEmpty !== null) terminal.say(`  – ${question.whenEmpty}`);
      if (value === '' || (await isFine(question))) return true;
      terminal.say(words.afterFailure);
      hasFailedBefore = true;
    }
  }

  async function isFine({ check, id }: Question): Promise<boolean> {
    if (!check) return true;
    if (id !== 'PUBLIC_URL') terminal.say(`  ${words.checking}`);
    const { findings, remarks } = await check();
    sayFindings(terminal, findings, language);
    for (const remark of remarks) terminal.say(`  – ${remark}`);
    return !hasFailed(findings);
  }

  /** Null: said what is wrong with it. */
  function valueOf({ current, usual, isRequired, id, variable, read }: Question, answer: string): string | null {
    if (answer === '' && (current !== '' || !isRequired)) {
      // The usual value of a variable is what the function takes by itself; that of the extras has to be taken here.
      if (id === 'extras') return valueFrom(read(usual), variable);
      return current === '' ? '' : valueFrom({ ok: true, value: current }, variable);
    }
    if (answer === '-' && !isRequired) return '';
    if (answer === '' || answer === '-') {
      terminal.say(words.required);
      return null;
    }
    return valueFrom(read(answer), variable);
  }

  function valueFrom(result: ReturnType<Question['read']>, variable: Question['variable']): string | null {
    const expected = result.ok && variable !== null ? expectedOf(variable, result.value) : null;
    if (result.ok && expected === null) return result.value;
    terminal.say(result.ok ? words.expected(expected ?? '') : result.reason);
    return null;
  }

  function promptOf({ asking, isHidden, current, usual, isRequired }: Question): string {
    const hint =
      current !== ''
        ? words.keeps(isHidden ? null : printable(current))
        : usual !== ''
          ? words.usual(usual)
          : isRequired
            ? ''
            : words.skips;
    return `${asking.ask}${hint === '' ? '' : ` [${hint}]`}: `;
  }

  return {
    goBack,
    async run() {
      for (;;) {
        const question = questionsOf(state).find(({ id }) => !answered.includes(id));
        if (!question) return;
        if (await pose(question)) answered.push(question.id);
        else goBack();
        onAnswered?.(answered);
      }
    },
  };
}
