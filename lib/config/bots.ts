import { REQUIRED_OF_ROBOT, robotConfig, type RobotConfig } from './robot.ts';
import {
  camelCase,
  readSettings,
  robotSettings,
  type ConfigProblem,
  type RobotSettingName,
  type RobotSettings,
} from './settings.ts';

/** Settings of one robot that another must never take over: they belong to one DingTalk app. */
const NEVER_INHERITED: ReadonlySet<RobotSettingName> = new Set<RobotSettingName>([
  'DINGTALK_CLIENT_ID',
  'DINGTALK_CLIENT_SECRET',
  'DINGTALK_ROBOT_CODE',
  'DINGTALK_CARD_TEMPLATE_ID',
  'DINGTALK_CARD_CONTENT_KEY',
  'DINGTALK_CARD_BUTTONS',
]);

const NAME = /^[a-z0-9-]{1,32}$/;

/** The robots of BOTS; what they do not set falls back to the flat variables. */
export function readBots(json: string, flat: RobotSettings, problems: ConfigProblem[]): RobotConfig[] {
  let entries: unknown;
  try {
    entries = JSON.parse(json);
  } catch {
    problems.push({ variable: 'BOTS', expected: 'valid JSON: an array of robots' });
    return [];
  }
  if (!Array.isArray(entries) || entries.length === 0) {
    problems.push({ variable: 'BOTS', expected: 'a JSON array with at least one robot' });
    return [];
  }
  const known = new Map(Object.keys(robotSettings).map((variable) => [camelCase(variable), variable]));
  const names = new Set<string>();
  const robots: RobotConfig[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = `BOTS[${index}]`;
    if (!isRecord(entry)) {
      problems.push({ variable: place, expected: 'an object with the settings of a robot' });
      continue;
    }
    const label = (variable: string) => `${place}.${camelCase(variable)}`;
    const name = typeof entry['name'] === 'string' ? entry['name'] : '';
    if (!NAME.test(name)) {
      problems.push({ variable: `${place}.name`, expected: 'a name of a-z, 0-9 and -, at most 32 characters' });
    } else if (names.has(name)) problems.push({ variable: `${place}.name`, expected: 'a name used only once' });
    names.add(name);
    for (const key of Object.keys(entry)) {
      if (key === 'name' || known.has(key)) continue;
      // The key itself may be a mistyped secret's neighbour; it is a name, so it may be shown, shortened.
      problems.push({ variable: `${place}.${key.slice(0, 40)}`, expected: 'a known setting; this one is not' });
    }
    const own = readSettings(robotSettings, (variable) => asText(entry[camelCase(variable)]), problems, label);
    const settings: RobotSettings = { ...inheritable(flat), ...own };
    for (const variable of REQUIRED_OF_ROBOT) {
      const given = asText(entry[camelCase(variable)])?.trim() || (variable === 'DIFY_API_KEY' && settings[variable]);
      if (!given) problems.push({ variable: label(variable), expected: 'a value; it is required' });
    }
    const robot = robotConfig(name, settings);
    if (robot) robots.push(robot);
  }
  return robots;
}

function inheritable(flat: RobotSettings): RobotSettings {
  return Object.fromEntries(
    Object.entries(flat).filter(([variable]) => !NEVER_INHERITED.has(variable as RobotSettingName)),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON values of BOTS as the string the environment variable would hold. */
function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  // Ids are often digits only, and then easily written as numbers.
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' || typeof item === 'number')) {
    return value.join(',');
  }
  return JSON.stringify(value);
}
