// The function as the platform would deploy it, built by the platform's own builder. It is written to a
// directory outside the repository: in place, the repository's node_modules would hide every file that the
// builder's tracer missed.
import { copyFile, lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { vi } from 'vitest';

const require = createRequire(import.meta.url);

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

export interface Artifact {
  /** Outside the repository; holds what the platform would upload, and nothing else. */
  directory: string;
  /** The module that the platform loads, relative to `directory`. */
  handler: string;
  /** For example `nodejs24.x`. */
  runtime: string;
  /** Whether the platform starts Node so that stack traces name the lines of the sources. */
  hasSourceMaps: boolean;
  /** Every file in `directory`, relative to it, with forward slashes. */
  files: string[];
  /** The lines that the builder printed, apart from what it is doing. It goes on after most of the faults it finds, so only these lines tell. */
  printed: string[];
  remove(): Promise<void>;
}

/** The two kinds of file that the builder gives back. */
type BuiltFile = { type: 'FileBlob'; data: string | Buffer } | { type: 'FileFsRef'; fsPath: string };

/** The part of the builder's interface that is used here; the package declares no types for it. */
interface Builder {
  build(options: {
    files: Record<string, { type: 'FileFsRef'; fsPath: string; mode: number }>;
    entrypoint: string;
    workPath: string;
    repoRootPath: string;
    config: { zeroConfig: true; functions: unknown; includeFiles: string[] };
    meta: { skipDownload: true; runNpmInstallSet: Set<string> };
  }): Promise<{
    output: { handler: string; runtime: string; shouldAddSourcemapSupport: boolean; files: Record<string, BuiltFile> };
  }>;
}

/** The deployment's settings, as far as tests look at them. */
export interface DeploymentSettings {
  functions: Record<string, { maxDuration: number; includeFiles: string }>;
  regions: string[];
  rewrites: { source: string; destination: string }[];
  crons: { path: string; schedule: string }[];
}

export async function readDeploymentSettings(): Promise<DeploymentSettings> {
  const settings: DeploymentSettings = JSON.parse(await readFile(join(repositoryRoot, 'vercel.json'), 'utf8'));
  return settings;
}

async function place(file: BuiltFile, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if (file.type === 'FileBlob') {
    await writeFile(target, file.data);
  } else if ((await lstat(file.fsPath)).isSymbolicLink()) {
    await symlink(await readlink(file.fsPath), target);
  } else {
    await copyFile(file.fsPath, target);
  }
}

/** Calls `work` and keeps what is printed by the console meanwhile. */
async function recordPrinted<T>(work: () => Promise<T>): Promise<{ result: T; printed: string[] }> {
  const printed: string[] = [];
  const record = (...values: unknown[]) => printed.push(...format(...values).split('\n'));
  const methods = ['log', 'info', 'warn', 'error'] as const;
  const spies = methods.map((method) => vi.spyOn(console, method).mockImplementation(record));
  try {
    return { result: await work(), printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Builds one entry point, relative to the repository's root. Runs the build step, too. Takes about six seconds; needs no network. */
export async function buildArtifact(entrypoint = 'api/dingtalk.ts'): Promise<Artifact> {
  const builder: Builder = require('@vercel/node');
  const fsPath = join(repositoryRoot, entrypoint);
  const { mode } = await lstat(fsPath);
  const { functions } = await readDeploymentSettings();
  const { result, printed } = await recordPrinted(() =>
    builder.build({
      files: { [entrypoint]: { type: 'FileFsRef', fsPath, mode } },
      entrypoint,
      workPath: repositoryRoot,
      repoRootPath: repositoryRoot,
      config: { zeroConfig: true, functions, includeFiles: Object.values(functions).map((one) => one.includeFiles) },
      // The dependencies are installed; without this the builder would run `npm install` under the running tests.
      meta: { skipDownload: true, runNpmInstallSet: new Set([join(repositoryRoot, 'package.json')]) },
    }),
  );
  const { output } = result;
  const directory = await mkdtemp(join(tmpdir(), 'artifact-'));
  for (const [path, file] of Object.entries(output.files)) await place(file, join(directory, path));
  return {
    directory,
    handler: output.handler,
    runtime: output.runtime,
    hasSourceMaps: output.shouldAddSourcemapSupport,
    files: Object.keys(output.files).toSorted(),
    printed: printed.filter((line) => !/^Using |^Running "npm run vercel-build"$/u.test(line)),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
