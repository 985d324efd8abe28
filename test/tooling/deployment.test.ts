// What a deployment would consist of: the built function, its settings, and what is published beside it.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { buildArtifact, readDeploymentSettings, repositoryRoot, type Artifact } from '../support/artifact.ts';
import { GROUP, startVendors } from '../support/bridge.ts';
import { startFunction } from '../support/function-process.ts';
import { describeWith } from '../support/require.ts';
import { words } from '../support/stage.ts';
import { startStore } from '../support/store.ts';

const run = promisify(execFile);

const read = (path: string) => readFile(join(repositoryRoot, path), 'utf8');

/** The part of the schema validator that is used here. */
interface Validator {
  validate(schema: object, value: unknown): boolean;
  errors?: unknown;
}

describe('the built function', () => {
  let artifact: Artifact;
  beforeAll(async () => {
    // The builder checks no types unless it is told that a type error ends the build.
    vi.stubEnv('EXPERIMENTAL_NODE_TYPESCRIPT_ERRORS', '1');
    artifact = await buildArtifact();
    vi.unstubAllEnvs();
  });
  afterAll(() => artifact?.remove());

  it('is built without a complaint of the builder', () => {
    expect(artifact.printed).toEqual([]);
  });

  describeWith('redis-server', 'loaded from a copy outside the repository', () => {
    it('plays the whole story: health, probe, group question, single question, redelivery, commands', async () => {
      const store = await startStore();
      const { dingtalk, dify, env } = await startVendors(
        { app: { script: words('Hello ', '**there**') } },
        systemClock,
      );
      onTestFinished(async () => void (await Promise.all([dingtalk.close(), dify.close(), store.close()])));
      const instance = await startFunction({ artifact, env: { ...env, ...store.env, VERCEL: '1' } });
      onTestFinished(() => instance.kill('SIGKILL'));
      const url = `${instance.url}/api/dingtalk`;
      for (const method of ['GET', 'HEAD', 'POST']) expect((await fetch(url, { method })).status).toBe(200);
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);

      const first = dingtalk.callback({ from: 'staff-2', conversation: GROUP, text: '你好' });
      expect(await dingtalk.deliver(url, first)).toMatchObject({ status: 200, body: '{"msgtype":"empty"}' });
      await dingtalk.deliver(url, first);
      await dingtalk.deliver(url, dingtalk.callback({ from: 'staff-1', text: 'again' }));
      await dingtalk.deliver(url, dingtalk.callback({ from: 'staff-1', text: '/help' }));
      await instance.drain();

      expect([...dingtalk.cards.values()].map(({ phase, content }) => `${phase}: ${content}`)).toEqual([
        'finished: Hello **there**',
        'finished: Hello **there**',
      ]);
      expect(dingtalk.messages).toMatchObject([{ text: expect.stringContaining('/new') as string }]);
      expect(dify.runs).toHaveLength(2);
      expect(dingtalk.violations).toEqual([]);
      expect(instance.logs.every((line) => line.startsWith('{'))).toBe(true);
    });
  });

  it('answers 503 with everything that is wrong at once while it is not configured', async () => {
    const bare = await startFunction({ artifact, env: { VERCEL: '1', DIFY_API_URL: 'nonsense' } });
    const answer = await fetch(`${bare.url}/api/dingtalk`, { method: 'POST' });
    expect(answer.status).toBe(503);
    const text = await answer.text();
    for (const name of [
      'DINGTALK_CLIENT_ID',
      'DINGTALK_CLIENT_SECRET',
      'DIFY_API_KEY',
      'DIFY_API_URL',
      'UPSTASH_REDIS_REST_URL',
    ])
      expect(text).toContain(name);
    expect(text).not.toContain('nonsense');
    await bare.close();
  });

  it('holds neither the in-process store nor the TCP client: Vercel uses neither', async () => {
    const map: { sources: string[] } = JSON.parse(
      await readFile(join(artifact.directory, 'dist/function.js.map'), 'utf8'),
    );
    expect(map.sources).toContain('../lib/state/redis/upstash.ts');
    expect(map.sources.filter((file) => /lib\/state\/(?:memory\/|redis\/tcp)|@redis\/client/u.test(file))).toEqual([]);
  });

  it('runs on Node 24 and is the built file with its maps: no package is read at a cold start', async () => {
    expect(artifact).toMatchObject({ runtime: 'nodejs24.x', handler: 'api/dingtalk.js', hasSourceMaps: true });
    expect(
      artifact.files.filter((file) => !/^(?:api|dist)\/[\w-]+\.js(?:\.map)?$|^package\.json$/u.test(file)),
    ).toEqual([]);
    expect(artifact.files).toContain('dist/function.js.map');
    expect(artifact.files.length).toBeLessThanOrEqual(20);
    const sizes = await Promise.all(
      artifact.files.map(async (file) => (await stat(join(artifact.directory, file))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_500_000);
  });

  it('names the line of the source where something fails', async () => {
    const { stderr } = await run(
      process.execPath,
      [
        '--enable-source-maps',
        '--input-type=module',
        '--eval',
        "import { createApp } from '#function'; createApp(null);",
      ],
      { cwd: artifact.directory },
    ).catch((error: { stderr: string }) => error);
    expect(stderr).toMatch(/lib\/app\.ts:\d+:\d+/u);
  });
});

describe('the deployment settings', () => {
  it('are of the form that the platform takes', async () => {
    const fromBuilder = createRequire(createRequire(import.meta.url).resolve('@vercel/node'));
    const { functionsSchema }: { functionsSchema: object } = fromBuilder('@vercel/build-utils');
    const Ajv: new (options: { strict: boolean }) => Validator = createRequire(
      fromBuilder.resolve('@vercel/static-config'),
    )('ajv');
    const validator = new Ajv({ strict: false });
    const settings = await readDeploymentSettings();
    validator.validate(functionsSchema, settings.functions);
    expect(validator.errors).toBeNull();
    expect(validator.validate(functionsSchema, { 'api/dingtalk.ts': { maxDurations: 300 } })).toBe(false);
    // The builder accepts unknown keys here in silence.
    expect(Object.keys(settings)).toEqual(['$schema', 'regions', 'functions', 'rewrites', 'crons']);
  });

  it('name the one function there is: every file in api/ would be a public one', async () => {
    expect(Object.keys((await readDeploymentSettings()).functions)).toEqual(['api/dingtalk.ts']);
    expect(await readdir(join(repositoryRoot, 'api'), { recursive: true })).toEqual(['dingtalk.ts']);
  });

  it('have a cron that deploys on every plan: once a day, to a path of the function', async () => {
    const { crons } = await readDeploymentSettings();
    expect(crons).toEqual([{ path: '/api/dingtalk?sweep', schedule: expect.stringMatching(/^\d+ \d+ \* \* \*$/u) }]);
  });
});

describe('what is published as static files', () => {
  it('is public/ and nothing else: the platform takes that directory where it exists, and the build writes elsewhere', async () => {
    expect(await readdir(join(repositoryRoot, 'public'), { recursive: true })).toEqual(['index.html']);
  });

  it('is a page that asks no other host for anything', async () => {
    const page = await read('public/index.html');
    expect(page).not.toMatch(/(?:https?:)?\/\/[a-z]/iu);
    expect(page).toContain('/api/dingtalk');
  });
});
