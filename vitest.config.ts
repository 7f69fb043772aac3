import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';
import { patient } from './test/patience.ts';
import { projectsOf } from './test/projects.ts';

/** Everything that `npm test` runs. Three files at a time, for two cores: many tests wait. The slow ones have a config of their own. */
export default defineConfig({
  test: {
    projects: projectsOf('short', 'test/**/*.test.ts'),
    exclude: ['test/**/*.long.test.ts', 'test/clients/**', '**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: patient(60_000),
    hookTimeout: patient(60_000),
  },
});
