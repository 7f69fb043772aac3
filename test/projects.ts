/**
 * Which test files run through which doors (doors.ts), as vitest's projects. Everything runs through the usual door, once.
 * Where another transport or a key can matter a file runs again: in `npm test` through as many doors as its cost allows, in
 * `npm run test:long` through all.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { DOORS, type Door } from './doors.ts';

/** Attacks that cost a few seconds: through every door. */
const CHEAP_ATTACKS = ['attack/a1-files', 'attack/a2-drops', 'attack/c3-clickhouse-http'];
/** The others: through the door that is least like the usual one, another transport with a key. */
const ATTACKS = ['attack/a3-inherited-names', 'attack/a7-dictionary', 'attack/a8-bounds', 'attack/c3-http'];
/**
 * Whose other doors wait for the long form: clocks, and threads that die. What a data folder has lost (a5) is looked at
 * before a port is open.
 */
const SLOW_ATTACKS = ['attack/a4-clock', 'attack/a9-command-lines', 'attack/a9-ends'];
/** Whose other transport waits for the long form. */
const SLOW_TRANSPORT_SUITES = ['e2e/restart'];
/** Over the other transport. Where keys matter to them they start servers with and without. */
const TRANSPORT_SUITES = [
  'attack/a6-clickhouse-port',
  'attack/a6-routes',
  'e2e/queries',
  'e2e/rate-limit',
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

export function projectsOf(form: 'short' | 'long', everything: string): TestProjectInlineConfiguration[] {
  const filesOf = form === 'short' ? shortOf : longOf;
  return DOORS.map((door) => ({
    extends: true,
    test: {
      name: door.name,
      env: door.env,
      include: [...(door === USUAL ? [everything] : []), ...filesOf(door).map(fileOf)],
    },
  }));
}

/** Beside everything, which runs through the usual door. */
function shortOf(door: Door): string[] {
  if (door === USUAL) return [];
  return [...CHEAP_ATTACKS, ...(door === LEAST_LIKE ? ATTACKS : []), ...(isKeyless(door) ? TRANSPORT_SUITES : [])];
}

function longOf(door: Door): string[] {
  const own = door === USUAL ? longForms() : isKeyless(door) ? SLOW_TRANSPORT_SUITES : [];
  return [...ATTACKS, ...SLOW_ATTACKS, ...own];
}

function isKeyless({ env }: Door): boolean {
  return env['HUNT_TEST_KEY'] === undefined;
}

/** Tests that look at more in their long form: those that import long.ts, themselves or by what helps them. */
function longForms(): string[] {
  const here = import.meta.dirname;
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const imports = new Map(
    files.map((name) => {
      const found = readFileSync(join(here, name), 'utf8').matchAll(/from '(\.[^']+)'/g);
      return [name, [...found].map((match) => normalize(join(name, '..', match[1]!)))];
    }),
  );
  const asks = (name: string, seen = new Set<string>()): boolean => {
    if (name === 'long.ts') return true;
    if (seen.has(name)) return false;
    seen.add(name);
    return (imports.get(name) ?? []).some((path) => asks(path, seen));
  };
  return files
    .filter((name) => /(?<!\.long)\.test\.ts$/.test(name) && asks(name))
    .map((name) => name.replace(/\.test\.ts$/, ''));
}

/** A file that has been moved must not drop out in silence. */
export function fileOf(name: string): string {
  const file = `test/${name}.test.ts`;
  if (!existsSync(join(import.meta.dirname, '..', file))) throw new Error(`no such test file: file=${file}`);
  return file;
}
