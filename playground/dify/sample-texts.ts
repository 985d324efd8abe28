import type { Json } from '../http/shape.ts';
import type { RunFile } from './types.ts';

export interface ToolUse {
  tool: string;
  label: { en_US: string; zh_Hans: string };
  input: Json;
  observation: string;
}

/** The words of the sample assistant: an HR and IT helper. One set for each language, same keys. */
export interface SampleTexts {
  short: string;
  long: string;
  table: string;
  code: string;
  list: string;
  thought: string;
  afterThought: string;
  beforeError: string;
  slow: string;
  workflowOutputs: Json;
  workflowAsText: string;
  agent: { first: string; firstTool: ToolUse; second: string; secondTool: ToolUse; last: string };
  chart: string;
  beforeCut: string;
  beforeModeration: string;
  moderated: string;
  /** Repeated and cut to the length that is asked for. */
  steady: string;
  leave: string;
  expense: string;
  vpn: string;
  /** What is said about files that came with the question; there may be none. */
  sentFiles(files: readonly RunFile[]): string;
  makeFiles: {
    before: string;
    after: string;
    pictureName: string;
    tableName: string;
    documentName: string;
    rows: readonly (readonly (string | number)[])[];
    /** Latin letters only. */
    document: readonly string[];
  };
  beforeSuggestions: string;
  suggestions: readonly string[];
  approval: {
    before: string;
    check: string;
    title: string;
    form: string;
    comment: string;
    approve: string;
    reject: string;
    approved(comment: string): string;
    rejected(comment: string): string;
    /** In an app that cannot ask. */
    elsewhere: string;
  };
  /** A form with fields, one that goes out by e-mail, and two at once. */
  forms: {
    before: string;
    claim: { title: string; form: string; options: readonly string[]; answered: (values: Json) => string };
    mail: { title: string; form: string; to: string };
    pair: readonly { title: string; form: string; answered: (action: string) => string }[];
  };
  takesLong: { node: string; before: string; step(number: number, of: number): string; after: string };
  opening: { statement: string; questions: readonly string[] };
  transcript: string;
  helpIntroduction: string;
  help: Record<string, string>;
  fallback(question: string, turn: number): string;
}
