import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { deployedPackages, fits } from '../../scripts/licences.ts';

const packages = deployedPackages(fileURLToPath(new URL('../../', import.meta.url)));

test('every package that is deployed has a licence that fits', () => {
  expect(packages.length).toBeGreaterThan(5);
  expect(packages.filter(({ licence }) => !fits(licence))).toEqual([]);
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['Apache-2.0 AND MIT', true],
  ['MIT AND GPL-3.0', false],
  ['GPL-3.0', false],
  ['UNLICENSED', false],
  ['unknown', false],
])('%s: %s', (licence, expected) => expect(fits(licence)).toBe(expected));
