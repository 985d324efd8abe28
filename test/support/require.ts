// Suites that need a program from outside npm. Where it is missing they are skipped, visibly; with
// REQUIRE_ALL=1 (as in .ci/run) a missing program is a failing test instead.
/* oxlint-disable vitest/valid-title, vitest/no-conditional-tests, vitest/no-disabled-tests, vitest/expect-expect --
   this declares suites in the name of others, whose title and body it is given */
import { describe, it } from 'vitest';
import { howToInstall, programPath, type Program } from './programs.ts';

/** `describe` for a suite that needs `program`; the suite is given the program's path. */
export function describeWith(program: Program, title: string, suite: (path: string) => void): void {
  const path = programPath(program);
  const need = `needs ${program} (${howToInstall(program)})`;
  if (path !== undefined) {
    describe(title, () => {
      suite(path);
    });
  } else if (process.env['REQUIRE_ALL'] === '1') {
    describe(title, () => {
      it(need, () => {
        throw new Error(`${need}, and REQUIRE_ALL=1 forbids skipping`);
      });
    });
  } else {
    process.stderr.write(`SKIPPED: ${need}: ${title}\n`);
    describe(title, () => {
      it.skip(need);
    });
  }
}
