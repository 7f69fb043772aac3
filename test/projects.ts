/**
 * Which test files run through which doors (doors.ts), as vitest's projects. Everything runs through the usual door, once. Where another
 * transport or a key can matter a file runs again: in `npm test` through as many doors as its cost allows, in `npm run test:long` through all.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { DOORS, type Door } from './doors.ts';

/** Attacks that cost a few seconds: through every door. */
const CHEAP_ATTACKS = ['attack/a1-files', 'attack/a2-drops', 'attack/c3-clickhouse-http'];
/** The others: through the door that is least like the usual one, another transport with a key. */
const ATTACKS = ['attack/a3-inherited-names', 'attack/a7-dictionary', 'attack/a8-bounds', 'attack/c3-http'];
/** Whose other doors wait for the long form: clocks, and threads that die. What a data folder has lost (a5) is looked at before a port is open. */
const SLOW_ATTACKS = ['attack/a4-clock', 'attack/a9-ends'];
/** Over the other transport. Where keys matter to them they start servers with and without. */
const TRANSPORT_SUITES = [
  'attack/a6-clickhouse-port',
  'attack/a6-routes',
  'e2e/rate-limit',
  'e2e/restart',
  'e2e/wire',
  'ingress/http',
  'ingress/spoken',
  'ingress/start',
  'ingress/stream',
  'clickhouse-embedded/clients',
  'clickhouse-embedded/inserts',
  'clickhouse-embedded/results',
];
const USUAL = DOORS[0]!;
const LEAST_LIKE = DOORS.at(-1)!;

export function projectsOf(form: 'short' | 'long', everything: readonly string[]): TestProjectInlineConfiguration[] {
  return DOORS.map((door) => ({
    extends: true,
    test: {
      name: door.name,
      env: door.env,
      include: [
        ...(door === USUAL ? everything : []),
        ...(form === 'long' ? [...ATTACKS, ...SLOW_ATTACKS] : door === USUAL ? [] : shortOf(door)).map(fileOf),
      ],
    },
  }));
}

function shortOf(door: Door): string[] {
  return [
    ...CHEAP_ATTACKS,
    ...(door === LEAST_LIKE ? ATTACKS : []),
    ...(door.env['HUNT_TEST_KEY'] === undefined ? TRANSPORT_SUITES : []),
  ];
}

/** A file that has been moved must not drop out in silence. */
function fileOf(name: string): string {
  const file = `test/${name}.test.ts`;
  if (!existsSync(join(import.meta.dirname, '..', file))) throw new Error(`no such test file: file=${file}`);
  return file;
}
