import { renderUnicodeCompact } from 'uqr';
import type { Clock } from '../../lib/runtime/clock.ts';
import { printable } from './printable.ts';
import { beginRegistration, type Registration, type RegistrationEnd, type RegistrationPorts } from './registration.ts';
import type { Terminal } from './terminal.ts';
import type { RoadWords } from './words/road.ts';

export interface Scanned {
  clientId: string;
  clientSecret: string;
}

/** Shows the code and waits. Null: the person wants to enter the app by hand. */
export async function scanForApp(
  ports: RegistrationPorts,
  terminal: Terminal,
  words: RoadWords['scan'],
): Promise<Scanned | null> {
  terminal.say(`\n${words.intro}`);
  for (;;) {
    const begun = await beginRegistration(ports);
    const end = begun.ok ? await showAndWait(begun.registration, ports.clock, terminal, words) : begun.end;
    if (end.kind === 'done') {
      terminal.say(`  ✓ ${words.done}`);
      terminal.say(`  ! ${words.assistant}`);
      return end;
    }
    if (end.kind === 'left') return null;
    terminal.say(`  ✗ ${whyNot(end, words)}`);
    if (/^h/i.test(await terminal.ask(`${words.again}: `, false))) return null;
  }
}

function whyNot(end: Exclude<RegistrationEnd, { kind: 'done' | 'left' }>, words: RoadWords['scan']): string {
  if (end.kind === 'expired') return words.expired;
  return end.kind === 'refused' ? words.refused(printable(end.reason)) : words.unreachable(printable(end.reason));
}

async function showAndWait(
  { link, endsAtMs, result }: Registration,
  clock: Clock,
  terminal: Terminal,
  words: RoadWords['scan'],
): Promise<RegistrationEnd> {
  terminal.say(`\n${codeOf(link)}\n${words.link(link)}`);
  const leaving = new AbortController();
  const decided = new AbortController();
  const ended = result(leaving.signal).finally(() => decided.abort());
  for (;;) {
    const line = await terminal.wait(() => words.waiting(timeLeft(endsAtMs - clock.now())), decided.signal);
    if (line === null) return ended;
    if (!/^h/i.test(line)) continue;
    leaving.abort();
    return ended;
  }
}

/** Dark on light whatever the terminal's colours are: not every reader takes the reverse. */
function codeOf(link: string): string {
  const lines = renderUnicodeCompact(link, { border: 2 }).split('\n');
  return lines.map((line) => `\u001B[97;40m${line}\u001B[0m`).join('\n');
}

function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
