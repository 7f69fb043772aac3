/**
 * The order of test files: those that take longest first, so that no core waits at the end for one of them. Vitest goes by
 * the size of a file where it has not run it before, and most of the longest are short texts. Used by vitest.config.ts.
 */

import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { fileOf } from './projects.ts';

/** Measured, by file of the whole run; all others take less. */
const LONGEST = [
  'faults/kill',
  'stress/deploys',
  'stress/bit-exact',
  'cli/verify',
  'e2e/deploy',
  'faults/power-cut',
  'e2e/rebuild',
  'attack/a6-keys',
  'attack/a5-spool',
  'attack/a9-ends',
  'attack/a4-clock',
  'attack/a8-bounds',
  'e2e/explain',
  'e2e/restart',
  'language/aggregates/agreement',
  'language/functions/agreement',
  'cli/command-scopes',
  'attack/a9-command-lines',
  'e2e/limits',
  'e2e/retail',
  'e2e/models',
  'e2e/upgrade',
  'cli/plan-change',
  'faults/power-cut-resend',
  'examples/treasure-hunt/demo',
  'attack/c3-http',
  'features/aggregates',
  'attack/a6-routes',
  'attack/a3-inherited-names',
];

export class LongestFirst extends BaseSequencer {
  override sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const places = new Map(LONGEST.map((name, place) => [fileOf(name), place]));
    const placeOf = ({ moduleId, project }: TestSpecification): number =>
      places.get(relative(project.config.root, moduleId)) ?? LONGEST.length;
    return super.sort(specifications).then((sorted) => sorted.toSorted((a, b) => placeOf(a) - placeOf(b)));
  }
}
