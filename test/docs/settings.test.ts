// The settings that the documents name, with their defaults and ranges, held against the schema.
import { describe, expect, it } from 'vitest';
import { readConfig, type Environment } from '../../lib/config/config.ts';
import { deploymentSettings } from '../../lib/config/deployment-settings.ts';
import { REQUIRED_OF_ROBOT, robotSettings } from '../../lib/config/robot-settings.ts';
import { namesOf, type Setting } from '../../lib/config/settings.ts';
import {
  bothLanguages,
  codesIn,
  isCode,
  onlyCode,
  read,
  rowsUnder,
  tablesUnder,
  tokensOf,
} from '../support/documents.ts';

const PAGES = bothLanguages('docs/configuration.md');
const READMES = bothLanguages('README.md');
const TITLES = ['Variable', '变量'];

const SETTINGS: Readonly<Record<string, Setting>> = { ...robotSettings, ...deploymentSettings };
const VARIABLES = Object.keys(SETTINGS).toSorted();

/** What the English table gives as the default of a setting, without its backticks. */
function standardOf(setting: Setting): string {
  if ('isRequired' in setting) return 'required';
  return 'default' in setting ? setting.default : setting.unset;
}

/** The comment of a setting in `.env.example`, in English. */
function commentOf(setting: Setting): string {
  const standard = 'isRequired' in setting ? 'Required.' : `Default: ${standardOf(setting)}`;
  return `# ${setting.meaning} ${standard}`;
}

/** Each setting with the default that the table of a page gives. */
const settingsIn = (path: string) =>
  rowsUnder(path, TITLES).map(([name = '', standard = '']) => ({ name: onlyCode(name), standard }));

/** Each variable of `.env.example` with the two lines above it: Chinese, then English. */
function examples(): { name: string; chinese: string; english: string }[] {
  const lines = read('.env.example').split('\n');
  return lines.flatMap((line, index) => {
    const name = /^([A-Z_]+)=$/u.exec(line)?.[1];
    return name === undefined ? [] : [{ name, chinese: lines[index - 2] ?? '', english: lines[index - 1] ?? '' }];
  });
}

describe('the settings', () => {
  it.each(PAGES)('are all in the tables of %s, once, and nothing else is', (path) => {
    const told = settingsIn(path).map(({ name }) => name ?? 'not in backticks');
    expect(told.toSorted()).toEqual(VARIABLES);
  });

  it.each(PAGES)('of the deployment are in the last table of %s, those of a robot in the others', (path) => {
    const tables = tablesUnder(path, TITLES).map((rows) => rows.map(([name]) => onlyCode(name) ?? ''));
    expect(tables.at(-1)?.toSorted()).toEqual(namesOf(deploymentSettings).toSorted());
    expect(tables.slice(0, -1).flat().toSorted()).toEqual(namesOf(robotSettings).toSorted());
  });

  it('are all in .env.example without a value, below what they mean and what holds when they are unset', () => {
    const told = examples().map(({ name, english }) => `${english}\n${name}=`);
    const expected = VARIABLES.map((name) => `${SETTINGS[name] ? commentOf(SETTINGS[name]) : ''}\n${name}=`);
    expect(told.toSorted()).toEqual(expected.toSorted());
  });

  it.each(examples())('$name has its meaning and default in .env.example in Chinese, too', ({ name, chinese }) => {
    expect(chinese).toMatch(/^# .*\p{Script=Han}.*(?:必填。|默认：.+)$/u);
    const setting = SETTINGS[name];
    if (setting && 'default' in setting) expect(chinese.endsWith(`默认：${setting.default}`)).toBe(true);
  });

  it('have their defaults in the English page, and the same values in the Chinese one', () => {
    const [english = [], chinese = []] = PAGES.map(settingsIn);
    const told = english.map(({ name, standard }) => [name, standard.replaceAll('`', '')]);
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, standardOf(setting)])),
    );
    const values = (rows: typeof english) =>
      Object.fromEntries(rows.map(({ name, standard }) => [name, codesIn(standard).toSorted()]));
    expect(values(chinese)).toEqual(values(english));
    // A value stands in backticks, so that the comparison above covers it.
    for (const { name, standard } of english) {
      const setting = SETTINGS[name ?? ''];
      expect(onlyCode(standard)).toBe(setting && 'default' in setting ? setting.default : null);
    }
  });

  const required: Environment = { DINGTALK_CLIENT_ID: 'id', DINGTALK_CLIENT_SECRET: 'secret', DIFY_API_KEY: 'key' };
  const defaults = Object.entries(SETTINGS).flatMap(([name, setting]) =>
    'default' in setting ? { name, value: setting.default } : [],
  );

  it.each(defaults)('$name is $value when it is unset', ({ name, value }) => {
    const unset = readConfig(required);
    expect(unset.ok).toBe(true);
    expect(readConfig({ ...required, [name]: value })).toEqual(unset);
  });

  it('are required where the documents say so', () => {
    expect(Object.keys(required).toSorted()).toEqual(REQUIRED_OF_ROBOT.toSorted());
  });

  it('have the ranges that the documents give', () => {
    const told = [
      ...PAGES.flatMap((path) => rowsUnder(path, TITLES).map((cells) => cells.join(' '))),
      ...examples().flatMap(({ name, chinese, english }) => [`${name} ${chinese}`, `${name} ${english}`]),
    ].flatMap((text) => {
      const [, min, max] = /(?<!\d)(\d+) (?:to|到) (\d+)\b/u.exec(text) ?? [];
      const name = /^`?([A-Z_]+)/u.exec(text)?.[1] ?? '';
      return min === undefined ? [] : [{ name, range: `a whole number from ${min} to ${max}` }];
    });
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(told.filter(({ name, range }) => SETTINGS[name]?.schema.description !== range)).toEqual([]);
  });

  it.each(PAGES)('of the example of BOTS in %s are accepted', (path) => {
    const example = tokensOf(path)
      .filter(isCode)
      .find(({ text }) => text.includes('dingtalkClientId'));
    expect(readConfig({ BOTS: example?.text })).toMatchObject({
      ok: true,
      config: { robots: [{ name: 'hr' }, { name: 'it' }] },
    });
  });

  it.each(bothLanguages('docs/vercel.md'))('of the Deploy button in %s exist, and are those of its table', (path) => {
    const button = tokensOf(path)
      .filter(isCode)
      .find(({ text }) => text.startsWith('https://vercel.com/new/clone'));
    const names = new URL(button?.text ?? '').searchParams.get('env')?.split(',') ?? [];
    expect(names).toContain('DINGTALK_CLIENT_ID');
    expect(names.filter((name) => !VARIABLES.includes(name))).toEqual([]);
    const explained = rowsUnder(path, ['It asks for', '要求填写']).flatMap(([cell = '']) => codesIn(cell));
    expect(explained).toEqual(names);
  });

  it.each(READMES)('that %s begins with exist, the required ones among them', (path) => {
    const names = rowsUnder(path, TITLES).map(([name]) => onlyCode(name) ?? '');
    expect(names.filter((name) => !VARIABLES.includes(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(REQUIRED_OF_ROBOT));
  });
});

describe('docs/costs', () => {
  it.each(bothLanguages('docs/costs.md'))('counts right: %s', (path) => {
    const cells = rowsUnder(path, ['`STREAMING`']).flatMap((row) => row.slice(1, 4));
    const figures = cells.map((cell) => [...cell.replaceAll(/(?<=\d),(?=\d)/gu, '').matchAll(/\d+/gu)].map(Number));
    expect(figures).toHaveLength(15);
    for (const [calls = 0, answers] of figures) {
      expect(answers).toBe(calls === 0 ? undefined : Math.floor(5000 / calls));
    }
  });
});
