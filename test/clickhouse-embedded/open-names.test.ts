/**
 * Every name that the running engine knows has been looked at and is in exactly one list; an upgrade that brings a new name
 * fails here.
 */
import { expect, it } from 'vitest';
import { CLOSED_AGGREGATES, COMBINATORS, OPEN_AGGREGATES } from '../../src/clickhouse-embedded/names/aggregates.ts';
import { CLOSED_FUNCTIONS, OPEN_FUNCTIONS } from '../../src/clickhouse-embedded/names/functions.ts';
import { CLOSED_SETTINGS } from '../../src/clickhouse-embedded/names/settings-closed.ts';
import { FRONT_SETTINGS, OPEN_SETTINGS } from '../../src/clickhouse-embedded/names/settings-open.ts';
import {
  CODECS,
  INDEX_TYPES,
  SYNTAX_FUNCTIONS,
  UNLISTED_TABLE_FUNCTIONS,
} from '../../src/clickhouse-embedded/names/syntax-names.ts';
import { CLOSED_TABLE_SETTINGS, OPEN_TABLE_SETTINGS } from '../../src/clickhouse-embedded/names/table-settings.ts';
import * as tables from '../../src/clickhouse-embedded/names/tables.ts';
import { isClosedFunction, isOpenEngine, isOpenFunction } from '../../src/clickhouse-embedded/open-names.ts';
import { useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer();

const namesOf = async (query: string): Promise<string[]> =>
  (await server.run(query, { asEngine: true })).trim().split('\n');

const FRONT_ONLY = ['buffer_size', 'wait_end_of_query'];

const kinds: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
  ['settings', 'SELECT name FROM system.settings', [OPEN_SETTINGS, CLOSED_SETTINGS, FRONT_SETTINGS]],
  ['settings of tables', 'SELECT name FROM system.merge_tree_settings', [OPEN_TABLE_SETTINGS, CLOSED_TABLE_SETTINGS]],
  ['functions', 'SELECT name FROM system.functions WHERE NOT is_aggregate', [OPEN_FUNCTIONS, CLOSED_FUNCTIONS]],
  ['aggregate functions', 'SELECT name FROM system.functions WHERE is_aggregate', [OPEN_AGGREGATES, CLOSED_AGGREGATES]],
  ['combinators', 'SELECT name FROM system.aggregate_function_combinators', [COMBINATORS]],
  [
    'table functions',
    'SELECT name FROM system.table_functions',
    [tables.OPEN_TABLE_FUNCTIONS, tables.CLOSED_TABLE_FUNCTIONS],
  ],
  ['table engines', 'SELECT name FROM system.table_engines', [tables.OPEN_TABLE_ENGINES, tables.CLOSED_TABLE_ENGINES]],
  [
    'database engines',
    'SELECT name FROM system.database_engines',
    [tables.OPEN_DATABASE_ENGINES, tables.CLOSED_DATABASE_ENGINES],
  ],
  ['formats', 'SELECT name FROM system.formats', [tables.OPEN_FORMATS, tables.CLOSED_FORMATS]],
];

it.each(kinds)('%s of the engine are all in a class', async (_, query, classes) => {
  const known = new Set(await namesOf(query));
  const listed = classes.flat().filter((name) => !FRONT_ONLY.includes(name));
  expect([...known].filter((name) => !listed.includes(name))).toEqual([]);
  expect(listed.filter((name) => !known.has(name))).toEqual([]);
  expect(listed.filter((name, index) => listed.indexOf(name) !== index)).toEqual([]);
});

it('codecs and index types are those of the engine', async () => {
  const codecs = await namesOf('SELECT name FROM system.codecs');
  const shut = codecs.filter((name) => !CODECS.includes(name));
  expect(shut.sort()).toEqual(['AES_128_GCM_SIV', 'AES_256_GCM_SIV', 'Multiple']);
  const types = await namesOf('SELECT name FROM system.data_skipping_index_types');
  expect(types.sort()).toEqual([...INDEX_TYPES].sort());
});

it('names of the syntax are in no list of the engine', async () => {
  const functions = await namesOf('SELECT lower(name) FROM system.functions');
  expect(SYNTAX_FUNCTIONS.filter((name) => functions.includes(name))).toEqual([]);
  const tableFunctions = await namesOf('SELECT lower(name) FROM system.table_functions');
  expect(UNLISTED_TABLE_FUNCTIONS.filter((name) => tableFunctions.includes(name))).toEqual([]);
});

it('no name is open in one sense and shut in another, but those that are told apart', () => {
  const both = [...tables.CLOSED_TABLE_FUNCTIONS, ...tables.CLOSED_TABLE_ENGINES].filter(isOpenFunction);
  // Text with holes; told from the table function of that name by the syntax tree.
  expect(both).toEqual(['format']);
  expect(CLOSED_FUNCTIONS.filter((name) => isOpenFunction(name) || isOpenEngine(name))).toEqual([]);
  expect(OPEN_FUNCTIONS.filter(isClosedFunction)).toEqual([]);
});

it('aggregate functions stay open with any combinators', () => {
  for (const name of [
    'sum',
    'sumIf',
    'uniqExactState',
    'avgOrNullIf',
    'quantilesTDigestArrayMerge',
    'groupArrayForEach',
  ])
    expect.soft(isOpenFunction(name), name).toBe(true);
  for (const name of ['file', 'FILE', 'fileIf', 'aiGenerate', 'aggThrowIf', 'nonesuch', 'hasColumnInTable'])
    expect.soft(isOpenFunction(name), name).toBe(false);
});
