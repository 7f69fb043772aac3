import { defineConfig } from 'vitest/config';
import { patient } from './test/patience.ts';

/** The long forms of the fault, stress and load tests: one at a time, so that each has the machine for itself. */
export default defineConfig({
  test: {
    include: ['test/**/*.long.test.ts', 'test/e2e/rebuild.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: patient(1_800_000),
    hookTimeout: patient(120_000),
  },
});
