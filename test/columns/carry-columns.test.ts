/** Rows of a former version as the next one reads them: every pair of kinds that a change of the pipeline lets through. */

import { expect, test } from 'vitest';
import { carryColumns } from '../../native-free-core/columns/carry-columns.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { entryAt, entryBytes, internEntry } from '../../native-free-core/state/dictionary.ts';
import { describeChange } from '../../src/config/index.ts';
import { changed, compileText } from '../config/pipelines.ts';
import { PIPELINE, SCHEMA } from '../e2e/schema-edits-cases.ts';
import { createBlockWorld, type Row } from './block-world.ts';
import { readValue, type Value } from './write-value.ts';

function compile(schema: readonly (readonly [string, string])[], pipeline = PIPELINE): Plan {
  const text = schema.reduce((before, [from, to]) => changed(from, to, before), SCHEMA);
  return compileText(pipeline, { 'events.proto': text }).plan;
}

/** What the new plan's columns of these names say of the rows. */
function carried(from: Plan, to: Plan, rows: readonly Row[], names: readonly string[]): Value[][] {
  const { change } = describeChange(from, to, { rollback: true });
  const world = createBlockWorld(from);
  const { dictionary } = world;
  const { columns, convert, reset } = carryColumns(world.columns, to, change!, {
    intern: (bytes, start, length) => internEntry(dictionary, bytes, start, length),
    bytes: dictionary.bytes,
    startOf: (id) => entryAt(dictionary, id),
    lengthOf: (id) => entryBytes(dictionary, id),
  });
  const columnsOf = names.map((name) => columns.find(({ plan }) => plan.name === name)!);
  const read = (column: (typeof columns)[number], r: number): Value => {
    const value = readValue(column, r);
    return column.kind === 'dictionary' ? new TextDecoder().decode(world.textOf(value as number)) : value;
  };
  let found: Value[][] = [];
  // Twice: what is left of a block must not show in the next one.
  for (let times = 0; times < 2; times++) {
    world.writeRows(rows);
    convert(rows.length);
    found = rows.map((_, r) => columnsOf.map((column) => read(column, r)));
    reset(rows.length);
    world.seal(rows.length);
  }
  return found;
}

test('numbers widen, and are cut off on the way back', () => {
  const narrow = compile([]);
  const wide = compile([
    ['int32 level', 'int64 level'],
    ['uint32 wide', 'int64 wide'],
    ['bool vip', 'int32 vip'],
  ]);
  const names = ['level', 'wide', 'vip'];
  const rows = [{ level: -5, wide: 4_000_000_000, vip: 1 }, { level: 2_147_483_647 }];
  expect(carried(narrow, wide, rows, names)).toEqual([
    [-5n, 4_000_000_000n, 1],
    [2_147_483_647n, 0n, 0],
  ]);
  const back = [{ level: -5n, wide: 4_000_000_000n, vip: 1 }, { level: 2n ** 32n + 7n }];
  expect(carried(wide, narrow, back, names)).toEqual([
    [-5, 4_000_000_000, 1],
    [7, 0, 0],
  ]);
});

test('elements of lists and maps', () => {
  const to = compile([
    ['repeated int32', 'repeated int64'],
    ['map<string, int32>', 'map<string, int64>'],
  ]);
  const rows = [
    { tags: [1, -2], scores: new Map([['a', -3]]) },
    {},
    {
      tags: [4],
      scores: new Map([
        ['b', 5],
        ['c', 6],
      ]),
    },
  ];
  expect(carried(compile([]), to, rows, ['tags', 'scores'])).toEqual([
    [[1n, -2n], new Map([['a', -3n]])],
    [[], new Map()],
    [
      [4n],
      new Map([
        ['b', 5n],
        ['c', 6n],
      ]),
    ],
  ]);
});

test('optional added: rows of the former version have 0, not NULL, whether any has a value or not', () => {
  const to = compile([
    ['string team', 'optional string team'],
    ['int32 level', 'optional int32 level'],
  ]);
  expect(carried(compile([]), to, [{ team: 'red' }, {}], ['team', 'level'])).toEqual([
    ['red', 0],
    ['', 0],
  ]);
});

test('strings and dictionaries', () => {
  const plain = compile([]);
  const dictionary = compile([], changed('  fields:\n', '  fields:\n    team: { dictionary: true }\n', PIPELINE));
  const rows = [{ team: 'red' }, {}, { team: 'blue' }];
  expect(carried(plain, dictionary, rows, ['team'])).toEqual([['red'], [''], ['blue']]);
  expect(carried(dictionary, plain, rows, ['team'])).toEqual([['red'], [''], ['blue']]);
});
