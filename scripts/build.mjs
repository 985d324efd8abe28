// The build step of a deployment. Vercel's builder runs it (`vercel-build`) before it looks at `api/`: the types are
// checked, then `lib/` and the packages that it uses are put into dist/function.js, which `api/dingtalk.ts` imports.
//
// Plain JavaScript, because `vercel build` on a developer's machine may run it with an older Node.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encode } from '@jridgewell/sourcemap-codec';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

checkTypes();
await bundle();

/** Ends the build where a type is wrong: the bundler only removes types. */
function checkTypes() {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '--project', join(root, 'tsconfig.function.json')], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

async function bundle() {
  const build = await rolldown({
    cwd: root,
    input: 'lib/function.ts',
    platform: 'node',
    // `@vercel/functions` would load it for web sockets, which nothing here opens.
    resolve: { alias: { ws: false } },
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    minify: true,
    // A stack trace names the line of `lib/`. The sources themselves stay out: they double the size.
    sourcemap: true,
    sourcemapExcludeSources: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  });
  mkdirSync(dist, { recursive: true });
  for (const file of output) {
    const isMap = file.fileName.endsWith('.map');
    place(file.fileName, file.type === 'chunk' ? file.code : isMap ? ofOwnLines(file.source) : file.source);
  }
}

/** The map without the lines of packages, which are half of it: a trace gives their place in the built file. */
function ofOwnLines(source) {
  const map = JSON.parse(source);
  const isPackage = map.sources.map((path) => path.includes('node_modules/'));
  const lines = decode(map.mappings).map((segments) => {
    const kept = [];
    for (const segment of segments) {
      if (segment.length > 1 && !isPackage[segment[1]]) kept.push(segment);
      // One column without a source ends what stands before it.
      else if (kept.at(-1)?.length !== 1) kept.push([segment[0]]);
    }
    return kept;
  });
  return JSON.stringify({ ...map, mappings: encode(lines) });
}

/** Another build may run at the same time, and the builder may read meanwhile: a file is there as a whole or not at all. */
function place(name, content) {
  const beside = join(dist, `${name}.${process.pid}.tmp`);
  writeFileSync(beside, content);
  renameSync(beside, join(dist, name));
}
