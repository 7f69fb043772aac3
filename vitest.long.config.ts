import { defineConfig } from 'vitest/config';
import { patient } from './test/patience.ts';
import { projectsOf } from './test/projects.ts';

/** The long forms of the fault, stress and load tests, and the attacks through every door: one at a time, so that each has the machine for itself. */
export default defineConfig({
  test: {
    projects: projectsOf('long', 'test/**/*.long.test.ts'),
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: patient(1_800_000),
    hookTimeout: patient(120_000),
  },
});
