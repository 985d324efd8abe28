import type { RunCommand } from '../command.ts';
import type { Checks } from '../checks.ts';
import type { Draft } from '../draft.ts';
import type { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import type { Finding } from '../../doctor/finding.ts';
import type { RoadWords } from '../words/road.ts';

export const WHERES = ['vercel', 'stream', 'http'] as const;
export type Where = (typeof WHERES)[number];

/** What the steps that act share. */
export interface Road {
  terminal: Terminal;
  words: RoadWords;
  draft: Draft;
  progress: Progress;
  checks: Checks;
  run: RunCommand;
  /** Opens a page in the browser of this machine, where there is one. */
  openPage: (url: string) => void;
  where: Where;
  /** Writes what the draft holds into `.env`. */
  save: () => void;
  sayFindings: (findings: readonly Finding[]) => void;
  /** What is left to do at the end, one line each. */
  left: string[];
}

/** A question of a step; each answer counts. */
export async function askCounted(
  { terminal, progress }: Pick<Road, 'terminal' | 'progress'>,
  prompt: string,
): Promise<string> {
  const answer = await terminal.ask(`${prompt}: `, false);
  progress.count('SETUP_QUESTIONS');
  return answer;
}

export function showPage(
  { terminal, progress, openPage, words }: Pick<Road, 'terminal' | 'progress' | 'openPage' | 'words'>,
  url: string,
): void {
  terminal.say(words.page(url));
  progress.count('SETUP_PAGES');
  openPage(url);
}

/** Shows the commands and asks once whether exactly these are to be run. */
export async function agree(road: Road, commands: readonly string[]): Promise<boolean> {
  const { terminal, words } = road;
  terminal.say(`\n${words.commands}`);
  for (const command of commands) terminal.say(`  ${words.running(command)}`);
  for (;;) {
    const answer = await askCounted(road, words.agree);
    if (/^(?:y|yes|是)$/i.test(answer)) return true;
    if (/^(?:n|no|否)$/i.test(answer)) {
      terminal.say(words.refusedByPerson);
      return false;
    }
    terminal.say(words.yesOrNo);
  }
}

export const isLater = (answer: string): boolean => /^s$/i.test(answer);

/** The permissions that the robot needs. */
export const scopesOf = (draft: Draft): string[] => [
  ...(draft.get('DINGTALK_CARD_TEMPLATE_ID') === '' ? [] : ['Card.Instance.Write', 'Card.Streaming.Write']),
  'qyapi_robot_sendmsg',
];
