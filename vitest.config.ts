import { defineConfig } from 'vitest/config';
import { patient } from './test/patience.ts';
import { projectsOf } from './test/projects.ts';

/** Everything that `npm test` runs. Two cores: two files at a time; the slow ones have a config of their own. */
export default defineConfig({
  test: {
    projects: projectsOf('short', ['test/**/*.test.ts']),
    exclude: ['test/**/*.long.test.ts', 'test/clients/**', '**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: patient(60_000),
    hookTimeout: patient(60_000),
  },
});
