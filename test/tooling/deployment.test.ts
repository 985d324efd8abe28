// What a deployment would consist of: the built function, its settings, and what is published beside it.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildArtifact, readDeploymentSettings, repositoryRoot, type Artifact } from '../support/artifact.ts';
import { startFunction } from '../support/function-process.ts';

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

  it('loads from a copy outside the repository, and answers once it is configured', async () => {
    const configured = await startFunction({
      artifact,
      env: {
        DINGTALK_CLIENT_ID: 'dingclient',
        DINGTALK_CLIENT_SECRET: 'secret',
        DIFY_API_KEY: 'app-key',
        UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9',
        UPSTASH_REDIS_REST_TOKEN: 'token',
      },
    });
    for (const method of ['GET', 'HEAD']) {
      expect((await fetch(`${configured.url}/api/dingtalk`, { method })).status).toBe(200);
    }
    await configured.close();
  });

  it('answers 503 and names every missing setting while it is not', async () => {
    const bare = await startFunction({ artifact });
    const answer = await fetch(`${bare.url}/api/dingtalk`);
    expect(answer.status).toBe(503);
    const text = await answer.text();
    for (const name of ['DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY']) expect(text).toContain(name);
    await bare.close();
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
