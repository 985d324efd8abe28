// The cases of test/fixtures/cases/: small inputs, each with the right value.
import { readFileSync } from 'node:fs';

const folder = new URL('../fixtures/cases/', import.meta.url);

type Expansion = { repeat: string; times: number[] } | { each: string; from: number; to: number; join: string };

export interface Case {
  file: string;
  kind: 'markdown' | 'callback' | 'dify' | 'dingtalk';
  source?: {
    pieces?: string[];
    mode?: 'chat' | 'agent-chat';
    app?: { files: boolean };
    /** The model's text, where the file is about something else. */
    answer?: string;
    expand?: Record<string, Expansion>;
  };
  expect: {
    exact?: string;
    contains?: string[];
    excludes?: string[];
    inOrder?: string[];
    seen?: string;
    seenInOrder?: string[];
    bold?: string[];
    italic?: string[];
    struck?: string[];
    rows?: string[][];
    rowCount?: number;
    links?: [string, string][];
    numbers?: { from: number; to: number };
    frames?: { excludes?: string[]; firstSeen?: string; seenIsBeginning?: boolean };
    outcomes?: number | string;
    endsWith?: string;
    /** Of the messages below the card, joined. */
    messages?: { inOrder: string[]; once: string[] };
    openCards?: number;
    runs?: number;
    stops?: number;
    oneQuotedBlock?: boolean;
    wellFormed?: boolean;
    /** What Dify gets, in order. */
    files?: { type: string; downloadCode: string }[];
    shown?: { contains?: string[]; excludes?: string[] };
  };
}

const cases = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Case[];

export function casesOf(kind: Case['kind']): Case[] {
  return cases.filter((one) => one.kind === kind);
}

export function bytesOf({ file }: Case): string {
  return readFileSync(new URL(file, folder), 'utf8');
}

/** The answers of a case: one for each length that its recipe names. A file's last newline is not part of it. */
export function textsOf(one: Case): string[] {
  let texts = [one.source?.answer ?? bytesOf(one).replace(/\n$/, '')];
  for (const [mark, recipe] of Object.entries(one.source?.expand ?? {})) {
    texts = texts.flatMap((text) => expansions(recipe).map((long) => text.replace(mark, long)));
  }
  return texts;
}

function expansions(recipe: Expansion): string[] {
  if ('repeat' in recipe) return recipe.times.map((times) => recipe.repeat.repeat(times));
  const { each, from, to, join } = recipe;
  const lines = Array.from({ length: to - from + 1 }, (_, index) => each.replaceAll('{n}', String(from + index)));
  return [lines.join(join)];
}
