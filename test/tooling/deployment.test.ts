// What a deployment would consist of: the built function, its settings, and what is published beside it.
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildArtifact, readDeploymentSettings, repositoryRoot, type Artifact } from '../support/artifact.ts';
import { startFunction } from '../support/function-process.ts';

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
    expect(artifact.printed.filter((line) => !line.startsWith('Using '))).toEqual([]);
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

  it('runs on Node 24 and carries only itself and its production dependencies', async () => {
    expect(artifact).toMatchObject({ runtime: 'nodejs24.x', handler: 'api/dingtalk.js' });
    const ours = artifact.files.filter((file) => !file.startsWith('node_modules/'));
    expect(ours.filter((file) => !/^(?:api|lib)\/.*\.js(?:\.map)?$|^package\.json$/u.test(file))).toEqual([]);

    const lock: { packages: Record<string, { dev?: boolean }> } = JSON.parse(await read('package-lock.json'));
    const packages = new Set(artifact.files.map((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(file)?.[0] ?? ''));
    packages.delete('');
    expect([...packages].filter((name) => lock.packages[name]?.dev !== undefined)).toEqual([]);
    expect(packages.size).toBeGreaterThan(0);
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
  it('is public/ and nothing else, because it exists and no build says otherwise', async () => {
    expect(await readdir(join(repositoryRoot, 'public'), { recursive: true })).toEqual(['index.html']);
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(await read('package.json'));
    const buildScripts = ['build', 'vercel-build', 'now-build'];
    expect(Object.keys(scripts).filter((name) => buildScripts.includes(name))).toEqual([]);
  });

  it('is a page that asks no other host for anything', async () => {
    const page = await read('public/index.html');
    expect(page).not.toMatch(/(?:https?:)?\/\/[a-z]/iu);
    expect(page).toContain('/api/dingtalk');
  });
});
