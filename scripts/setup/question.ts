import type { Finding } from '../doctor/finding.ts';
import type { Checks, DifyApp } from './checks.ts';
import type { Draft } from './draft.ts';
import type { Where } from './road/road.ts';
import type { Variable } from './variables.ts';
import type { RoadWords } from './words/road.ts';
import type { AskedVariable, Asking, Words } from './words/words.ts';

/** What the questions know of each other. */
export interface State {
  draft: Draft;
  words: Words;
  checks: Checks;
  /** Whether the other sides are asked. */
  isChecked: boolean;
  app: DifyApp | null;
  extras: ReadonlySet<Extra>;
  /** Of a guide that acts, too; null for one that only asks. */
  acts: Acts | null;
}

/** What the questions of a guide that acts need besides. */
export interface Acts {
  words: RoadWords;
  where: () => Where | '';
  setWhere: (where: Where) => void;
  /** Whether Vercel's command line tool can be used: then it tells the store and the address. */
  hasVercel: boolean;
  /** Writes the template's file and opens its page. */
  showTemplate: () => void;
  /** Opens the page of the Dify app. */
  showDify: () => void;
}

export const EXTRAS = ['admins', 'users', 'streaming', 'cron'] as const;
export type Extra = (typeof EXTRAS)[number];

export interface Outcome {
  findings: readonly Finding[];
  /** What else is to be said. */
  remarks: readonly string[];
}

export interface Question {
  id: string;
  asking: Asking;
  /** Whose schema judges the answer; null where `take` does that alone. */
  variable: Variable | null;
  isHidden: boolean;
  isRequired: boolean;
  /** What it holds now; an empty answer keeps it. */
  current: string;
  /** What an empty answer means where it holds nothing; said, not written. */
  usual: string;
  /** The answer in the variable's terms, or what is wrong with it. */
  read: (answer: string) => { ok: true; value: string } | { ok: false; reason: string };
  take: (value: string) => void;
  /** Done once, before it is asked. */
  lead: (() => void) | null;
  /** With the other side, once it is taken. */
  check: (() => Promise<Outcome>) | null;
  /** What follows from leaving it empty. */
  whenEmpty: string | null;
}

/** A question about one variable, with what differs from the usual. */
export type Of = (variable: AskedVariable, more?: Partial<Question>) => Question;

/** Null where nothing is checked. */
export type Checked = (look: () => Promise<Finding[]>) => Question['check'];

export const asItIs: Question['read'] = (answer) => ({ ok: true, value: answer });
