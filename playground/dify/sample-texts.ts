import type { Json } from '../http/shape.ts';

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
  helpIntroduction: string;
  help: Record<string, string>;
  fallback(question: string, turn: number): string;
}
