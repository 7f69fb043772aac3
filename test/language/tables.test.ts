/**
 * The tables of functions and of kinds are whole: an entry without one of its parts, or a missing entry, does not compile.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FUNCTIONS } from '../../native-free-core/language/functions/index.ts';
import { KINDS } from '../../native-free-core/language/kinds/index.ts';
import { acceptedOf, mutantsOf, type Mutant } from './mutants.ts';

const root = join(import.meta.dirname, '..', '..');

const FUNCTION_PARTS = new Set(
  `written repeats number text condition phrase kernel neverAbsent sql testKernel name form check documentation
    syntax meaning example`.split(/\s+/),
);

const KIND_PARTS = new Set(
  `type storage isInterned names widensTo clickhouse decode key kernel sql cells types isLowCardinality
    plannedCodec codec native form width signed textOf store clear isZero fromText range takesWords read write
    array high`.split(/\s+/),
);

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name !== 'index.ts')
    .map((name) => join(folder, name));
}

/** Unchanged copies are accepted, or the refusals of the others would say nothing. */
function expectRefused(mutants: readonly Mutant[]): void {
  const unchanged = mutants.filter(({ what }) => !what.includes(' '));
  expect(acceptedOf(mutants).map(({ what }) => what)).toEqual(unchanged.map(({ what }) => what));
}

test('no part of a function can be missing', () => {
  const folder = 'native-free-core/language/functions';
  const mutants = [
    ...mutantsOf(filesOf(folder), FUNCTION_PARTS),
    ...mutantsOf([join(folder, 'index.ts')], new Set(Object.keys(FUNCTIONS))),
  ];
  console.log(`mutants=${mutants.length}`);
  // Each operation has an entry, and most have a dozen parts of their own.
  expect(mutants.length).toBeGreaterThan(4 * Object.keys(FUNCTIONS).length);
  expectRefused(mutants);
});

test('no part of a kind can be missing', () => {
  const folder = 'native-free-core/language/kinds';
  const mutants = [
    ...mutantsOf(filesOf(folder), KIND_PARTS),
    ...mutantsOf([join(folder, 'index.ts')], new Set(Object.keys(KINDS))),
  ];
  console.log(`mutants=${mutants.length}`);
  expect(mutants.length).toBeGreaterThan(15 * Object.keys(KINDS).length);
  expectRefused(mutants);
});
