// A played program as a process: `dws` or `vercel`, named by its first argument. Its world is a JSON file, which it changes.
import { appendFileSync, fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { playDws, type DwsWorld } from './dws.ts';
import { playVercel, type VercelWorld } from './vercel.ts';

const [name = '', path = '', ...args] = process.argv.slice(2);
const world = JSON.parse(readFileSync(path, 'utf8')) as DwsWorld | VercelWorld;
const given = fstatSync(0);
const isPiped = given.isFIFO() || given.isSocket();
const isOpen = isPiped || process.stdin.isTTY;
appendFileSync(
  world.log,
  `${JSON.stringify({ args, env: Object.keys(process.env), track: process.env['DO_NOT_TRACK'] ?? null, stdin: isOpen ? 'open' : 'closed' })}\n`,
);
const input = isPiped ? readFileSync(0, 'utf8') : '';
const { code, stdout, stderr } =
  name === 'dws' ? playDws(world as DwsWorld, args) : playVercel(world as VercelWorld, args, input, process.cwd());
writeFileSync(path, JSON.stringify(world));
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = code;
