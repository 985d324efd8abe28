// Taking over the configuration of dify-on-dingtalk.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../lib/config/config.ts';
import { readOtherBridge } from '../../scripts/setup/from.ts';

const script = fileURLToPath(new URL('../../scripts/setup.ts', import.meta.url));

/** As its README describes them. */
const ENV = `LOG_LEVEL=WARNING
DEFAULT_MAX_WORKERS=2
DIFY_OPEN_API_URL=http://dify.example/v1
DIFY_CONVERSATION_REMAIN_TIME=15
DINGTALK_AI_CARD_TEMPLATE_ID=template-of-all.schema
`;
const BOTS = `bots:
  - name: 客服
    dingtalk_app_client_id: ding1
    dingtalk_app_client_secret: marked-1
    dify_app_type: chatbot
    dify_app_api_key: app-marked-1
    handler: DifyAiCardBotHandler
  - name: HR Bot
    dingtalk_app_client_id: ding2
    dingtalk_app_client_secret: 12345
    dingtalk_ai_card_template_id: template-2.schema
    dify_app_type: workflow
    dify_app_api_key: app-marked-2
    handler: DifyAiCardBotHandler
    max_workers: 3
  - name: 财务
    dingtalk_app_client_id: ding3
    dingtalk_app_client_secret: marked-3
    dify_app_type: completion
    dify_app_api_key: app-marked-3
    handler: DifyAiCardBotHandler
`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'setup-from-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));
const put = async (name: string, text: string) => {
  await writeFile(join(directory, name), text);
  return join(directory, name);
};

function imported(path: string): Record<string, string> {
  const result = readOtherBridge(path);
  if (!result.ok) throw new Error(result.reason);
  return Object.fromEntries(result.values);
}

describe('the configuration of dify-on-dingtalk', () => {
  test('becomes ours: the first robot flat, the others in BOTS, all with Stream connections', async () => {
    await put('.env', ENV);
    await put('.bots.yaml', BOTS);
    const { BOTS: others = '', ...flat } = imported(directory);
    expect(flat).toEqual({
      DINGTALK_CONNECTION: 'stream',
      DIFY_API_URL: 'http://dify.example/v1',
      CONVERSATION_TTL_MINUTES: '15',
      LOG_LEVEL: 'warn',
      DINGTALK_CLIENT_ID: 'ding1',
      DINGTALK_CLIENT_SECRET: 'marked-1',
      DINGTALK_CARD_TEMPLATE_ID: 'template-of-all.schema',
      DIFY_API_KEY: 'app-marked-1',
    });
    expect(JSON.parse(others)).toMatchObject([
      { name: 'hr-bot', dingtalkClientSecret: '12345', dingtalkCardTemplateId: 'template-2.schema' },
      { name: 'robot-3', dingtalkCardTemplateId: 'template-of-all.schema', difyApiKey: 'app-marked-3' },
    ]);
    const result = readConfig({ ...flat, BOTS: others });
    expect(result.ok && result.config.robots.map(({ name, dingtalk }) => [name, dingtalk.connection])).toEqual([
      [null, 'stream'],
      ['hr-bot', 'stream'],
      ['robot-3', 'stream'],
    ]);
  });

  test('of one robot needs no BOTS; the path may be that of the file, and what is not set stays unset', async () => {
    const env = await put('.env', 'DINGTALK_AI_CARD_TEMPLATE_ID=\n');
    const one = BOTS.split('\n').slice(0, 7).join('\n');
    await put('.bots.yaml', one);
    expect(Object.keys(imported(env)).toSorted()).toEqual([
      'DIFY_API_KEY',
      'DINGTALK_CLIENT_ID',
      'DINGTALK_CLIENT_SECRET',
      'DINGTALK_CONNECTION',
    ]);
  });

  test.each([
    ['no .env', null, BOTS, /\.env cannot be read/u],
    ['no .bots.yaml', ENV, null, /\.bots\.yaml cannot be read/u],
    ['no YAML', ENV, 'bots: [', /\.bots\.yaml cannot be read, or is no YAML/u],
    ['no robots', ENV, 'bots: []', /has no robots/u],
    ['a robot without its key', ENV, 'bots: [{dingtalk_app_client_id: marked}]', /bots\.0\.dify_app_api_key/u],
  ])('with %s is refused by name, without a value', async (_, env, bots, reason) => {
    if (env !== null) await put('.env', env);
    if (bots !== null) await put('.bots.yaml', bots);
    const result = readOtherBridge(directory);
    expect(result).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as string });
    expect(JSON.stringify(result)).not.toContain('marked');
  });

  test('goes into our .env by npm run setup, which says what is left to do for Stream mode', async () => {
    const other = await mkdtemp(join(tmpdir(), 'setup-other-'));
    await writeFile(join(other, '.env'), ENV);
    await writeFile(join(other, '.bots.yaml'), BOTS);
    const setup = (path: string) =>
      spawnSync(process.execPath, [script, '--yes', '--no-check', '--lang', 'en', '--from', path], {
        cwd: directory,
        env: { DIFY_API_URL: 'http://another.example/v1' },
        encoding: 'utf8',
      });
    const { status, stdout, stderr } = setup(other);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Taken over from dify-on-dingtalk: 3 robots');
    expect(stdout).toContain('docker compose up');
    expect(stdout).toContain('Stream 模式');
    expect(stdout).not.toMatch(/marked|12345|vercel env/u);
    const written = parseEnv(await readFile(join(directory, '.env'), 'utf8'));
    expect(written).toMatchObject({ DINGTALK_CONNECTION: 'stream', DIFY_API_URL: 'http://dify.example/v1' });
    expect(readConfig(written).ok).toBe(true);
    const missing = setup(join(other, 'nothing'));
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('cannot be read')]);
    await rm(other, { recursive: true, force: true });
  });
});
