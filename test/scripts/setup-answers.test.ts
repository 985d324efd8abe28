// `npm run setup -- --answers FILE`: without a terminal, and without a question.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAnswers } from '../../scripts/setup/answers.ts';

const script = fileURLToPath(new URL('../../scripts/setup.ts', import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'setup-answers-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function put(text: string, mode = 0o600): string {
  const path = join(directory, 'answers');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('a file that others may read is refused, and one that is not there', () => {
  const path = put('DIFY_API_KEY=app-marked\n', 0o640);
  expect(readAnswers(path, 'en')).toMatchObject({ ok: false, reason: expect.stringContaining('chmod 600') as string });
  expect(readAnswers(join(directory, 'none'), 'zh-CN')).toMatchObject({ ok: false });
});

test('a mistyped name is named, without its value', () => {
  const result = readAnswers(put('DIFY_API_KYE=app-marked\n'), 'en');
  expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('DIFY_API_KYE') as string });
  expect(JSON.stringify(result)).not.toContain('marked');
});

test('the values are taken, options before them; what is missing is listed, and nothing is asked', () => {
  const run = (...more: string[]) =>
    spawnSync(process.execPath, [script, '--answers', 'answers', '--no-check', '--lang', 'en', ...more], {
      cwd: directory,
      env: { DIFY_API_KEY: 'app-marked-of-the-environment' },
      encoding: 'utf8',
    });
  put('DINGTALK_CLIENT_ID=ding1\nSTREAMING=off\n');
  const missing = run();
  expect(missing.status).toBe(1);
  expect(missing.stdout).toMatch(/^DINGTALK_CLIENT_SECRET: expected /m);
  put('DINGTALK_CLIENT_ID=ding1\nDINGTALK_CLIENT_SECRET=marked-secret\nDIFY_API_KEY=app-marked\nSTREAMING=off\n');
  const { status, stdout, stderr } = run('--set', 'STREAMING=smooth');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('marked');
  expect(parseEnv(readFileSync(join(directory, '.env'), 'utf8'))).toMatchObject({
    DINGTALK_CLIENT_ID: 'ding1',
    DIFY_API_KEY: 'app-marked',
    STREAMING: 'smooth',
  });
});
