import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildArtifact, repositoryRoot, type Artifact } from '../support/artifact.ts';
import { startFunction, type FunctionOptions, type FunctionProcess } from '../support/function-process.ts';

describe('building and hosting a function', () => {
  let artifact: Artifact;
  let instance: FunctionProcess | undefined;
  const start = async (options: Omit<FunctionOptions, 'artifact'> = {}): Promise<FunctionProcess> => {
    instance = await startFunction({ artifact, ...options });
    return instance;
  };

  beforeAll(async () => {
    artifact = await buildArtifact('test/tooling/artifact-fixture.ts');
  });
  afterAll(() => artifact.remove());
  afterEach(() => instance?.kill('SIGKILL'));

  it('is built without a complaint of the builder', () => {
    expect(artifact.printed).toEqual([]);
  });

  it('gives the function the request as it was sent, its own environment and a deadline', async () => {
    const { url } = await start({ env: { GREETING: 'hello' } });
    const response = await fetch(`${url}/some/path?a=1`, { method: 'POST', body: '{"text":"\\u4f60 好"}' });
    expect(await response.json()).toMatchObject({
      method: 'POST',
      path: '/some/path?a=1',
      body: '{"text":"\\u4f60 好"}',
      environment: { GREETING: 'hello' },
      secondsLeft: 300,
    });
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  });

  it('applies the rewrite, so that the robot arrives in the path and as a parameter', async () => {
    const { url } = await start();
    const answer = await (await fetch(`${url}/api/dingtalk/sales-2?sweep`)).json();
    expect(answer).toMatchObject({ path: '/api/dingtalk/sales-2?sweep=&robot=sales-2' });
  });

  it('answers before the background work is done, and drains it', async () => {
    const { url, logs, drain } = await start();
    expect(await (await fetch(`${url}/background`)).text()).toBe('accepted');
    expect(logs).toEqual([]);
    await fetch(`${url}/allow`);
    await drain();
    expect(logs).toEqual(['background work done']);
  });

  it('tells of background work that rejected', async () => {
    const { url, drain } = await start();
    await fetch(`${url}/rejected`);
    await expect(drain()).rejects.toThrow('on purpose');
    await drain();
  });

  it('answers 500 for a function that throws, and logs why', async () => {
    const { url, logs } = await start();
    expect((await fetch(`${url}/broken`)).status).toBe(500);
    await expect.poll(() => logs.join('\n')).toContain('broken on purpose');
  });

  it('dies when killed, and at its deadline with whatever is not done', async () => {
    const { url, kill } = await start();
    await fetch(`${url}/forever`);
    await kill('SIGKILL');
    await expect(fetch(url)).rejects.toThrow('fetch failed');

    const brief = await start({ maxDurationMs: 1_000 });
    await fetch(`${brief.url}/background`);
    await fetch(`${brief.url}/allow`);
    await brief.drain();
    await fetch(`${brief.url}/forever`);
    await expect(brief.drain()).rejects.toThrow('SIGKILL');
  });

  it('shows a file that the build left out', async () => {
    const left = artifact.files.find((file) => file.endsWith('functions/wait-until.js')) ?? '';
    expect(existsSync(join(repositoryRoot, left))).toBe(true);
    const directory = `${artifact.directory}-incomplete`;
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await cp(artifact.directory, directory, { recursive: true, verbatimSymlinks: true });
    await rm(join(directory, left));
    await expect(startFunction({ artifact: { ...artifact, directory } })).rejects.toThrow('wait-until');
  });
});
