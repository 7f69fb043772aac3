import { defineConfig } from 'vitest/config';
import { patient } from './test/patience.ts';

/** Drivers of others against the ClickHouse port: they need Go, Java and Python, which `npm test` must not ask for. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: patient(300_000),
    hookTimeout: patient(300_000),
  },
});
