/**
 * Real data that is no part of the project: it lies in `../shared/data`. Where it is not there, tests that need it are
 * skipped and say so; with CI=true its absence fails.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { root } from './server.ts';

const folder = join(root, '..', 'shared', 'data');

/** Path of one of its files, there or not. */
export function realData(...names: string[]): string {
  return join(folder, ...names);
}

/** Tests of one of its folders. */
export function describeRealData(name: string, tests: () => void): void {
  const isThere = existsSync(realData(name));
  if (!isThere && process.env['CI'] === 'true')
    throw new Error(`the real data is missing: folder=${realData(name)}; with CI=true it must be there`);
  describe.skipIf(!isThere)(isThere ? name : `${name}: skipped, there is no folder ${realData(name)}`, tests);
}
