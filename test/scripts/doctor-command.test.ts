// The command itself: arguments, .env, output, exit code.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { readArguments } from '../../scripts/doctor/arguments.ts';
import { startVendors } from '../support/bridge.ts';
import { startScript } from '../support/script.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'doctor-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function doctor(args: string[], env: Record<string, string>) {
  const { ended, printed, complaints } = startScript('scripts/doctor.ts', { cwd: directory, env, args });
  const code = await ended;
  return { out: printed(), complaints: complaints(), code };
}

describe('npm run doctor', () => {
  test('reads .env, says what is fine, and ends with 0 although there are warnings', async () => {
    const { dingtalk, dify, env } = await startVendors({}, systemClock);
    const { DIFY_API_KEY, ...rest } = env;
    await writeFile(
      join(directory, '.env'),
      `DIFY_API_KEY=${DIFY_API_KEY}\nREPLY_LANGUAGE=en\nDIFY_API_URL=nonsense\n`,
    );
    const { out, complaints, code } = await doctor([], rest);
    expect(complaints).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/✓ .*DingTalk credentials.*\n/u);
    expect(out).toMatch(
      /! Store: none.*\n {6}Fix: create an Upstash Redis.*\n {6}Where: .*\n {6}More: docs\/operations\.md#store_in_process\n/u,
    );
    expect(out).toMatch(/– Card template: not proved.*--card STAFF_ID/u);
    expect(out).toMatch(/\n0 failed, 1 warning, \d+ fine\n$/u);
    expect(out).not.toContain('\u001b');
    for (const secret of [env.DINGTALK_CLIENT_SECRET, DIFY_API_KEY]) expect(out).not.toContain(secret);
    await Promise.all([dingtalk.close(), dify.close()]);
  });

  test('ends with 1 when something failed, and speaks JSON', async () => {
    const { out, code } = await doctor(['--json'], { DIFY_API_KEY: 'app-1', LANG: 'zh_CN.UTF-8' });
    expect(code).toBe(1);
    const report = JSON.parse(out) as { ok: boolean; sections: { findings: unknown[] }[] };
    expect(report.ok).toBe(false);
    expect(report.sections[0]?.findings[0]).toEqual({
      check: 'configuration',
      level: 'failed',
      code: 'variable',
      found: 'DINGTALK_CLIENT_ID 缺失',
      mend: '请设置 DINGTALK_CLIENT_ID（必填）',
      where: expect.stringContaining('.env') as string,
      failure: 'not_configured',
    });
  });

  test('tells what is missing from what is malformed, and where to begin', async () => {
    const { out } = await doctor([], { DIFY_API_URL: 'nonsense', REPLY_LANGUAGE: 'en' });
    expect(out).toMatch(/✗ Configuration: DIFY_API_KEY is missing\n {6}Fix: set DIFY_API_KEY \(it is required\)\n/u);
    expect(out).toMatch(/✗ Configuration: DIFY_API_URL has a wrong form\n {6}Fix: set DIFY_API_URL to an address/u);
    expect(out).toMatch(/\n {6}More: docs\/operations\.md#not_configured\n/u);
    expect(out).toMatch(/\n\nnpm run setup asks for these values.* npm start needs none of them\.\n\n/u);
  });

  test('ends with 2 for arguments that it does not know, and with 0 for help', async () => {
    const wrong = await doctor(['--bogus'], { REPLY_LANGUAGE: 'en' });
    expect([wrong.code, wrong.out]).toEqual([2, '']);
    expect(wrong.complaints).toMatch(/^Unknown option '--bogus'\n\nnpm run doctor/u);
    const help = await doctor(['--help'], {});
    expect([help.code, help.complaints]).toEqual([0, '']);
    expect(help.out).toMatch(/--card.*--robot.*--json.*--no-color/su);
  });
});

describe('arguments of the doctor', () => {
  const none = { origin: null, robotName: null, cardTo: null, isFixing: false };
  test.each([
    [[], none],
    [['https://bot.example.com'], { ...none, origin: 'https://bot.example.com' }],
    [['https://bot.example.com/api/dingtalk/'], { ...none, origin: 'https://bot.example.com' }],
    [['https://bot.example.com/api/dingtalk/hr'], { ...none, origin: 'https://bot.example.com', robotName: 'hr' }],
    [['--robot', 'hr', '--card', 'staff-1'], { ...none, robotName: 'hr', cardTo: 'staff-1' }],
    [['--fix'], { ...none, isFixing: true }],
  ])('%j', (args, request) => {
    expect(readArguments(args)).toEqual({ kind: 'check', request, isJson: false, isPlain: false, showsAll: false });
  });

  test('--json and --no-color', () => {
    expect(readArguments(['--json', '--no-color'])).toMatchObject({ isJson: true, isPlain: true });
  });

  test.each([
    [['bot.example.com']],
    [['ftp://bot.example.com']],
    [['https://bot.example.com/other']],
    [['https://bot.example.com/api/dingtalk?x-vercel-protection-bypass=secret']],
    [['https://user:secret@bot.example.com']],
    [['https://a.example.com', 'https://b.example.com']],
    [['https://bot.example.com/api/dingtalk/hr', '--robot', 'it']],
    [['--card', '']],
    [['--card']],
  ])('refuses %j', (args) => {
    const command = readArguments(args);
    expect(command.kind).toBe('wrong');
    expect(JSON.stringify(command)).not.toContain('secret');
  });
});
