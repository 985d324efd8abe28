import { beginning } from '../characters.ts';
import { robotConfig, type RobotConfig } from './robot.ts';
import { REQUIRED_OF_ROBOT, robotSettings, type SetRobotValues } from './robot-settings.ts';
import { camelCase, namesOf, readSettings, type ConfigProblem, type Setting } from './settings.ts';

const NAME = /^[a-z0-9-]{1,32}$/;

const KNOWN_KEYS: ReadonlySet<string> = new Set(['name', ...namesOf(robotSettings).map(camelCase)]);

type Entry = Readonly<Record<string, unknown>>;

/** The robots of BOTS; settings that an entry leaves out fall back to the flat variables. */
export function readBots(json: string, flat: SetRobotValues, problems: ConfigProblem[]): RobotConfig[] {
  const inherited = inheritable(flat);
  const names = new Set<string>();
  const robots: RobotConfig[] = [];
  for (const [index, entry] of readEntries(json, problems).entries()) {
    const place = `BOTS[${index}]`;
    if (!isRecord(entry)) {
      problems.push({ variable: place, expected: 'an object with the settings of a robot' });
      continue;
    }
    const name = readName(entry, names, place, problems);
    for (const key of Object.keys(entry)) {
      if (KNOWN_KEYS.has(key)) continue;
      // A key is a name and no secret, so it may be shown, shortened.
      problems.push({ variable: `${place}.${beginning(key, 40)}`, expected: 'a known setting; this one is not' });
    }
    const robot = robotConfig(name, readValues(entry, inherited, place, problems));
    if (robot) robots.push(robot);
  }
  return robots;
}

function readEntries(json: string, problems: ConfigProblem[]): readonly unknown[] {
  let entries: unknown;
  try {
    entries = JSON.parse(json);
  } catch {
    problems.push({ variable: 'BOTS', expected: 'valid JSON: an array of robots' });
    return [];
  }
  if (Array.isArray(entries) && entries.length > 0) return entries;
  problems.push({ variable: 'BOTS', expected: 'a JSON array with at least one robot' });
  return [];
}

function readName(entry: Entry, taken: Set<string>, place: string, problems: ConfigProblem[]): string {
  const name = typeof entry['name'] === 'string' ? entry['name'] : '';
  const variable = `${place}.name`;
  if (!NAME.test(name)) problems.push({ variable, expected: 'a name of a-z, 0-9 and -, at most 32 characters' });
  else if (taken.has(name)) problems.push({ variable, expected: 'a name used only once' });
  taken.add(name);
  return name;
}

function readValues(entry: Entry, inherited: SetRobotValues, place: string, problems: ConfigProblem[]): SetRobotValues {
  const lookup = (variable: string) => asText(entry[camelCase(variable)]);
  const label = (variable: string) => `${place}.${camelCase(variable)}`;
  const values = { ...inherited, ...readSettings(robotSettings, lookup, problems, label) };
  for (const variable of REQUIRED_OF_ROBOT) {
    // A malformed value is on the list by now, and not missing.
    if (lookup(variable)?.trim() || values[variable] !== undefined) continue;
    problems.push({ variable: label(variable), expected: 'a value; it is required' });
  }
  return values;
}

function inheritable(flat: SetRobotValues): SetRobotValues {
  const settings: Record<string, Setting> = robotSettings;
  return Object.fromEntries(Object.entries(flat).filter(([variable]) => settings[variable]?.isInherited !== false));
}

function isRecord(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON values of BOTS as the text that the environment variable would hold. */
function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  // Ids are often digits only, and then easily written as numbers.
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' || typeof item === 'number')) {
    return value.join(',');
  }
  return JSON.stringify(value);
}
